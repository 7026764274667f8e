//! What an event means, by its producer.
//!
//! The first reader that recognises the event takes it; [`generic`] takes the rest, among them those of Headwater.
//! Readers are pure functions from an event to [`Facts`], and never look at other events: what several events say
//! together is the merge's affair, because only that can be independent of their order.

mod airflow;
mod common;
mod datasets;
mod dbt;
mod flink;
mod generic;
mod hive;
mod naming;
mod progress;
mod spark;
mod starrocks;
#[cfg(test)]
mod tests;

use crate::event::{Event, Subject};
use crate::facts::Facts;

/// What a producer does differently with datasets.
#[derive(Debug, Clone, Copy, Default)]
struct Profile {
    /// A dataset with a table as symlink stands for that table.
    prefer_tables: bool,
    /// `/k=v` at the end of a path names a partition.
    cut_partitions: bool,
    /// Tables attached to Kafka topics are names in a session's catalog, of no meaning elsewhere.
    drop_kafka_tables: bool,
    /// How outputs are written when the event does not say.
    default_type: Option<i64>,
}

/// Everything the event says.
pub fn facts(event: &Event<'_>) -> Facts {
    let mut facts = Facts { at: event.at, ..Facts::default() };
    match event.subject {
        Subject::Run(run) => {
            facts.run = Some(run);
            of_run(event, run, &mut facts);
        }
        Subject::Job => generic::declared_job(event, &mut facts),
        Subject::Dataset => generic::declared_dataset(event, &mut facts),
    }
    facts
}

fn of_run(event: &Event<'_>, run: uuid::Uuid, facts: &mut Facts) {
    let integration = event.integration();
    match (integration.as_deref(), event.job_type().as_deref()) {
        (Some("SPARK"), kind) => spark::extract(event, run, kind == Some("APPLICATION"), facts),
        (Some("AIRFLOW"), Some("DAG")) => airflow::dag(event, run, facts),
        (Some("AIRFLOW"), Some("TASK")) => airflow::task(event, run, facts),
        (Some("HIVE"), _) if event.job.namespace.starts_with("hive://") => hive::extract(event, run, facts),
        (Some("FLINK"), _) => flink::extract(event, run, facts),
        (Some("DBT"), kind) => dbt::extract(event, run, kind == Some("JOB"), facts),
        (Some("STARROCKS"), _) => starrocks::extract(event, run, facts),
        _ => generic::extract(event, run, facts),
    }
}
