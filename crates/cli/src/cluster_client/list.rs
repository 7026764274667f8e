//! `headwater list`.

use super::args::ListArgs;
use super::{Api, show};
use headwater_types::Result;
use serde_json::{Value, json};

const RULE: &str = "--------------------------------------------------------------";

/// Shows jobs as Flink does: those that run, those that are scheduled, and with `--all` those that have ended.
pub fn list(api: &Api, args: &ListArgs) -> Result<()> {
    let overview = api.get("/jobs/overview")?;
    let mut jobs = overview["jobs"].as_array().cloned().unwrap_or_default();
    jobs.sort_by_key(|job| job["start-time"].as_i64());
    let everything = !args.running && !args.scheduled || args.all;
    let mut lines = vec![];
    let mut shown = vec![];
    for (title, none, is_wanted, of) in [
        ("Running/Restarting Jobs", "No running jobs.", everything || args.running, is_running as fn(&str) -> bool),
        ("Scheduled Jobs", "No scheduled jobs.", everything || args.scheduled, is_scheduled),
        ("Terminated Jobs", "No terminated jobs.", args.all, has_ended),
    ] {
        if is_wanted {
            let group: Vec<&Value> = jobs.iter().filter(|job| of(state(job))).collect();
            section(&mut lines, title, none, &group);
            shown.extend(group.into_iter().cloned());
        }
    }
    show(args.cluster.json, &lines, &json!({ "jobs": shown }))
}

fn section(lines: &mut Vec<String>, title: &str, none: &str, jobs: &[&Value]) {
    if jobs.is_empty() {
        return lines.push(none.to_owned());
    }
    lines.push(format!("{title:-^width$}", title = format!(" {title} "), width = RULE.len()));
    lines.extend(jobs.iter().map(|job| line(job)));
    lines.push(RULE.to_owned());
}

fn line(job: &Value) -> String {
    let text = |key: &str| job[key].as_str().unwrap_or_default();
    let started = crate::progress::timestamp(job["start-time"].as_i64().unwrap_or_default());
    format!("{started} : {} : {} ({})", text("jid"), text("name"), text("state"))
}

fn state(job: &Value) -> &str {
    job["state"].as_str().unwrap_or_default()
}

fn has_ended(state: &str) -> bool {
    matches!(state, "FINISHED" | "CANCELED" | "FAILED")
}

fn is_scheduled(state: &str) -> bool {
    matches!(state, "CREATED" | "INITIALIZING")
}

fn is_running(state: &str) -> bool {
    !has_ended(state) && !is_scheduled(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_listed_under_a_title() {
        let job = json!({ "jid": "ab", "name": "totals", "state": "RUNNING", "start-time": 0 });
        let mut lines = vec![];
        section(&mut lines, "Running/Restarting Jobs", "No running jobs.", &[&job]);
        section(&mut lines, "Scheduled Jobs", "No scheduled jobs.", &[]);
        assert!(lines[0].contains("- Running/Restarting Jobs -"), "{lines:?}");
        assert!(lines[1].ends_with(" : ab : totals (RUNNING)"), "{lines:?}");
        assert_eq!(lines[3], "No scheduled jobs.");
    }
}
