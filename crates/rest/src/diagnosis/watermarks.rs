//! Operators that wait for the watermark, and the input that holds it back.
//!
//! An operator's watermark is the smallest of its inputs'. So the one that holds it back is found by going up the
//! stream, at every step to the sender with the smallest watermark, until there is none.

use super::{Facts, Finding, Flow, Severity};
use headwater_plan::OperatorSpec;
use headwater_plan::operators::OverTime;
use headwater_types::ids::{SubtaskId, VertexId};
use headwater_types::{MAX_WATERMARK, MIN_WATERMARK};

/// A watermark that is as far behind the furthest input is held back.
const BEHIND_MS: i64 = 60_000;
/// Longest way up: graphs have no circles, but a bound costs nothing.
const STEPS_MAX: usize = 1000;

pub(super) fn findings(facts: &Facts<'_>, flow: &Flow<'_>) -> Vec<Finding> {
    let waiting = facts
        .details
        .summary
        .graph
        .vertices
        .iter()
        .filter(|vertex| vertex.chain.iter().any(|node| waits_for_watermarks(&node.spec)));
    let mut findings: Vec<Finding> = vec![];
    for vertex in waiting {
        let finding = held_back(facts, flow, vertex.id);
        // Operators behind each other wait for the same input.
        if let Some(finding) = finding
            && !findings.iter().any(|known| {
                (known.kind, &known.vertex_id, known.subtask) == (finding.kind, &finding.vertex_id, finding.subtask)
            })
        {
            findings.push(finding);
        }
    }
    findings
}

/// Operators that keep rows until the watermark has passed them. Those of processing time go by the clock.
fn waits_for_watermarks(spec: &OperatorSpec) -> bool {
    match spec {
        OperatorSpec::WindowAggregate(spec) => !spec.window.proctime,
        OperatorSpec::WindowJoin(spec) => !spec.proctime,
        OperatorSpec::WindowRank(spec) => !spec.proctime,
        OperatorSpec::IntervalJoin(spec) => !spec.proctime,
        OperatorSpec::TemporalJoin(spec) => spec.rowtimes.is_some(),
        OperatorSpec::OverAggregate(spec) => matches!(spec.time, OverTime::Rowtime(_)),
        OperatorSpec::TemporalSort(_) => true,
        _ => false,
    }
}

fn held_back(facts: &Facts<'_>, flow: &Flow<'_>, vertex: VertexId) -> Option<Finding> {
    let waiting = flow.subtasks(vertex).min_by_key(|subtask| flow.head_watermark(*subtask))?;
    let watermark = flow.head_watermark(waiting);
    if watermark == MAX_WATERMARK {
        return None;
    }
    let origin = origin(facts, flow, waiting);
    let furthest = sources(facts).flat_map(|source| flow.subtasks(source)).map(|source| flow.tail_watermark(source));
    let furthest = furthest.filter(|watermark| *watermark != MAX_WATERMARK).max().unwrap_or(MIN_WATERMARK);
    let (waits, holds) = (facts.name(vertex), facts.subtask_name(origin));
    if watermark == MIN_WATERMARK {
        return Some(without(facts, flow, &waits, origin));
    }
    let behind_ms = furthest.saturating_sub(watermark);
    if behind_ms < BEHIND_MS {
        return None;
    }
    let message = format!(
        "{waits} waits for the watermark, which is at {} and held back by {holds}: other inputs are {} s ahead.",
        time(watermark),
        behind_ms / 1000
    );
    let advice = "Does that input have no new rows, or old ones? An input without rows is left aside after \
                  'table.exec.source.idle-timeout', or 'scan.watermark.idle-timeout' of its table.";
    Some(Finding::new("watermark-held-back", Severity::Warning, message, advice).subtask(facts, origin))
}

/// There is no watermark at all.
fn without(facts: &Facts<'_>, flow: &Flow<'_>, waits: &str, origin: SubtaskId) -> Finding {
    let holds = facts.subtask_name(origin);
    let declares = facts
        .vertex(origin.vertex)
        .is_some_and(|vertex| vertex.chain.iter().any(|node| matches!(node.spec, OperatorSpec::WatermarkAssigner(_))));
    let is_source = facts.vertex(origin.vertex).is_some_and(|vertex| {
        vertex.chain.iter().any(|node| matches!(node.spec, OperatorSpec::Source(_) | OperatorSpec::Values(_)))
    });
    let (message, advice) = match (flow.rows_sent(origin), declares || !is_source) {
        (0, _) => (
            format!("{waits} waits for a watermark, and {holds} has sent no rows yet, so it has none."),
            "Are there rows to read: topic, path, start position? When only some inputs have rows, set \
             'table.exec.source.idle-timeout', or lower the parallelism to their number.",
        ),
        (rows, true) => (
            format!("{waits} waits for a watermark, and {holds} has sent {rows} rows but no watermark."),
            "The times of its rows are NULL, or the rows of one of its splits have not come yet.",
        ),
        (rows, false) => (
            format!("{waits} waits for a watermark, and {holds} has sent {rows} rows, but declares none."),
            "Declare one in CREATE TABLE: WATERMARK FOR ts AS ts - INTERVAL '5' SECOND.",
        ),
    };
    Finding::new("no-watermark", Severity::Error, message, advice).subtask(facts, origin)
}

/// The input that gives a subtask its watermark.
fn origin(facts: &Facts<'_>, flow: &Flow<'_>, from: SubtaskId) -> SubtaskId {
    let mut at = from;
    for _ in 0..STEPS_MAX {
        let senders = flow.senders(facts, at).into_iter();
        match senders.min_by_key(|sender| flow.tail_watermark(*sender)) {
            Some(sender) => at = sender,
            None => break,
        }
    }
    at
}

/// The vertices without inputs.
fn sources(facts: &Facts<'_>) -> impl Iterator<Item = VertexId> {
    let graph = &facts.details.summary.graph;
    let is_source = |vertex: &VertexId| !graph.edges.iter().any(|edge| edge.target == *vertex);
    graph.vertices.iter().map(|vertex| vertex.id).filter(is_source)
}

/// Milliseconds since the epoch as a time, UTC.
fn time(millis: i64) -> String {
    const DAY_MS: i64 = 86_400_000;
    let (days, rest) = (millis.div_euclid(DAY_MS), millis.rem_euclid(DAY_MS) / 1000);
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60)
}

/// Year, month and day of a day since the epoch, in the Gregorian calendar: whole eras of 400 years, counted from a
/// first of March, so that the leap day is the last of its year.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (millis, text) in [
            (0, "1970-01-01 00:00:00"),
            (951_782_400_000, "2000-02-29 00:00:00"),
            (1_767_225_599_999, "2025-12-31 23:59:59"),
            (-1, "1969-12-31 23:59:59"),
        ] {
            assert_eq!(time(millis), text);
        }
    }
}
