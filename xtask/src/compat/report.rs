//! What works, what does not, and what cannot.

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

    /// Prints all, and fails when something fails.
    pub fn finish(&self) -> Result<()> {
        let mut failed = 0;
        for (client, check, outcome) in &self.lines {
            let (sign, detail) = match outcome {
                Outcome::Works => ("ok", ""),
                Outcome::Fails(detail) => {
                    failed += 1;
                    ("FAILS", detail.as_str())
                }
                Outcome::Limit(reason) => ("cannot", reason.as_str()),
                Outcome::Skipped(reason) => ("skipped", reason.as_str()),
            };
            let detail: String = detail.trim().chars().take(600).collect();
            println!("{sign:8} {client}: {check}{}{detail}", if detail.is_empty() { "" } else { " - " });
        }
        let works = self.lines.iter().filter(|(_, _, outcome)| matches!(outcome, Outcome::Works)).count();
        println!("{works} checks work, {failed} fail, {} cannot or were skipped", self.lines.len() - works - failed);
        if failed > 0 {
            bail!("{failed} checks fail");
        }
        Ok(())
    }
}

fn said(text: &str, expected: &[&str]) -> Outcome {
    match expected.iter().find(|wanted| !text.contains(**wanted)) {
        None => Outcome::Works,
        Some(missing) => Outcome::Fails(format!("'{missing}' is not in: {text}")),
    }
}
