//! The autoscaler: gives the vertices of a job the parallelism that their rows need. Off by default.
//!
//! ```text
//! counters ──load──> what each vertex did over the window ──demand──> what it would have to do ──decide──> parallelism
//! ```
//!
//! A vertex that is busy for the share `b` of its time with `r` rows a second could process `r / b`. What it would have
//! to process follows from the rows that its sources would read if nobody held them up. The quotient is its utilization;
//! its parallelism becomes the one at which that is [`Limits::target`]. This is the model of Flink's autoscaler
//! (FLIP-271), with its keys; unlike there, how far a source is behind is told by its event time, because not every source
//! knows how many rows wait.
//!
//! Invariants:
//! * A decision is a function of counters, never of earlier decisions: under a constant load whose capacity grows with the
//!   parallelism, the second decision is the first, so that nothing oscillates.
//! * Between two limits of the utilization nothing changes, and nothing at all within the stabilization interval.
//! * While a source is behind, and of a vertex that is always busy, nothing shrinks.
//!
//! It declares upper bounds and leaves the change to [`crate::rescale`], where the slots decide how much of it there is.
//! It adds no TaskManagers and moves no key groups: a vertex with one hot key stays slow.

mod decide;
mod demand;
mod limits;
mod load;
mod scaler;

pub(crate) use decide::Shape;
pub(crate) use load::Sample;
pub(crate) use scaler::Scaler;

#[cfg(test)]
mod tests;
