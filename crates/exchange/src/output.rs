//! The producer's side of an edge: routing, coalescing and flushing.
//!
//! Rows wait in a coalescer per target until they make a batch of the target size, the buffer timeout
//! passes, a control element follows, or the consumer has run out of work while the producer pauses. So a
//! consumer that is behind gets large batches, and one that waits gets rows at once. A slice that is large
//! enough goes through uncopied.

use crate::coalesce::Coalescer;
use crate::{ChannelSender, Element, Waker};
use headwater_data::ChangeBatch;
use headwater_data::scatter::Scatter;
use headwater_types::Result;

/// How rows of an edge find their target. What `Partitioning` is to the plan, resolved for one subtask.
pub enum Route {
    /// The only target takes all (forward and global edges).
    Single,
    /// By key group.
    Hash(Box<Scatter>),
    /// Batches in turn, starting with this target.
    Rebalance(usize),
    /// Every row to every target.
    Broadcast,
}

/// Sizes and delays of an output.
#[derive(Debug, Clone, Copy)]
pub struct OutputOptions {
    /// Rows a sent batch should have.
    pub batch_rows: usize,
    /// Bytes after which a batch is sent with fewer rows.
    pub batch_bytes: usize,
    /// Milliseconds that rows may wait for more; 0 sends at once.
    pub buffer_timeout_ms: i64,
}

impl Default for OutputOptions {
    fn default() -> Self {
        Self { batch_rows: 4096, batch_bytes: 1 << 20, buffer_timeout_ms: 100 }
    }
}

/// One edge of a producer subtask.
pub struct Output {
    route: Route,
    targets: Vec<Box<dyn ChannelSender>>,
    /// One per target; for a broadcast, one for all.
    coalescers: Vec<Coalescer>,
    options: OutputOptions,
    /// When the oldest pending row must be sent.
    deadline_ms: Option<i64>,
    parts: Vec<(u32, ChangeBatch)>,
}

impl Output {
    /// An output over `targets`, which for [`Route::Single`] is one.
    pub fn new(route: Route, targets: Vec<Box<dyn ChannelSender>>, options: OutputOptions) -> Self {
        debug_assert!(!matches!(route, Route::Single) || targets.len() == 1, "a single route has one target");
        let coalescers = if matches!(route, Route::Broadcast) { 1 } else { targets.len() };
        let coalescer = |_| Coalescer::new(options.batch_rows, options.batch_bytes);
        Self {
            route,
            targets,
            coalescers: (0..coalescers).map(coalescer).collect(),
            options,
            deadline_ms: None,
            parts: vec![],
        }
    }

    /// Sets the waker of the producer on all channels.
    pub fn set_waker(&mut self, waker: &Waker) {
        self.targets.iter_mut().for_each(|t| t.set_waker(waker.clone()));
    }

    /// Whether all targets take more rows.
    pub fn has_room(&self) -> bool {
        self.targets.iter().all(|t| t.has_room())
    }

    /// Like [`Output::has_room`]; otherwise the waker is called when a target has room again.
    pub fn await_room(&self) -> bool {
        // Waiting for one full target at a time is enough: all of them must have room in the end.
        self.targets.iter().all(|t| t.await_room())
    }

    /// Whether no consumer needs more.
    pub fn is_closed(&self) -> bool {
        self.targets.iter().all(|t| t.is_closed())
    }

    /// Sends rows, or keeps them for a larger batch. `now_ms` is the wall clock.
    pub fn send(&mut self, batch: ChangeBatch, now_ms: i64) -> Result<()> {
        match &mut self.route {
            Route::Single => self.push(0, batch)?,
            Route::Broadcast => self.push_broadcast(batch)?,
            Route::Hash(scatter) => {
                let mut parts = std::mem::take(&mut self.parts);
                scatter.scatter(batch, &mut parts)?;
                for (target, part) in parts.drain(..) {
                    self.push(target as usize, part)?;
                }
                self.parts = parts;
            }
            Route::Rebalance(next) => {
                let target = *next;
                self.push(target, batch)?;
                self.advance_rebalance(target);
            }
        }
        self.after_send(now_ms)
    }

    /// Sends a control element to all targets, after the pending rows.
    pub fn send_control(&mut self, element: &Element) -> Result<()> {
        self.flush()?;
        self.targets.iter_mut().for_each(|t| t.send(element.clone()));
        Ok(())
    }

    /// Sends pending rows whose time has come.
    pub fn flush_due(&mut self, now_ms: i64) -> Result<()> {
        match self.deadline_ms {
            Some(deadline) if deadline <= now_ms => self.flush(),
            _ => Ok(()),
        }
    }

    /// Sends pending rows to consumers that have nothing left to do. The producer is about to pause; its waker
    /// is called when another consumer runs out of work.
    pub fn flush_starving(&mut self) -> Result<()> {
        for index in 0..self.coalescers.len() {
            if !self.coalescers[index].is_empty() && self.is_starving(index) {
                self.flush_one(index)?;
            }
        }
        if self.coalescers.iter().all(Coalescer::is_empty) {
            self.deadline_ms = None;
        }
        Ok(())
    }

    /// When [`Output::flush_due`] has something to do.
    pub fn deadline_ms(&self) -> Option<i64> {
        self.deadline_ms
    }

    /// Sends all pending rows.
    pub fn flush(&mut self) -> Result<()> {
        self.deadline_ms = None;
        (0..self.coalescers.len()).try_for_each(|index| self.flush_one(index))
    }

    fn flush_one(&mut self, index: usize) -> Result<()> {
        if let Some(batch) = self.coalescers[index].flush()? {
            self.deliver(index, batch);
        }
        Ok(())
    }

    /// Whether a consumer of this coalescer's rows has nothing left to do.
    fn is_starving(&self, index: usize) -> bool {
        match self.route {
            Route::Broadcast => self.targets.iter().any(|t| t.await_drained()),
            _ => self.targets[index].await_drained(),
        }
    }

    fn push(&mut self, target: usize, batch: ChangeBatch) -> Result<()> {
        let Self { coalescers, targets, .. } = self;
        coalescers[target].push(batch, |full| targets[target].send(Element::Batch(full)))
    }

    fn push_broadcast(&mut self, batch: ChangeBatch) -> Result<()> {
        let Self { coalescers, targets, .. } = self;
        coalescers[0].push(batch, |full| {
            targets.iter_mut().for_each(|t| t.send(Element::Batch(full.clone())));
        })
    }

    fn deliver(&mut self, index: usize, batch: ChangeBatch) {
        match self.route {
            Route::Broadcast => self.targets.iter_mut().for_each(|t| t.send(Element::Batch(batch.clone()))),
            _ => self.targets[index].send(Element::Batch(batch)),
        }
    }

    /// Moves on once the current target has a full batch.
    fn advance_rebalance(&mut self, target: usize) {
        if let Route::Rebalance(next) = &mut self.route
            && self.coalescers[target].is_empty()
        {
            *next = (target + 1) % self.targets.len();
        }
    }

    fn after_send(&mut self, now_ms: i64) -> Result<()> {
        if self.options.buffer_timeout_ms <= 0 {
            return self.flush();
        }
        if self.coalescers.iter().all(Coalescer::is_empty) {
            self.deadline_ms = None;
        } else if self.deadline_ms.is_none() {
            self.deadline_ms = Some(now_ms + self.options.buffer_timeout_ms);
        }
        Ok(())
    }
}
