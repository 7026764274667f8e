//! Aggregation over windows that are cut into shared slices, or attached to the rows.
//!
//! A row is aggregated once, into the pane of its slice. A window fires when the watermark (or the wall
//! clock) has passed its last millisecond: its panes are merged and its groups emitted. A pane is dropped when
//! the last window that holds it has fired; rows that come later than that are late. Growing windows
//! (CUMULATE) keep one merged pane per window start instead of merging all slices again at every step.
//!
//! At a barrier a window that is being emitted is emitted to its end, so a checkpoint never holds half of one.

use super::properties::Properties;
use super::{layout, needed_columns};
use crate::aggregate::factory::{Rows, signs_of};
use crate::columns::schema_of;
use crate::mirror::Position;
use crate::output::Output;
use crate::pane::{Pane, PaneLayout};
use crate::pane_mirror::{PaneId, PaneMirror};
use crate::window::assign::{Assigned, SliceSource, assign};
use crate::window::runs::{DROPPED, Runs, arrange};
use crate::window::{Slices, WallClock};
use headwater_data::ChangeBatch;
use headwater_operator_api::{Collector, OpenContext, Operator, Progress};
use headwater_plan::OperatorNode;
use headwater_plan::operators::{AggregatePhase, WindowAggregateSpec, WindowShape, WindowTime};
use headwater_state::{Snapshot, StateContext};
use headwater_types::{Error, MIN_WATERMARK, Result};
use std::collections::{BTreeMap, BTreeSet};

/// A slice or window by its end and, for attached windows, its start (zero otherwise).
type WindowId = (i64, i64);

pub(super) struct SlicedAggregate {
    source: SliceSource,
    phase: AggregatePhase,
    /// Whether windows fire by the clock instead of the watermark.
    proctime: bool,
    /// How windows share slices; `None` for attached windows, which share nothing.
    slices: Option<Slices>,
    /// Where windows of the shape start; `None` for sessions.
    shape: Option<Slices>,
    clock: WallClock,
    layout: PaneLayout,
    keys: Vec<usize>,
    needed: Vec<bool>,
    properties: Properties,
    panes: BTreeMap<WindowId, Pane>,
    /// Merged slices of growing windows, by window start.
    grown: BTreeMap<i64, Pane>,
    /// Windows that fire next; others follow from them.
    pending: BTreeSet<WindowId>,
    firing: Option<Firing>,
    /// Watermark, or wall clock for processing time.
    progress: i64,
    context: Option<OpenContext>,
    output: Output,
    rows_seen: u64,
    groups: Vec<u32>,
    mirror: PaneMirror,
    position: Position,
}

/// A window being emitted.
struct Firing {
    window: WindowId,
    start: i64,
    groups: FiringGroups,
    next: usize,
}

enum FiringGroups {
    /// Groups of this window only.
    Own(Box<Pane>),
    /// The grown pane of the window's start.
    Grown,
}

impl SlicedAggregate {
    pub(super) fn new(spec: &WindowAggregateSpec, node: &OperatorNode, retract: bool) -> Result<Self> {
        let attached = matches!(spec.window.time, WindowTime::Attached { .. });
        let shape = match spec.window.shape {
            WindowShape::Session { .. } => None,
            shape => Some(Slices::new(shape, spec.window.offset_ms)?),
        };
        let source = match spec.phase {
            AggregatePhase::Global => SliceSource::SliceEnd(spec.keys.len()),
            _ => SliceSource::from(&spec.window.time),
        };
        let schema = schema_of(&node.output);
        Ok(Self {
            source,
            phase: spec.phase,
            proctime: spec.window.proctime,
            slices: shape.filter(|_| !attached),
            shape,
            clock: WallClock::new(spec.window.zone.as_deref())?,
            layout: layout(spec, node, retract)?,
            keys: spec.keys.clone(),
            needed: needed_columns(spec, node.inputs[0].len()),
            properties: Properties::new(&spec.properties, &schema),
            panes: BTreeMap::new(),
            grown: BTreeMap::new(),
            pending: BTreeSet::new(),
            firing: None,
            progress: MIN_WATERMARK,
            context: None,
            output: Output::new(schema),
            rows_seen: 0,
            groups: vec![],
            mirror: PaneMirror::new(spec, &node.inputs[0], retract)?,
            position: Position::default(),
        })
    }

    fn now_ms(&self) -> i64 {
        self.context.as_ref().map_or(0, |context| context.env.now_ms())
    }

    fn fired(&self, window_end: i64) -> bool {
        self.progress >= self.clock.timer_instant(window_end - 1)
    }

    /// The pane that takes rows of a slice; [`DROPPED`] when its last window has fired. Windows of processing time that
    /// come from an operator before fire as soon as their rows do, and again when more of them come.
    fn target(&self, slice_end: i64) -> i64 {
        if self.proctime || !self.fired(slice_end) {
            return slice_end;
        }
        let Some(slices) = &self.slices else { return DROPPED };
        if self.fired(slices.last_window_end(slice_end)) {
            return DROPPED;
        }
        // The fired slices of a growing window are merged already; the next unfired one takes the row.
        if slices.accumulates() { self.first_unfired(slice_end) } else { slice_end }
    }

    fn first_unfired(&self, window_end: i64) -> i64 {
        let mut end = window_end;
        while self.fired(end) {
            match self.slices.as_ref().and_then(|slices| slices.next_window_end(end)) {
                Some(next) => end = next,
                None => break,
            }
        }
        end
    }

    fn update(&mut self, runs: &Runs) -> Result<()> {
        let rows = runs.columns.first().map_or(0, |c| c.len());
        let key_columns: Vec<_> = self.keys.iter().map(|key| runs.columns[*key].clone()).collect();
        let keys = self.layout.reader.read(&key_columns, rows)?;
        for (window, range) in &runs.ranges {
            let first = self.first_unfired(window.0);
            self.pending.insert((first, window.1));
            let pane = match self.panes.entry(*window) {
                std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
                std::collections::btree_map::Entry::Vacant(entry) => entry.insert(self.layout.pane()?),
            };
            if self.phase == AggregatePhase::Global {
                let partials = &runs.columns[self.keys.len() + 1..];
                self.layout.merge_partials(pane, &keys, partials, range.clone(), &mut self.groups)?;
                continue;
            }
            let rows = Rows {
                columns: &runs.columns,
                range: range.clone(),
                signs: runs.signs.as_deref(),
                sequence: self.rows_seen,
            };
            self.layout.update(pane, &keys, &rows, &mut self.groups)?;
        }
        Ok(())
    }

    /// Starts the first window that is due; `false` when none is.
    fn start_next(&mut self) -> Result<bool> {
        let Some(window) = self.pending.first().copied().filter(|window| self.fired(window.0)) else {
            return Ok(false);
        };
        self.pending.remove(&window);
        let (start, groups) = match self.slices {
            None => (self.attached_start(window), self.take_pane(window).map(|pane| FiringGroups::Own(Box::new(pane)))),
            Some(slices) if slices.accumulates() => {
                let start = slices.window_start(window.0);
                self.grow(start, window)?;
                (start, Some(FiringGroups::Grown))
            }
            Some(slices) => (
                slices.window_start(window.0),
                self.merged(&slices, window)?.map(|pane| FiringGroups::Own(Box::new(pane))),
            ),
        };
        self.firing = groups.map(|groups| Firing { window, start, groups, next: 0 });
        Ok(true)
    }

    /// Takes a pane out, in memory and in state.
    fn take_pane(&mut self, id: WindowId) -> Option<Pane> {
        let mut pane = self.panes.remove(&id)?;
        self.mirror.forget(PaneId::Slice(id.0, id.1), &self.layout, &mut pane);
        Some(pane)
    }

    /// The start of an attached window. Partial aggregates bring only its end; the shape tells the rest.
    fn attached_start(&self, window: WindowId) -> i64 {
        match (self.phase, &self.shape) {
            (AggregatePhase::Global, Some(shape)) => shape.window_start(window.0),
            _ => window.1,
        }
    }

    /// Merges the slice that ends with the window into the pane of the window's start.
    fn grow(&mut self, start: i64, window: WindowId) -> Result<()> {
        let Some(slice) = self.take_pane(window) else { return Ok(()) };
        match self.grown.get_mut(&start) {
            Some(grown) => self.layout.merge(grown, &slice),
            None => {
                self.grown.insert(start, slice);
                Ok(())
            }
        }
    }

    /// Merges the panes of a window, drops those that no later window holds, and schedules the next.
    fn merged(&mut self, slices: &Slices, window: WindowId) -> Result<Option<Pane>> {
        let (start, end) = (slices.window_start(window.0), window.0);
        let holds = |from: i64, to: i64| (from.saturating_add(1), i64::MIN)..=(to, i64::MAX);
        let oldest = self.panes.range(holds(start, end)).next().map(|(id, _)| *id);
        let expired = oldest.filter(|(slice_end, _)| slices.last_window_end(*slice_end) <= end);
        let mut merged = expired.and_then(|id| self.take_pane(id));
        for (_, pane) in self.panes.range(holds(start, end)) {
            let into = match &mut merged {
                Some(merged) => merged,
                None => merged.insert(self.layout.pane()?),
            };
            self.layout.merge(into, pane)?;
        }
        if let Some(next) = slices.next_window_end(end)
            && self.panes.range(holds(slices.window_start(next), next)).next().is_some()
        {
            self.pending.insert((next, 0));
        }
        Ok(merged)
    }

    /// Emits the next chunk of the firing window; `false` when it is complete.
    fn emit_chunk(&mut self, out: &mut dyn Collector) -> Result<bool> {
        let Some(firing) = &mut self.firing else { return Ok(false) };
        let pane = match &firing.groups {
            FiringGroups::Own(pane) => Some(pane.as_ref()),
            FiringGroups::Grown => self.grown.get(&firing.start),
        };
        let groups = pane.map_or(0, Pane::groups);
        let range = firing.next..groups.min(firing.next + self.output.batch_rows());
        let (Some(pane), false) = (pane, range.is_empty()) else { return Ok(false) };
        firing.next = range.end;
        let (mut columns, rows) = self.layout.results(pane, range)?;
        let windows = std::iter::repeat_n((firing.start, firing.window.0), rows);
        self.properties.append(windows, &self.clock, &mut columns)?;
        self.output.push(columns, rows, out)?;
        Ok(firing.next < groups)
    }

    /// Forgets the window that was emitted.
    fn finish_firing(&mut self) {
        let Some(firing) = self.firing.take() else { return };
        let (FiringGroups::Grown, Some(slices)) = (&firing.groups, &self.slices) else { return };
        match slices.next_window_end(firing.window.0) {
            Some(next) => {
                self.pending.insert((next, 0));
            }
            None => {
                if let Some(mut grown) = self.grown.remove(&firing.start) {
                    self.mirror.forget(PaneId::Grown(firing.start), &self.layout, &mut grown);
                }
            }
        }
    }

    /// Takes over what a checkpoint held.
    fn restore(&mut self, state: &StateContext) -> Result<()> {
        (self.progress, self.rows_seen) = self.position.open(state)?;
        let shared = self.slices.as_ref().is_some_and(Slices::is_shared);
        if shared && self.position.is_uneven() && !self.proctime {
            return Err(refuse_uneven());
        }
        for (id, pane) in self.mirror.open(state, &self.layout)? {
            match (id, &self.slices) {
                (PaneId::Slice(end, start), _) => {
                    self.pending.insert((self.first_unfired(end), start));
                    self.panes.insert((end, start), pane);
                }
                (PaneId::Grown(start), Some(slices)) => {
                    self.pending.insert((self.first_unfired(slices.slice_end(start)), 0));
                    self.grown.insert(start, pane);
                }
                (PaneId::Grown(_), None) => return Err(Error::internal("attached windows do not grow")),
            }
        }
        Ok(())
    }

    fn fire(&mut self, progress: i64, out: &mut dyn Collector) -> Result<Progress> {
        self.progress = self.progress.max(progress);
        loop {
            while self.emit_chunk(out)? {
                if self.output.should_yield() {
                    return Ok(Progress::More);
                }
            }
            self.finish_firing();
            if self.output.should_yield() {
                return Ok(Progress::More);
            }
            if !self.start_next()? {
                self.output.flush(out)?;
                return Ok(Progress::Done);
            }
        }
    }
}

/// Panes are shared by windows. Of a pane it cannot be told which of them have fired for which of its keys.
fn refuse_uneven() -> Error {
    Error::user(
        "channel-state-mismatch",
        "the checkpoint was taken without alignment, when some instances of a window aggregation had fired windows that \
         others had not, so the windows cannot be spread over another number of instances: start at the old \
         parallelism, or from a savepoint",
    )
}

impl Operator for SlicedAggregate {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.output.set_batch_rows(context.batch_rows);
        self.context = Some(context.clone());
        self.restore(&context.state)
    }

    fn process(&mut self, _input: u8, batch: ChangeBatch, _out: &mut dyn Collector) -> Result<()> {
        let signs = signs_of(batch.kinds());
        if signs.is_some() && !self.layout.retract {
            return Err(Error::internal("a window aggregation planned for appended rows received a changelog"));
        }
        let now_ms = WallClock::arrival(self.now_ms(), self.progress);
        let Assigned { ends, starts } =
            assign(self.source, self.slices.as_ref(), &self.clock, now_ms, batch.rows(), &mut |slice_end| {
                self.target(slice_end)
            })?;
        let runs = arrange(batch.rows().columns(), &self.needed, signs, &ends, &starts)?;
        if let (Some(context), true) = (&self.context, runs.dropped > 0) {
            context.metrics.add_late(runs.dropped as u64);
        }
        self.update(&runs)?;
        self.rows_seen += batch.num_rows() as u64;
        Ok(())
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Collector) -> Result<Progress> {
        if self.proctime { Ok(Progress::Done) } else { self.fire(watermark, out) }
    }

    fn next_timer_ms(&self) -> Option<i64> {
        let first = self.pending.first().filter(|_| self.proctime)?;
        Some(self.clock.proctime_timer(first.0))
    }

    fn processing_time(&mut self, now_ms: i64, out: &mut dyn Collector) -> Result<Progress> {
        if self.proctime { self.fire(WallClock::over_by(now_ms), out) } else { Ok(Progress::Done) }
    }

    fn snapshot(&mut self, snapshot: &mut Snapshot, out: &mut dyn Collector) -> Result<()> {
        // A restore takes what is due by the stored progress for fired, so everything that is must be.
        while self.fire(self.progress, out)? == Progress::More {}
        self.output.flush(out)?;
        for (id, pane) in &mut self.panes {
            self.mirror.store(PaneId::Slice(id.0, id.1), &self.layout, pane)?;
        }
        for (start, pane) in &mut self.grown {
            self.mirror.store(PaneId::Grown(*start), &self.layout, pane)?;
        }
        self.mirror.snapshot(snapshot);
        self.position.snapshot(self.progress, self.rows_seen, snapshot);
        Ok(())
    }
}
