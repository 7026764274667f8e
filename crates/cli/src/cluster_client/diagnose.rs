//! `headwater diagnose`: why is there no output?

use super::args::JobArgs;
use super::{Api, job, show};
use headwater_types::Result;
use serde_json::Value;

/// Asks the cluster and shows what it found.
pub fn diagnose(api: &Api, args: &JobArgs) -> Result<()> {
    let diagnosis = api.get(&format!("/jobs/{}/diagnosis", job(&args.job)?))?;
    show(args.cluster.json, &lines(&diagnosis), &diagnosis)
}

fn lines(diagnosis: &Value) -> Vec<String> {
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let mut lines = vec![
        format!("{} ({}): {}", text(diagnosis, "name"), text(diagnosis, "jid"), text(diagnosis, "state")),
        text(diagnosis, "summary"),
    ];
    for finding in diagnosis["findings"].as_array().into_iter().flatten() {
        lines.push(String::new());
        lines.push(format!("[{}] {}: {}", text(finding, "severity"), text(finding, "kind"), text(finding, "message")));
        lines.push(format!("  {}", text(finding, "advice")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn findings_are_listed_with_what_to_do() {
        let diagnosis = json!({
            "jid": "ab", "name": "totals", "state": "RUNNING", "summary": "It waits.",
            "findings": [{ "kind": "missing-slots", "severity": "error", "message": "It waits.", "advice": "Start one." }],
        });
        let expected = ["totals (ab): RUNNING", "It waits.", "", "[error] missing-slots: It waits.", "  Start one."];
        assert_eq!(lines(&diagnosis), expected);
    }
}
