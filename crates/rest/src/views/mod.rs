//! From what is known of jobs to the documents that tell it. Pure.

pub(crate) mod checkpoints;
pub(crate) mod config;
pub(crate) mod job;
pub(crate) mod states;
pub(crate) mod stats;
pub(crate) mod task_manager;
pub(crate) mod vertex;
