//! Running a program.
//!
//! Programs that are split before and after a restore run in one go: the rows after follow when those before
//! are processed, and the sink must hold what both halves expect.

use super::compare::{Expectation, compare};
use super::drive::{Drive, readers, wait};
use super::{Program, Step, TableStep};
use crate::outcome::{Status, Stop};
use crate::phases::{Gate, SECOND_HALF};
use headwater_connectors::values::Store;
use headwater_embedded::Engine;
use headwater_sql::catalog::{ColumnKind, Relation, Table};
use headwater_sql::session::StatementResult;
use headwater_sql_parser::parse_script;
use headwater_types::LogicalType;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The setting that folds updates.
const MINI_BATCH: &str = "table.exec.mini-batch.enabled";

/// Numbers the runs of this process, so that rows of two runs never meet.
static NEXT_RUN: AtomicU64 = AtomicU64::new(0);

impl Program {
    /// Runs the steps in order, then compares every sink.
    pub(crate) fn run(&self, engine: &mut Engine) -> Result<(), Stop> {
        let number = NEXT_RUN.fetch_add(1, Ordering::Relaxed);
        Run { number, engine, program: self, gate: Arc::default() }.run()
    }

    /// A statement that fails in a program of which parts are missing says nothing about the engine.
    fn excused(&self, stop: Stop) -> Stop {
        match stop.status {
            Status::Failed if !self.is_complete => Stop::skipped(format!("the case is incomplete: {}", stop.reason)),
            _ => stop,
        }
    }

    /// Mini-batches fold the updates of a key. Without them the final table is the same but its changelog has
    /// more steps, which is no wrong result but not the expected one either.
    fn without_mini_batch(&self, stop: Stop) -> Stop {
        let asked = |step: &Step| matches!(step, Step::Config(key, value) if key == MINI_BATCH && value == "true");
        match self.steps.iter().any(asked) {
            true => Stop::unsupported(format!("mini-batches are not supported yet: {}", stop.reason)),
            false => stop,
        }
    }

    fn sinks(&self) -> impl Iterator<Item = &TableStep> {
        self.steps.iter().filter_map(|step| match step {
            Step::Sink(table) => Some(table),
            _ => None,
        })
    }
}

struct Run<'a> {
    number: u64,
    engine: &'a mut Engine,
    program: &'a Program,
    /// Holds the sources back between the halves of their rows.
    gate: Arc<Gate>,
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        for step in &self.program.steps {
            if let Step::Source(table) | Step::Sink(table) = step {
                let data_id = self.data_id(table);
                Gate::remove(&data_id);
                Store::remove(&data_id);
                Store::remove(&format!("{data_id}{SECOND_HALF}"));
            }
        }
    }
}

impl Run<'_> {
    fn run(mut self) -> Result<(), Stop> {
        self.check_runnable()?;
        let program = self.program;
        // Nothing waits for the clock: what is late must not depend on the speed of the machine.
        for key in ["pipeline.auto-watermark-interval", "execution.buffer-timeout.interval"] {
            self.engine.session_mut().set_config(key, "0 ms");
        }
        for step in &program.steps {
            self.step(step).map_err(|stop| program.excused(stop))?;
        }
        program.sinks().try_for_each(|sink| self.compare(sink)).map_err(|stop| program.without_mini_batch(stop))
    }

    /// Looks for what cannot be run before anything is.
    fn check_runnable(&self) -> Result<(), Stop> {
        for step in &self.program.steps {
            match step {
                Step::TableApi => return Err(Stop::skipped("the program uses the Table API")),
                Step::Unwritten => return Err(Stop::skipped("a statement could not be written down")),
                Step::Foreign(what) => return Err(Stop::unsupported(format!("{what} is not supported yet"))),
                _ => {}
            }
        }
        Ok(())
    }

    fn step(&mut self, step: &Step) -> Result<(), Stop> {
        match step {
            Step::Config(key, value) => self.sql(&format!("SET '{key}' = '{}'", value.replace('\'', "''"))),
            Step::Source(table) => self.source(table),
            Step::Sink(table) => self.sql(&table.ddl(&self.data_id(table), "sink-changelog-mode-enforced")?),
            Step::Sql(text) => self.sql(text),
            Step::StatementSet(texts) => {
                let inserts: Vec<&str> = texts.iter().map(|text| text.trim().trim_end_matches(';')).collect();
                self.sql(&format!("EXECUTE STATEMENT SET BEGIN {}; END", inserts.join("; ")))
            }
            Step::FailingSql(text) => self.failing_sql(text),
            Step::TableApi | Step::Unwritten | Step::Foreign(_) => Ok(()),
        }
    }

    fn data_id(&self, table: &TableStep) -> String {
        format!("{}-{}-{}", self.program.id, self.number, table.name)
    }

    fn source(&mut self, step: &TableStep) -> Result<(), Stop> {
        let data_id = self.data_id(step);
        self.sql(&step.ddl(&data_id, "changelog-mode")?)?;
        let types = produced_types(self.table(step)?);
        let [first, second] = step.produced(&types)?;
        Store::register(format!("{data_id}{SECOND_HALF}"), second);
        Store::register(&data_id, first);
        Gate::install(&data_id, &self.gate);
        Ok(())
    }

    /// The table as the catalog has it.
    fn table(&self, step: &TableStep) -> Result<&Table, Stop> {
        let session = self.engine.session();
        let catalog = session.catalog();
        let path = catalog.current_catalog().to_string();
        let found = catalog
            .relations(&path, catalog.current_database())
            .into_iter()
            .find(|relation| relation.path().0[2] == step.name.trim_matches('`'));
        match found {
            Some(Relation::Table(table)) => Ok(table),
            _ => Err(Stop::failed(format!("the table '{}' is not in the current database", step.name))),
        }
    }

    /// Runs statements one after the other and waits for the jobs they start.
    fn sql(&mut self, text: &str) -> Result<(), Stop> {
        let (statements, error) = parse_script(text);
        for parsed in &statements {
            match self.engine.execute(&parsed.statement, text)? {
                StatementResult::Job(job) => {
                    self.gate.reset(readers(&job.graph) > 1);
                    let handle = self.engine.start_job(&job)?;
                    let drive = Drive { gate: &self.gate, graph: &job.graph, sinks: self.progress() };
                    drive.run(&handle)?.into_result()?;
                }
                StatementResult::Query(query) => {
                    self.gate.reset(false);
                    // Nobody looks at the rows: nothing is to be held back.
                    (0..2).for_each(|_| self.gate.open_next());
                    let running = self.engine.start_query(*query)?;
                    wait(running.job())?.into_result()?;
                }
                _ => {}
            }
        }
        match error {
            None => Ok(()),
            Some(error) => Err(Stop::failed(format!("syntax error in '{text}': {error}"))),
        }
    }

    /// The statement must fail, and not for want of a feature.
    fn failing_sql(&mut self, text: &str) -> Result<(), Stop> {
        match self.sql(text) {
            Ok(()) => Err(Stop::failed(format!("the statement should have failed: {text}"))),
            Err(stop) if stop.status == Status::Failed => Ok(()),
            Err(stop) => Err(stop),
        }
    }

    /// The sinks with how much they are expected to hold.
    fn progress(&self) -> Vec<(String, [usize; 2])> {
        self.program.sinks().map(|sink| (self.data_id(sink), sink.consumed_counts())).collect()
    }

    fn compare(&self, sink: &TableStep) -> Result<(), Stop> {
        let Some(expected) = sink.consumed() else { return Ok(()) };
        let table = self.table(sink)?;
        let (names, types) = consumed_columns(table);
        let key: Vec<usize> =
            names.iter().enumerate().filter(|(_, n)| table.primary_key.contains(n)).map(|(i, _)| i).collect();
        let expectation = Expectation {
            sink: &sink.name,
            types: &types,
            key: &key,
            expected: &expected,
            materialized: sink.is_materialized(),
        };
        compare(&expectation, &Store::results(&self.data_id(sink)))
    }
}

/// Types of the values in a source's rows: the physical columns, then the metadata.
fn produced_types(table: &Table) -> Vec<LogicalType> {
    let of_kind = |wanted: fn(&ColumnKind) -> bool| {
        table.columns.iter().filter(move |c| wanted(&c.kind)).map(|c| c.ty.clone()).collect::<Vec<_>>()
    };
    let physical = of_kind(|kind| matches!(kind, ColumnKind::Physical));
    let metadata = of_kind(|kind| matches!(kind, ColumnKind::Metadata { .. }));
    physical.into_iter().chain(metadata).collect()
}

/// Names and types of the values in a sink's rows: the physical columns, then the metadata that is written.
fn consumed_columns(table: &Table) -> (Vec<String>, Vec<LogicalType>) {
    let physical = table.columns.iter().filter(|c| matches!(c.kind, ColumnKind::Physical));
    let is_written = |kind: &ColumnKind| matches!(kind, ColumnKind::Metadata { virtual_column: false, .. });
    let metadata = table.columns.iter().filter(|c| is_written(&c.kind));
    physical.chain(metadata).map(|c| (c.name.clone(), c.ty.clone())).unzip()
}
