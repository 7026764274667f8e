//! Why is there no output? What a job's states, counters, watermarks and checkpoints say about it.
//!
//! [`diagnose`] is a pure function over facts that were gathered before: every rule looks at the same moment, and every
//! rule has its cases in a table. A finding names the operator, the subtask and what to do. Nothing here is measured
//! anew, and nothing is changed.
//!
//! The rules, in the order of what to look at first: has the job ended, does it restart, does it wait for slots; which
//! operator holds up those before it; which input holds back the watermark; what has read nothing, what has let nothing
//! through, what was dropped; do checkpoints complete.

mod checkpoints;
mod flow;
mod pressure;
mod rows;
mod state;
mod watermarks;

use crate::cluster::{JobDetails, OperatorSnapshot, Statistics};
use crate::ids::vertex_ids;
use crate::metrics::Rate;
use flow::Flow;
use headwater_plan::Vertex;
use headwater_types::ids::{SubtaskId, VertexId};
use serde::Serialize;
use std::collections::BTreeMap;

/// What is known of a job at one moment.
pub(crate) struct Facts<'a> {
    /// Milliseconds since the epoch.
    pub(crate) now_ms: i64,
    /// The job.
    pub(crate) details: &'a JobDetails,
    /// What it waits for.
    pub(crate) waits_for: Option<&'a str>,
    /// Slots of the cluster: all, and those that are free.
    pub(crate) slots: (u64, u64),
    /// The counters of its operators.
    pub(crate) operators: &'a [OperatorSnapshot],
    /// How its subtasks spend their time.
    pub(crate) rates: &'a BTreeMap<SubtaskId, Rate>,
    /// Its checkpoints.
    pub(crate) checkpoints: &'a Statistics,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// There is no output because of this.
    Error,
    /// There is less output, or later, because of this.
    Warning,
    /// Good to know.
    Info,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    /// What it is, a stable handle such as `missing-slots`.
    pub kind: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What is so.
    pub message: String,
    /// What to do.
    pub advice: String,
    /// Id of the vertex it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vertex_id: Option<String>,
    /// Name of that vertex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vertex: Option<String>,
    /// Index of the subtask it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subtask: Option<u32>,
}

/// All that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Diagnosis {
    /// The job.
    pub jid: String,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: String,
    /// The most important finding, or that there is none.
    pub summary: String,
    /// The findings, most important first.
    pub findings: Vec<Finding>,
}

/// Looks at a job with all rules.
pub(crate) fn diagnose(facts: &Facts<'_>) -> Diagnosis {
    let flow = Flow::new(facts);
    let mut findings = state::findings(facts);
    // Of a job that has no slots nothing else is to be expected.
    if !facts.details.summary.state.is_final() && facts.waits_for.is_none() {
        for rule in [pressure::findings, watermarks::findings, rows::findings] {
            findings.extend(rule(facts, &flow));
        }
        findings.extend(checkpoints::findings(facts));
    }
    // The sort is stable: of equals the rule that comes first.
    findings.sort_by_key(|finding| finding.severity);
    let summary = match findings.first().filter(|finding| finding.severity < Severity::Info) {
        Some(finding) => finding.message.clone(),
        None => format!("Nothing stands in the way: {}", flow.summary()),
    };
    let job = &facts.details.summary;
    Diagnosis {
        jid: job.job.to_string(),
        name: job.graph.name.clone(),
        state: job.state.to_string(),
        summary,
        findings,
    }
}

impl Finding {
    fn new(kind: &'static str, severity: Severity, message: impl Into<String>, advice: impl Into<String>) -> Self {
        let (message, advice) = (message.into(), advice.into());
        Self { kind, severity, message, advice, vertex_id: None, vertex: None, subtask: None }
    }

    fn at(mut self, facts: &Facts<'_>, vertex: VertexId) -> Self {
        let ids = vertex_ids(&facts.details.summary.graph);
        self.vertex_id = ids.into_iter().nth(vertex.0 as usize);
        self.vertex = facts.vertex(vertex).map(|vertex| vertex.name.clone());
        self
    }

    fn subtask(mut self, facts: &Facts<'_>, subtask: SubtaskId) -> Self {
        self.subtask = Some(subtask.index);
        self.at(facts, subtask.vertex)
    }
}

impl<'a> Facts<'a> {
    fn vertex(&self, vertex: VertexId) -> Option<&'a Vertex> {
        self.details.summary.graph.vertices.get(vertex.0 as usize)
    }

    /// `'name'`, cut where it is long.
    fn name(&self, vertex: VertexId) -> String {
        self.vertex(vertex).map_or_else(|| "?".to_owned(), |vertex| quoted(&vertex.name))
    }

    /// `subtask 2 of 4 of 'name'`, or just the name where there is one subtask.
    fn subtask_name(&self, subtask: SubtaskId) -> String {
        match self.vertex(subtask.vertex).map_or(1, |vertex| vertex.parallelism) {
            1 => self.name(subtask.vertex),
            all => format!("subtask {} of {all} of {}", subtask.index + 1, self.name(subtask.vertex)),
        }
    }
}

/// A name in quotes, cut where it is long.
fn quoted(name: &str) -> String {
    const CHARS_MAX: usize = 80;
    match name.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("'{}..'", &name[..end]),
        None => format!("'{name}'"),
    }
}

#[cfg(test)]
mod tests;
