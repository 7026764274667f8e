//! Sources that wait between two halves of their rows.
//!
//! Programs that are written for a restore expect that the second half comes when the first has been processed
//! to the end: whether a row is late depends on it. And windows over processing time fire only while a job
//! runs. So the test source of a program stops after its first half, and before its end, until it is told to go
//! on. Where a program has several sources they go in step, row by row, each row when those before are processed:
//! whether a row is late depends on the watermarks of all inputs.
//!
//! A [`Gate`] is shared by all sources of a program. [`GatedValues`] replaces the `values` connector in the
//! runner's registry and hands everything but reading on to it.

use headwater_connector_api::{
    Boundedness, ChangelogMode, Connector, DatasetIdentity, MetadataColumn, OptionSpec, ReaderContext, ReaderPoll,
    Sink, Source, SourceReader, Split, SplitEnumerator,
};
use headwater_connectors::values::Values;
use headwater_env::Env;
use headwater_plan::{SinkSpec, SourceSpec, TableSpec};
use headwater_types::Result;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// Suffix of the `data-id` that holds the second half of a source's rows.
pub(crate) const SECOND_HALF: &str = "#after";
/// Length of a split of the values source.
const VALUES_SPLIT_BYTES: usize = 8;
/// How often a waiting source looks at its gate.
const POLL_MS: i64 = 1;

/// The gates of running programs with who passes first, by the `data-id` of their sources.
static GATES: LazyLock<Mutex<Gates>> = LazyLock::new(Mutex::default);

/// Gates, and whether the source is read before the others.
type Gates = HashMap<String, (Arc<Gate>, bool)>;

/// How far the sources of a program may go.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
}

#[derive(Debug, Default, Clone, Copy)]
struct State {
    /// How many rows of a half each reader may have emitted; all without a number.
    rows: Option<usize>,
    /// Halves that may be read beyond the first; the end counts as one.
    open: u32,
    /// Readers that wait at each barrier.
    waiting: [usize; 2],
    /// Readers that go first; the others emit nothing of a half before these have emitted theirs.
    first: usize,
    /// Readers among those that wait at each barrier.
    first_waiting: [usize; 2],
}

impl State {
    /// How many rows of a half may be emitted at its start.
    fn first_rows(&self) -> usize {
        usize::from(self.first == 0)
    }
}

impl Gate {
    /// Puts the gate of a source's rows in place. Those of a table that is looked up go first: what is looked up is
    /// all that is there.
    pub(crate) fn install(data_id: &str, gate: &Arc<Gate>, goes_first: bool) {
        let entry = (gate.clone(), goes_first);
        GATES.lock().unwrap_or_else(PoisonError::into_inner).insert(data_id.to_string(), entry);
    }

    /// Forgets a gate.
    pub(crate) fn remove(data_id: &str) {
        GATES.lock().unwrap_or_else(PoisonError::into_inner).remove(data_id);
    }

    fn of(data_id: &str) -> Option<(Arc<Gate>, bool)> {
        GATES.lock().unwrap_or_else(PoisonError::into_inner).get(data_id).cloned()
    }

    /// Closes the gate for another job, whose sources go in step or not.
    pub(crate) fn reset(&self, in_step: bool, first: usize) {
        let state = State { first, ..State::default() };
        *self.lock() = State { rows: in_step.then(|| state.first_rows()), ..state };
    }

    /// Lets sources that go in step emit another row.
    pub(crate) fn step(&self) {
        let mut state = self.lock();
        let half = state.open.min(1) as usize;
        let may_step = state.first_waiting[half] >= state.first;
        if let (Some(rows), true) = (&mut state.rows, may_step) {
            *rows += 1;
        }
    }

    /// Lets sources pass the next barrier.
    pub(crate) fn open_next(&self) {
        let mut state = self.lock();
        state.open += 1;
        state.rows = state.rows.map(|_| state.first_rows());
    }

    fn is_in_step(&self) -> bool {
        self.lock().rows.is_some()
    }

    fn may_emit(&self, emitted: usize) -> bool {
        self.lock().rows.is_none_or(|rows| emitted < rows)
    }

    /// How many readers wait at a barrier.
    pub(crate) fn waiting(&self, barrier: usize) -> usize {
        self.lock().waiting[barrier]
    }

    fn arrive(&self, barrier: usize, goes_first: bool) {
        let mut state = self.lock();
        state.waiting[barrier] += 1;
        state.first_waiting[barrier] += usize::from(goes_first);
    }

    fn may_pass(&self, barrier: usize) -> bool {
        self.lock().open as usize > barrier
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The `values` connector with gates.
pub(crate) struct GatedValues;

impl Connector for GatedValues {
    fn name(&self) -> &'static str {
        Values.name()
    }

    fn options(&self, table: &TableSpec) -> Vec<OptionSpec> {
        Values.options(table)
    }

    fn dataset(&self, table: &TableSpec) -> Result<DatasetIdentity> {
        Values.dataset(table)
    }

    fn metadata(&self, table: &TableSpec) -> Vec<MetadataColumn> {
        Values.metadata(table)
    }

    fn supports_partitions(&self) -> bool {
        Values.supports_partitions()
    }

    fn supports_overwrite(&self) -> bool {
        Values.supports_overwrite()
    }

    fn source_mode(&self, table: &TableSpec) -> Result<ChangelogMode> {
        Values.source_mode(table)
    }

    fn sink_mode(&self, table: &TableSpec) -> Result<ChangelogMode> {
        Values.sink_mode(table)
    }

    fn source(&self, scan: &SourceSpec) -> Result<Option<Box<dyn Source>>> {
        let Some(first) = Values.source(scan)? else { return Ok(None) };
        let data_id = scan.table.options.get("data-id").cloned().unwrap_or_default();
        let Some((gate, goes_first)) = Gate::of(&data_id) else { return Ok(Some(first)) };
        let mut second = scan.clone();
        second.table.options.insert("data-id".to_string(), format!("{data_id}{SECOND_HALF}"));
        let second = Values.source(&second)?;
        Ok(second.map(|second| Box::new(GatedSource { gate, goes_first, halves: [first, second] }) as Box<dyn Source>))
    }

    fn sink(&self, write: &SinkSpec) -> Result<Option<Box<dyn Sink>>> {
        Values.sink(write)
    }
}

struct GatedSource {
    gate: Arc<Gate>,
    goes_first: bool,
    halves: [Box<dyn Source>; 2],
}

impl Source for GatedSource {
    fn boundedness(&self) -> Boundedness {
        Boundedness::Bounded
    }

    fn enumerator(&self, env: &Env) -> Result<Box<dyn SplitEnumerator>> {
        self.halves[0].enumerator(env)
    }

    fn restore_enumerator(&self, env: &Env, state: &[u8]) -> Result<Box<dyn SplitEnumerator>> {
        self.halves[0].restore_enumerator(env, state)
    }

    fn reader(&self, mut context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        let env = context.env.clone();
        if self.gate.is_in_step() {
            context.batch_rows = 1;
        }
        let [first, second] = &self.halves;
        let halves = [first.reader(context.clone())?, second.reader(context)?];
        let (gate, goes_first) = (self.gate.clone(), self.goes_first);
        Ok(Box::new(GatedReader { gate, goes_first, halves, env, at: Position::Start, emitted: 0 }))
    }
}

/// Where a reader is. Only the reader that was given the split leaves the start.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    Start,
    Half(usize),
    Barrier(usize),
    End,
}

struct GatedReader {
    gate: Arc<Gate>,
    goes_first: bool,
    halves: [Box<dyn SourceReader>; 2],
    env: Env,
    at: Position,
    /// Batches of the current half.
    emitted: usize,
}

impl GatedReader {
    fn wait(&self) -> ReaderPoll {
        ReaderPoll::Pending(Some(self.env.now_ms() + POLL_MS))
    }
}

impl SourceReader for GatedReader {
    /// A split of the enumerator is one of the values source; one of a snapshot names the position in front.
    fn add_split(&mut self, split: Split) -> Result<()> {
        let start = || Split(vec![0; VALUES_SPLIT_BYTES]);
        let Some((tag, inner)) = split.0.split_first().filter(|_| split.0.len() != VALUES_SPLIT_BYTES) else {
            self.at = Position::Half(0);
            return self.halves.iter_mut().try_for_each(|half| half.add_split(split.clone()));
        };
        self.at = match tag {
            0 | 1 => Position::Half(usize::from(*tag)),
            2 | 3 => Position::Barrier(usize::from(*tag - 2)),
            _ => Position::End,
        };
        if let Position::Half(half) = self.at
            && !inner.is_empty()
        {
            self.halves[half].add_split(Split(inner.to_vec()))?;
        }
        // What comes after the position is read from its start.
        match self.at {
            Position::Half(0) | Position::Barrier(0) => self.halves[1].add_split(start()),
            _ => Ok(()),
        }
    }

    fn snapshot(&mut self) -> Result<Vec<Split>> {
        let (tag, inner) = match self.at {
            Position::Start | Position::End => return Ok(vec![]),
            Position::Half(half) => (half as u8, self.halves[half].snapshot()?.pop().unwrap_or(Split(vec![])).0),
            Position::Barrier(barrier) => (2 + barrier as u8, vec![]),
        };
        Ok(vec![Split([vec![tag], inner].concat())])
    }

    fn poll(&mut self) -> Result<ReaderPoll> {
        loop {
            match self.at {
                Position::Start | Position::End => return Ok(ReaderPoll::NeedSplit),
                Position::Half(_) if !self.goes_first && !self.gate.may_emit(self.emitted) => return Ok(self.wait()),
                Position::Half(half) => match self.halves[half].poll()? {
                    ReaderPoll::NeedSplit | ReaderPoll::Finished => {
                        self.gate.arrive(half, self.goes_first);
                        self.at = Position::Barrier(half);
                    }
                    other => {
                        self.emitted += 1;
                        return Ok(other);
                    }
                },
                Position::Barrier(barrier) if !self.gate.may_pass(barrier) => return Ok(self.wait()),
                Position::Barrier(0) => {
                    self.emitted = 0;
                    self.at = Position::Half(1);
                }
                Position::Barrier(_) => self.at = Position::End,
            }
        }
    }
}
