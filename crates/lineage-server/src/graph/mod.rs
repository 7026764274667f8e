//! Lineage: walking the graph of who reads and writes what, and telling it.

pub mod answer;
pub mod columns;
pub mod compat;
pub mod datasets;
pub mod edges;
pub mod export;
pub mod freshness;
pub mod hierarchy;
pub mod paths;
pub mod schemas;
pub mod symlinks;
pub mod walk;

/// Which way to walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To where data comes from.
    Upstream,
    /// To where it goes.
    Downstream,
    /// Each way on its own; siblings of what is upstream are not shown.
    Both,
}

impl Direction {
    /// The single ways.
    pub fn ways(self) -> &'static [Self] {
        match self {
            Self::Upstream => &[Self::Upstream],
            Self::Downstream => &[Self::Downstream],
            Self::Both => &[Self::Upstream, Self::Downstream],
        }
    }

    /// From its name in a request.
    pub fn read(name: &str) -> Self {
        match name {
            "UPSTREAM" => Self::Upstream,
            "DOWNSTREAM" => Self::Downstream,
            _ => Self::Both,
        }
    }
}

/// Whose inputs and outputs are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Those of jobs.
    Job,
    /// Those of runs, and of their jobs.
    Run,
    /// Those of operations, their runs and jobs.
    Operation,
}

/// A span of time in which an edge must hold.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// From, in microseconds since the epoch.
    pub since: i64,
    /// To, inclusive.
    pub until: i64,
    /// How long an edge holds on after its operation was last heard of, unless that ended.
    pub silence_us: i64,
}

/// Edges are kept by the hour of their operation.
const HOUR_US: i64 = 3600 * 1_000_000;

/// A time after everything.
pub const END_OF_TIME: i64 = i64::MAX / 4;

impl Window {
    /// All of time.
    pub fn unbounded(self) -> Self {
        Self { since: -END_OF_TIME, until: END_OF_TIME, ..self }
    }

    /// The last hour in which rows hold within the window, of a table with `row_from` and `row_to`.
    pub fn last_hour(&self, alias: &str) -> String {
        let until = self.until;
        format!(
            "MAX(CASE WHEN {alias}.row_to <= {until} THEN {alias}.row_to \
             ELSE {alias}.row_from + ({until} - {alias}.row_from) / {HOUR_US} * {HOUR_US} END)"
        )
    }

    /// The condition on rows of a table with `row_from`, `heard_to` and `is_open`.
    pub fn condition(&self, alias: &str) -> String {
        let Self { since, until, silence_us } = self;
        // Numbers of our own, not texts of somebody's. The bound of `heard_to` is one that an index can use.
        format!(
            "{alias}.row_from <= {until} AND {alias}.heard_to >= {} \
             AND ({alias}.is_open = 1 OR {alias}.heard_to >= {since})",
            since.saturating_sub(*silence_us)
        )
    }
}
