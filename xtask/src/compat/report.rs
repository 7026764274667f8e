//! What works, what does not, what cannot for a documented reason, and what was not tried.

use anyhow::{Result, bail};

/// The outcomes of checks, in order.
#[derive(Default)]
pub struct Report {
    lines: Vec<(String, String, Outcome)>,
}

enum Outcome {
    Works,
    Fails(String),
    /// It cannot work, for a reason that is documented.
    Limit(String),
    /// It was not tried.
    Skipped(String),
}

impl Report {
    /// A call that has to succeed and print all of this.
    pub fn expect(&mut self, client: &str, check: &str, printed: Result<String>, expected: &[&str]) {
        let outcome = match printed {
            Err(error) => Outcome::Fails(format!("{error:#}")),
            Ok(text) => said(&text, expected),
        };
        self.add(client, check, outcome);
    }

    /// A call that has to fail and print all of this.
    pub fn refused(&mut self, client: &str, check: &str, printed: Result<String>, expected: &[&str]) {
        let outcome = match printed {
            Err(error) => said(&format!("{error:#}"), expected),
            Ok(text) => Outcome::Fails(format!("it was not refused: {text}")),
        };
        self.add(client, check, outcome);
    }

    /// What a script of checks found: one JSON object a line, with `check`, `ok` and `detail`.
    pub fn script(&mut self, client: &str, printed: Result<String>) {
        let text = match printed {
            Ok(text) => text,
            Err(error) => return self.add(client, "script", Outcome::Fails(format!("{error:#}"))),
        };
        let found = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let before = self.lines.len();
        for line in found {
            let detail = line["detail"].as_str().unwrap_or_default().to_owned();
            let outcome = match (line["ok"].as_bool(), line["limit"].as_str()) {
                (_, Some(reason)) => Outcome::Limit(reason.to_owned()),
                (Some(true), None) => Outcome::Works,
                _ => Outcome::Fails(detail),
            };
            self.add(client, line["check"].as_str().unwrap_or("?"), outcome);
        }
        if self.lines.len() == before {
            self.add(client, "script", Outcome::Fails(format!("it found nothing: {text}")));
        }
    }

    /// What cannot work.
    pub fn limit(&mut self, client: &str, check: &str, reason: &str) {
        self.add(client, check, Outcome::Limit(reason.to_owned()));
    }

    /// What was not tried.
    pub fn skip(&mut self, client: &str, check: &str, reason: &str) {
        self.add(client, check, Outcome::Skipped(reason.to_owned()));
    }

    fn add(&mut self, client: &str, check: &str, outcome: Outcome) {
        self.lines.push((client.to_owned(), check.to_owned(), outcome));
    }

    /// Prints all. Only when every check works, or cannot for a documented reason, is that a success; what was not tried is
    /// none, unless it may be missing.
    pub fn finish(&self, may_skip: bool) -> Result<()> {
        let (mut works, mut failed, mut limits, mut skipped) = (0, 0, 0, 0);
        for (client, check, outcome) in &self.lines {
            let (sign, detail, count) = match outcome {
                Outcome::Works => ("ok", "", &mut works),
                Outcome::Fails(detail) => ("FAILS", detail.as_str(), &mut failed),
                Outcome::Limit(reason) => ("cannot", reason.as_str(), &mut limits),
                Outcome::Skipped(reason) => ("skipped", reason.as_str(), &mut skipped),
            };
            *count += 1;
            let detail: String = detail.trim().chars().take(600).collect();
            println!("{sign:8} {client}: {check}{}{detail}", if detail.is_empty() { "" } else { " - " });
        }
        println!(
            "{works} checks work, {failed} fail, {limits} cannot for documented reasons, {skipped} were not tried"
        );
        match (failed, skipped) {
            (0, 0) => Ok(()),
            (0, _) if may_skip => Ok(()),
            (0, _) => bail!("{skipped} checks were not tried: install what they need, or allow it by --may-skip"),
            _ => bail!("{failed} checks fail"),
        }
    }
}

fn said(text: &str, expected: &[&str]) -> Outcome {
    match expected.iter().find(|wanted| !text.contains(**wanted)) {
        None => Outcome::Works,
        Some(missing) => Outcome::Fails(format!("'{missing}' is not in: {text}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_works_or_cannot_is_a_success() {
        let mut report = Report::default();
        report.expect("a", "works", Ok("text".to_owned()), &["ex"]);
        report.limit("a", "cannot", "there are no jars");
        report.script("b", Ok(r#"{"check": "x", "ok": true}"#.to_owned()));
        assert!(report.finish(false).is_ok());
        report.skip("c", "all", "not installed");
        assert!(report.finish(false).is_err() && report.finish(true).is_ok());
        report.script("d", Ok("no checks".to_owned()));
        assert!(report.finish(true).is_err(), "a script that finds nothing has failed");
    }
}
