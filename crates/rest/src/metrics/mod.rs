//! Metrics with Flink's names and scopes, made from counters when somebody asks.

mod aggregate;
mod names;
mod prometheus;
mod rates;

pub(crate) use aggregate::{Measures, aggregate};
pub(crate) use names::{job, job_manager, operators, subtask, task, task_manager};
pub(crate) use prometheus::Page;
pub(crate) use rates::{Rate, Rates};

/// A metric's id and its value as text.
pub(crate) type Value = (String, String);
