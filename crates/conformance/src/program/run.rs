//! Running a program.
//!
//! Programs that are split before and after a restore run three times: in one go, where the rows after follow when
//! those before are processed; stopped with a savepoint between the halves and restored; and restored at another
//! parallelism. Each time the sinks must hold what both halves expect.

use super::compare::{Expectation, compare};
use super::drive::{Drive, is_looked_up, looked_up, readers, wait};
use super::{Program, Step, TableStep};
use crate::outcome::{Status, Stop};
use crate::phases::{Gate, SECOND_HALF};
use headwater_connectors::values::Store;
use headwater_embedded::Engine;
use headwater_sql::catalog::{Column, ColumnKind, Relation, Table};
use headwater_sql::planner::PlannedJob;
use headwater_sql::session::StatementResult;
use headwater_sql_parser::parse_script;
use headwater_types::LogicalType;
use headwater_types::config::parse_duration;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The setting that asks for an ON CONFLICT clause.
const REQUIRE_ON_CONFLICT: &str = "table.exec.sink.require-on-conflict";
/// The setting that runs a program over bounded input.
const RUNTIME_MODE: &str = "execution.runtime-mode";
/// The longest life of state whose end is waited for.
const AWAITED_LIFE_MAX: Duration = Duration::from_secs(5);
/// The setting that processes rows in bundles.
const MINI_BATCH: &str = "table.exec.mini-batch.enabled";

/// The setting of the parallelism of a job.
const PARALLELISM: &str = "parallelism.default";
/// The setting of the savepoint that a job starts from.
const RECOVERY_PATH: &str = "execution.state-recovery.path";

/// What happens between the halves of a program's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Between {
    /// Nothing.
    Nothing,
    /// The job is stopped with a savepoint and restored.
    Restore,
    /// The same, and the restored job has this parallelism.
    Rescale(u32),
}

impl Between {
    /// What is said of a failure.
    fn text(self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Restore => "after a restore: ".to_owned(),
            Self::Rescale(parallelism) => format!("after a restore at parallelism {parallelism}: "),
        }
    }
}

/// With so many sources, changes come to an operator over several ways through the plan, in an order that is not
/// specified: rows may be added and taken back more or less often than in the run that was written down.
const SOURCES_IN_ANY_ORDER: usize = 3;

/// Numbers the runs of this process, so that rows of two runs never meet.
static NEXT_RUN: AtomicU64 = AtomicU64::new(0);

impl Program {
    /// Runs the steps in order, then compares every sink.
    pub(crate) fn run(&self, engine: &mut Engine, between: Between) -> Result<(), Stop> {
        let number = NEXT_RUN.fetch_add(1, Ordering::Relaxed);
        let run = Run { number, engine, program: self, gate: Arc::default(), between };
        run.run().map_err(|stop| Stop { reason: between.text() + &stop.reason, ..stop })
    }

    /// Everything that may happen between the halves of the program's rows.
    pub(crate) fn variants(&self) -> &'static [Between] {
        match self.sources().any(TableStep::has_second_half) {
            // These take as long as their windows: one run has to do.
            true if self.has_windows_of_the_clock() => &[Between::Rescale(3)],
            // There is no watermark right after a restore, and a barrier ends a bundle: what is expected then is not what
            // one run gives.
            true if self.reads_the_watermark() || self.has_bundles() => &[Between::Restore, Between::Rescale(3)],
            true => &[Between::Nothing, Between::Restore, Between::Rescale(3)],
            false => &[Between::Nothing],
        }
    }

    fn has_bundles(&self) -> bool {
        let asked = |step: &Step| matches!(step, Step::Config(key, value) if key == MINI_BATCH && value == "true");
        self.steps.iter().any(asked)
    }

    fn reads_the_watermark(&self) -> bool {
        let reads = |step: &Step| matches!(step, Step::Sql(text) if text.contains("CURRENT_WATERMARK("));
        self.steps.iter().any(reads)
    }

    fn has_windows_of_the_clock(&self) -> bool {
        let by_clock = |part: &String| part.to_ascii_uppercase().contains("PROCTIME()");
        let has_window = |step: &Step| match step {
            Step::Sql(text) => {
                ["TUMBLE", "HOP", "SESSION", "CUMULATE"].iter().any(|w| text.to_ascii_uppercase().contains(w))
            }
            _ => false,
        };
        self.sources().flat_map(|table| &table.schema).flatten().any(by_clock) && self.steps.iter().any(has_window)
    }

    /// A statement that fails in a program of which parts are missing says nothing about the engine.
    fn excused(&self, stop: Stop) -> Stop {
        match stop.status {
            Status::Failed if !self.is_complete => Stop::skipped(format!("the case is incomplete: {}", stop.reason)),
            _ => stop,
        }
    }

    /// How long to wait until state is gone that a hint gives a short life.
    fn expiry(&self) -> Duration {
        let hints = self.steps.iter().filter_map(|step| match step {
            Step::Sql(text) => text.split_once("STATE_TTL(")?.1.split_once(')'),
            _ => None,
        });
        let lives = hints.flat_map(|(hint, _)| hint.split('\'')).filter_map(parse_duration);
        lives.filter(|life| *life <= AWAITED_LIFE_MAX).max().map_or(Duration::ZERO, |life| life + life / 4)
    }

    fn sources(&self) -> impl Iterator<Item = &TableStep> {
        self.steps.iter().filter_map(|step| match step {
            Step::Source(table) => Some(table),
            _ => None,
        })
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
    between: Between,
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
        if program.is_batch {
            self.engine.session_mut().set_config(RUNTIME_MODE, "batch");
        }
        // Nothing waits for the clock: what is late must not depend on the speed of the machine.
        for key in ["pipeline.auto-watermark-interval", "execution.buffer-timeout.interval"] {
            self.engine.session_mut().set_config(key, "0 ms");
        }
        // Programs with a restore are run without the duty to say what happens on conflicts.
        if program.sources().any(TableStep::has_second_half) {
            self.engine.session_mut().set_config(REQUIRE_ON_CONFLICT, "false");
        }
        for step in &program.steps {
            self.step(step).map_err(|stop| program.excused(stop))?;
        }
        program.sinks().try_for_each(|sink| self.compare(sink))
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
        Gate::install(&data_id, &self.gate, is_looked_up(&self.table(step)?.options));
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
                StatementResult::Job(job) if self.between == Between::Nothing => self.job(&job)?,
                StatementResult::Job(job) => {
                    let replan = |engine: &mut Engine| match engine.execute(&parsed.statement, text) {
                        Ok(StatementResult::Job(job)) => Ok(job),
                        Ok(_) => Err(Stop::failed("the restored statement starts no job")),
                        Err(error) => Err(error.into()),
                    };
                    self.interrupted_job(&job, replan)?;
                }
                StatementResult::Query(query) => {
                    self.gate.reset(false, 0);
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

    /// Runs a job through both halves of its rows.
    fn job(&mut self, job: &PlannedJob) -> Result<(), Stop> {
        self.gate.reset(readers(&job.graph) > 1, looked_up(&job.graph));
        let handle = self.engine.start_job(job)?;
        self.drive(job).run(&handle)?.into_result()?;
        Ok(())
    }

    /// Runs a job through the first half of its rows, and what is planned anew through the second.
    fn interrupted_job(
        &mut self,
        job: &PlannedJob,
        replan: impl Fn(&mut Engine) -> Result<Box<PlannedJob>, Stop>,
    ) -> Result<(), Stop> {
        self.gate.reset(readers(&job.graph) > 1, looked_up(&job.graph));
        let handle = self.engine.start_job(job)?;
        if let Some(ended) = self.drive(job).run_first_half(&handle) {
            ended.into_result()?;
            return Ok(());
        }
        let directory = format!("memory://conformance-{}", self.number);
        let savepoint = handle.stop_with_savepoint(Some(&directory), false)?;
        wait(&handle)?.into_result()?;
        self.engine.session_mut().set_config(RECOVERY_PATH, &savepoint);
        if let Between::Rescale(parallelism) = self.between {
            self.engine.session_mut().set_config(PARALLELISM, &parallelism.to_string());
        }
        let restored = replan(self.engine)?;
        self.gate.reset(readers(&restored.graph) > 1, looked_up(&restored.graph));
        self.gate.open_next();
        let handle = self.engine.start_job(&restored)?;
        self.engine.session_mut().set_config(RECOVERY_PATH, "");
        self.drive(&restored).run_second_half(&handle)?.into_result()?;
        Ok(())
    }

    fn drive<'a>(&'a self, job: &'a PlannedJob) -> Drive<'a> {
        Drive { gate: &self.gate, graph: &job.graph, sinks: self.progress(), pause: self.program.expiry() }
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
        // Several subtasks may get the parts of a row in another order, and pass through other results.
        let final_rows = if matches!(self.between, Between::Rescale(_)) { sink.materialized() } else { None };
        let materialized = final_rows.is_some() || sink.is_materialized();
        let Some(expected) = final_rows.or_else(|| sink.consumed()) else { return Ok(()) };
        let table = self.table(sink)?;
        let (names, types) = consumed_columns(table);
        let key: Vec<usize> =
            names.iter().enumerate().filter(|(_, n)| table.primary_key.contains(n)).map(|(i, _)| i).collect();
        let any_order = self.program.sources().count() >= SOURCES_IN_ANY_ORDER;
        let (sink_name, key) = (sink.name.as_str(), key.as_slice());
        let expectation =
            Expectation { sink: sink_name, types: &types, key, expected: &expected, materialized, any_order };
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

/// Names and types of the values in a sink's rows: the physical columns, then the metadata that is written, in the
/// order in which the connector offers it.
fn consumed_columns(table: &Table) -> (Vec<String>, Vec<LogicalType>) {
    let physical = table.columns.iter().filter(|c| matches!(c.kind, ColumnKind::Physical));
    let is_written = |kind: &ColumnKind| matches!(kind, ColumnKind::Metadata { virtual_column: false, .. });
    let mut metadata: Vec<_> = table.columns.iter().filter(|c| is_written(&c.kind)).collect();
    let offered = table.options.get("writable-metadata").map_or("", String::as_str);
    let place = |column: &&Column| match &column.kind {
        ColumnKind::Metadata { key, .. } => offered.find(&format!("{key}:")),
        _ => None,
    };
    metadata.sort_by_key(place);
    physical.chain(metadata).map(|c| (c.name.clone(), c.ty.clone())).unzip()
}
