//! Where rows end: sources that read none, operators that let none through, rows that were dropped.

use super::{Facts, Finding, Flow, Severity, quoted};
use headwater_plan::{OperatorNode, OperatorSpec, Vertex};
use headwater_types::ids::VertexId;

/// Rows a second below which a source reads nothing at the moment.
const IDLE_RATE: f64 = 0.001;
/// Part of the rows from which on drops are a warning.
const DROPPED_PART: f64 = 0.1;

pub(super) fn findings(facts: &Facts<'_>, flow: &Flow<'_>) -> Vec<Finding> {
    let mut findings = vec![];
    for vertex in &facts.details.summary.graph.vertices {
        for (position, node) in (0..).zip(&vertex.chain) {
            let place = Place { facts, flow, vertex, position, node };
            findings.extend(place.source());
            findings.extend(place.late());
            findings.extend(place.bad());
        }
    }
    // Behind the first operator that lets nothing through, nothing can come.
    if flow.rows_out() == 0 {
        let places = facts.details.summary.graph.vertices.iter().flat_map(|vertex| {
            (0..).zip(&vertex.chain).map(move |(position, node)| Place { facts, flow, vertex, position, node })
        });
        findings.extend(places.filter_map(|place| place.nothing_through()).next());
    }
    findings
}

/// An operator.
struct Place<'a> {
    facts: &'a Facts<'a>,
    flow: &'a Flow<'a>,
    vertex: &'a Vertex,
    position: u32,
    node: &'a OperatorNode,
}

impl Place<'_> {
    fn id(&self) -> VertexId {
        self.vertex.id
    }

    fn rows_in(&self) -> u64 {
        self.flow.sum(self.id(), self.position, |operator| operator.rows_in)
    }

    fn rows_out(&self) -> u64 {
        self.flow.sum(self.id(), self.position, |operator| operator.rows_out)
    }

    fn name(&self) -> String {
        quoted(&self.node.name)
    }

    /// A source that has read nothing, or reads nothing at the moment.
    fn source(&self) -> Option<Finding> {
        let OperatorSpec::Source(source) = &self.node.spec else { return None };
        let (table, rows) = (source.table.path.join("."), self.rows_out());
        let rate: f64 = self
            .flow
            .subtasks(self.id())
            .filter_map(|subtask| self.facts.rates.get(&subtask))
            .map(|rate| rate.rows_out)
            .sum();
        if rows > 0 && rate > IDLE_RATE {
            return None;
        }
        let connector = source.table.options.get("connector").map_or("?", String::as_str);
        let finding = match rows {
            0 => Finding::new(
                "source-empty",
                Severity::Error,
                format!("The source {} has read no rows of '{table}' ({connector}).", self.name()),
                "Are there rows: topic and start position ('scan.startup.mode'), path, permissions, partitions? Rows \
                 of a transaction are read when it is committed.",
            ),
            _ => Finding::new(
                "source-idle",
                Severity::Info,
                format!(
                    "The source {} reads nothing at the moment; it has read {rows} rows of '{table}' ({connector}).",
                    self.name()
                ),
                "It has read all there is, or it is held up by those behind it.",
            ),
        };
        Some(finding.at(self.facts, self.id()))
    }

    /// Rows came, and none left.
    fn nothing_through(&self) -> Option<Finding> {
        let (rows_in, is_sink) = (self.rows_in(), matches!(self.node.spec, OperatorSpec::Sink(_)));
        if is_sink || rows_in == 0 || self.rows_out() > 0 {
            return None;
        }
        let (what, advice) = match &self.node.spec {
            OperatorSpec::Calc(calc) if calc.condition.is_some() => {
                ("its condition was true for none", "Look at the WHERE or HAVING clause; NULL is not true.")
            }
            OperatorSpec::Join(_)
            | OperatorSpec::IntervalJoin(_)
            | OperatorSpec::TemporalJoin(_)
            | OperatorSpec::WindowJoin(_) => {
                ("no two of them match", "Do the keys of both sides have the same type and form? NULL equals nothing.")
            }
            OperatorSpec::GroupAggregate(_) | OperatorSpec::Sort(_) => (
                "it has sent no result",
                "In batch mode results come when all input has been read; with mini-batch when one is full.",
            ),
            _ => (
                "it waits with all of them",
                "Operators over windows send rows when the watermark has passed their end.",
            ),
        };
        let message = format!("{} has received {rows_in} rows and sent none: {what}.", self.name());
        Some(Finding::new("nothing-through", Severity::Error, message, advice).at(self.facts, self.id()))
    }

    fn late(&self) -> Option<Finding> {
        let advice = "Their windows had ended when they came: declare a watermark that waits longer, or look for an \
                      input whose times run ahead.";
        let dropped = self.flow.sum(self.id(), self.position, |operator| operator.late_rows_dropped);
        self.dropped("late-rows", "as late", dropped, advice)
    }

    fn bad(&self) -> Option<Finding> {
        let advice = "They could not be decoded, and the format is told to skip those ('ignore-parse-errors').";
        let skipped = self.flow.sum(self.id(), self.position, |operator| operator.bad_records);
        self.dropped("bad-records", "as unreadable", skipped, advice)
    }

    fn dropped(&self, kind: &'static str, how: &str, dropped: u64, advice: &str) -> Option<Finding> {
        if dropped == 0 {
            return None;
        }
        let all = self.rows_in().max(self.rows_out()).max(dropped);
        let part = dropped as f64 / all as f64;
        let severity = if part >= DROPPED_PART { Severity::Warning } else { Severity::Info };
        let message = format!("{} has dropped {dropped} rows {how}, {:.1} % of all.", self.name(), part * 100.0);
        Some(Finding::new(kind, severity, message, advice).at(self.facts, self.id()))
    }
}
