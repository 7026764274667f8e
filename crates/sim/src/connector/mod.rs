//! The connector of simulated jobs: a source whose rows are a function of their position, and a transactional sink
//! into the simulated store.

mod rows;
mod sink;
mod source;

pub(crate) use sink::OUTPUT;

use crate::process::{Life, lock};
use crate::storage::ObjectStore;
use headwater_connector_api::{ChangelogMode, Connector, DatasetIdentity, OptionSpec, Options, Registry, Sink, Source};
use headwater_exchange::Waker;
use headwater_plan::{SinkSpec, SourceSpec, TableSpec};
use headwater_types::{Error, Result};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

/// Name of the connector.
pub(crate) const NAME: &str = "simulated";

const OPTIONS: &[OptionSpec] = &[
    OptionSpec::with_default("rows", "100", "Rows of the source."),
    OptionSpec::with_default("splits", "4", "Splits of the source."),
    OptionSpec::with_default("keys", "7", "Different values of k."),
    OptionSpec::with_default("salt", "0", "Tells sources apart."),
    OptionSpec::with_default("batch", "8", "Rows of a batch."),
    OptionSpec::with_default("pause-ms", "0", "Milliseconds between batches."),
    OptionSpec::with_default("mode", "retract", "Row kinds that the sink takes: append, upsert or retract."),
    OptionSpec::with_default("staged", "false", "Whether rows are staged in the store before the commit."),
    OptionSpec::with_default("keeps", "false", "Whether the writer keeps its newest row for its state."),
    OptionSpec::with_default("every", "1", "A writer is ready for one batch in so many questions."),
];

/// Faults of connectors and operators, and what went wrong beyond repair.
#[derive(Default)]
pub(crate) struct Troubles {
    /// Calls until a reader fails; negative means never. Likewise below.
    pub(crate) read: Countdown,
    pub(crate) write: Countdown,
    pub(crate) build: Countdown,
    pub(crate) commit: Countdown,
    /// Writers that wait for the sink to open; `None` while it is open.
    closed: Mutex<Option<Vec<Waker>>>,
    /// What must never happen and did.
    violations: Mutex<Vec<String>>,
}

/// A failure that happens once, some calls from now.
pub(crate) struct Countdown(AtomicI64);

impl Default for Countdown {
    fn default() -> Self {
        Self(AtomicI64::new(-1))
    }
}

impl Countdown {
    /// Lets a later call fail.
    pub(crate) fn set(&self, calls: u32) {
        self.0.store(i64::from(calls), Ordering::SeqCst);
    }

    /// Nothing fails any more.
    pub(crate) fn clear(&self) {
        self.0.store(-1, Ordering::SeqCst);
    }

    /// A call, which may be the one that fails.
    pub(crate) fn call(&self, what: &str) -> Result<()> {
        let left = self.0.load(Ordering::SeqCst);
        if left >= 0 {
            self.0.store(left - 1, Ordering::SeqCst);
        }
        if left == 0 { Err(Error::retryable("simulated-failure", format!("{what} failed"))) } else { Ok(()) }
    }
}

impl Troubles {
    /// No writer is ready until the sink is opened.
    pub(crate) fn close_sink(&self) {
        lock(&self.closed).get_or_insert_default();
    }

    /// Lets writers write again.
    pub(crate) fn open_sink(&self) {
        let wakers = lock(&self.closed).take().unwrap_or_default();
        wakers.iter().for_each(|wake| wake());
    }

    fn await_open(&self, waker: &Waker) -> bool {
        let mut closed = lock(&self.closed);
        if let Some(wakers) = &mut *closed {
            wakers.push(waker.clone());
        }
        closed.is_none()
    }

    /// Something happened that no fault excuses.
    pub(crate) fn violation(&self, what: String) {
        lock(&self.violations).push(what);
    }

    /// What should never have happened.
    pub(crate) fn violations(&self) -> Vec<String> {
        lock(&self.violations).clone()
    }

    /// Nothing fails any more.
    pub(crate) fn end(&self) {
        [&self.read, &self.write, &self.build, &self.commit].into_iter().for_each(Countdown::clear);
        self.open_sink();
    }
}

/// The connector as one process has it.
struct Simulated {
    store: Arc<ObjectStore>,
    life: Arc<Life>,
    troubles: Arc<Troubles>,
}

/// A registry with the connector, for one process.
pub(crate) fn registry(store: &Arc<ObjectStore>, life: &Arc<Life>, troubles: &Arc<Troubles>) -> Registry {
    let mut registry = Registry::new();
    let (store, life, troubles) = (store.clone(), life.clone(), troubles.clone());
    registry.register(Arc::new(Simulated { store, life, troubles }));
    registry
}

impl Connector for Simulated {
    fn name(&self) -> &'static str {
        NAME
    }

    fn options(&self, _table: &TableSpec) -> Vec<OptionSpec> {
        OPTIONS.to_vec()
    }

    fn dataset(&self, table: &TableSpec) -> Result<DatasetIdentity> {
        Ok(DatasetIdentity { namespace: NAME.to_owned(), name: table.path[2].clone(), schema: vec![] })
    }

    fn sink_mode(&self, table: &TableSpec) -> Result<ChangelogMode> {
        let choices =
            [("append", ChangelogMode::Append), ("upsert", ChangelogMode::Upsert), ("retract", ChangelogMode::Retract)];
        Options(&table.options).choice("mode", ChangelogMode::Retract, &choices)
    }

    fn source(&self, scan: &SourceSpec) -> Result<Option<Box<dyn Source>>> {
        Ok(Some(Box::new(source::Positions::new(scan, self.troubles.clone())?)))
    }

    fn sink(&self, write: &SinkSpec) -> Result<Option<Box<dyn Sink>>> {
        let (store, life, troubles) = (self.store.clone(), self.life.clone(), self.troubles.clone());
        Ok(Some(Box::new(sink::Transactional::new(&write.table, store, life, troubles)?)))
    }
}
