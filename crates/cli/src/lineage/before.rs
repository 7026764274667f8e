//! The lineage that a job is compared with: of a running job, of an earlier `explain --json`, or of events.

use crate::cluster_client::http::Api;
use headwater_lineage::JobLineage;
use headwater_lineage::diff::Shape;
use headwater_lineage::model::{Event, RunEvent};
use headwater_types::config::Configuration;
use headwater_types::{Error, Result};
use serde_json::Value;
use std::path::Path;

/// What is compared with.
#[derive(Debug, Default)]
pub struct Known {
    /// The jobs, as they came; names may repeat.
    pub jobs: Vec<KnownJob>,
}

/// A job that is compared with.
#[derive(Debug)]
pub struct KnownJob {
    /// Its name.
    pub name: String,
    /// What is compared of it.
    pub shape: Shape,
    /// Whether it is one of all the jobs of a script, so that one that is gone is a loss; of events and of a cluster others
    /// may be looked at.
    pub is_whole: bool,
}

impl Known {
    fn add(&mut self, name: &str, shape: Shape, is_whole: bool) {
        self.jobs.push(KnownJob { name: name.to_owned(), shape, is_whole });
    }
}

/// Reads what `target` names: a file, or else a job of a cluster.
///
/// # Errors
/// When it is neither, or holds no lineage.
pub fn read(target: &str, address: Option<&str>, config: &Configuration) -> Result<Known> {
    match Path::new(target).exists() {
        true => of_file(Path::new(target)),
        false => of_job(target, address, config),
    }
}

fn of_job(id: &str, address: Option<&str>, config: &Configuration) -> Result<Known> {
    let is_id = id.len() == 32 && id.chars().all(|c| c.is_ascii_hexdigit());
    if !is_id {
        let message =
            format!("'{id}' is neither a file nor the id of a job: 32 hexadecimal digits, as `headwater list` shows");
        return Err(Error::user("unknown-lineage", message));
    }
    let answer = Api::new(address, config)?.get(&format!("/jobs/{id}/lineage"))?;
    let lineage: JobLineage = serde_json::from_value(answer).map_err(|e| {
        let message = format!("the lineage of the job {id} is not that of this version");
        Error::user("no-lineage", message).with_source(e)
    })?;
    let mut known = Known::default();
    known.add(&lineage.name, Shape::from(&lineage), false);
    Ok(known)
}

fn of_file(path: &Path) -> Result<Known> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Error::user("unreadable-file", format!("cannot read {}: {e}", path.display())))?;
    parse(&text).map_err(|error| error.context(path.display()))
}

/// One document, or one a line.
pub fn parse(text: &str) -> Result<Known> {
    let documents = match serde_json::from_str::<Value>(text) {
        Ok(Value::Array(all)) => all,
        Ok(one) => vec![one],
        Err(whole) => lines(text).map_err(|_| bad(&whole.to_string()))?,
    };
    let mut known = Known::default();
    for document in documents {
        match document {
            Value::Object(ref object) if object.contains_key("jobs") => {
                let jobs = document["jobs"].as_array().into_iter().flatten().cloned();
                jobs.for_each(|job| add(&mut known, job));
            }
            other => add(&mut known, other),
        }
    }
    match known.jobs.is_empty() {
        true => Err(bad("it holds no lineage")),
        false => Ok(known),
    }
}

fn lines(text: &str) -> Result<Vec<Value>, serde_json::Error> {
    text.lines().filter(|line| !line.trim().is_empty()).map(serde_json::from_str).collect()
}

/// A lineage as `explain --json` prints it, or an event. Of the events of a job the last one with outputs counts.
fn add(known: &mut Known, document: Value) {
    if let Ok(lineage) = serde_json::from_value::<JobLineage>(document.clone()) {
        known.add(&lineage.name, Shape::from(&lineage), true);
        return;
    }
    if let Ok(Event::Run(event)) = Event::from_value(document)
        && !event.outputs.is_empty()
    {
        let event: &RunEvent = &event;
        known.jobs.retain(|job| job.is_whole || job.name != event.job.name);
        known.add(&event.job.name, Shape::from(event), false);
    }
}

fn bad(why: &str) -> Error {
    let message = format!("expected the output of `headwater lineage explain --json`, or OpenLineage events: {why}");
    Error::user("bad-lineage-file", message)
}
