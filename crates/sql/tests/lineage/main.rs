//! Lineage of statements: what each kind of node makes of columns.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test says what went wrong, and what it skipped")]

mod graphs;
mod hive;
mod kinds;

use headwater_env::Env;
use headwater_lineage::{JobLineage, Source};
use headwater_sql::session::{Session, StatementResult};
use headwater_sql_parser::parse_script;
use headwater_types::config::Configuration;

/// A session of batch jobs, so that every query may sort.
fn session(batch: bool) -> Session {
    let mut config = Configuration::new();
    if batch {
        config.set("execution.runtime-mode", "batch");
    }
    Session::new(config, headwater_connectors::registry(), Env::real())
}

/// Runs a script; the lineages of its jobs.
fn run(session: &mut Session, script: &str) -> Vec<JobLineage> {
    let (statements, error) = parse_script(script);
    assert!(error.is_none(), "{error:?}");
    let mut found = vec![];
    for parsed in &statements {
        match session.execute(&parsed.statement, script) {
            Ok(StatementResult::Job(job)) => found.push(job.lineage),
            Ok(StatementResult::Query(query)) => found.push(query.lineage),
            Ok(_) => {}
            Err(error) => panic!("{}", error.render(script)),
        }
    }
    found
}

/// A source as a line: `table.column KIND*`, with a star where masked.
fn shown(source: &Source, lineage: &JobLineage) -> String {
    let table = &lineage.inputs[source.input].dataset.table[2];
    let kinds =
        source.transformations.iter().map(|t| format!("{}{}", t.kind.as_str(), if t.masking { "*" } else { "" }));
    format!("{table}.{} {}", source.column, kinds.collect::<Vec<_>>().join("+"))
}
