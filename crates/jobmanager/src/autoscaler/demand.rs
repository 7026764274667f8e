//! From what the vertices did to what they would have to do.

use super::load::{Lag, Load};

/// A source that waits for input for at least this share of the time has read all there is.
const WAITS: f64 = 0.05;
/// The least speed of event time that is believed: one partition without rows stops it.
const SPEED_MIN: f64 = 0.1;
/// The least share of busy time that is told from none.
const BUSY_MIN: f64 = 1e-3;

impl Load {
    /// Whether there are rows that the source has not read.
    pub(super) fn is_behind(&self) -> bool {
        self.is_source && self.idle < WAITS
    }

    /// The utilization at this demand, in rows a second: the share of what the vertex could process.
    pub(super) fn utilization_at(&self, demand: f64) -> f64 {
        if self.rows_in > 0.0 { self.busy * demand / self.rows_in } else { self.busy }
    }

    /// Rows a second that the source would have to read.
    fn source_demand(&self, catch_up_ms: f64) -> f64 {
        if !self.is_behind() {
            return self.rows_in;
        }
        match self.lag {
            // Event time that passes twice as fast as the clock was made by half as many rows a second.
            Some(Lag { behind_ms, speed }) => self.rows_in / speed.max(SPEED_MIN) * (1.0 + behind_ms / catch_up_ms),
            // How many rows wait is not known: as many as it could read if nobody held it up.
            None => self.rows_in / self.busy.max(BUSY_MIN),
        }
    }
}

/// Rows a second that each vertex would have to process, for all rows that are there for its sources. `edges` lead from
/// vertex to vertex and form no circle.
pub(super) fn demands(loads: &[Load], edges: &[(usize, usize)], catch_up_ms: i64) -> Vec<f64> {
    let own = |load: &Load| if load.is_source { load.source_demand(catch_up_ms as f64) } else { load.rows_in };
    let mut demands: Vec<f64> = loads.iter().map(own).collect();
    // Each round settles the vertices that are one edge further from the sources.
    for _ in 0..loads.len() {
        let before = demands.clone();
        for (vertex, load) in loads.iter().enumerate().filter(|(_, load)| !load.is_source) {
            demands[vertex] = load.rows_in * growth(vertex, loads, edges, &before);
        }
        if demands == before {
            break;
        }
    }
    demands
}

/// How many times the rows of today its inputs would send to a vertex.
fn growth(vertex: usize, loads: &[Load], edges: &[(usize, usize)], demands: &[f64]) -> f64 {
    let inputs = || edges.iter().filter(|(_, to)| *to == vertex).map(|(from, _)| *from);
    let today: f64 = inputs().map(|from| loads[from].rows_out).sum();
    if today <= 0.0 {
        return 1.0;
    }
    let wanted = |from: usize| {
        let load = &loads[from];
        if load.rows_in > 0.0 { load.rows_out * demands[from] / load.rows_in } else { load.rows_out }
    };
    inputs().map(wanted).sum::<f64>() / today
}
