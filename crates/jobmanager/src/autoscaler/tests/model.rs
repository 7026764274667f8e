//! A model of a job: rows arrive at a rate, and each subtask can process so many.

use headwater_plan::{JobGraph, Partitioning};
use headwater_runtime::OperatorSnapshot;
use headwater_runtime::TaskSnapshot;
use headwater_runtime::testing::{GraphBuilder, operator, sink, source};
use headwater_types::ids::{SubtaskId, VertexId};

/// source -> middle -> sink.
pub fn graph(parallelism: u32) -> JobGraph {
    let mut graph = GraphBuilder::new();
    let source = graph.vertex(parallelism, vec![source(&[("rows", "-2")])]);
    let middle = graph.vertex(parallelism, vec![operator("pass")]);
    let sink = graph.vertex(parallelism, vec![sink(&[])]);
    graph.edge(source, middle, Partitioning::Hash(vec![1]));
    graph.edge(middle, sink, Partitioning::Rebalance);
    graph.build()
}

/// How the rows of a job fare.
pub struct Model {
    /// Rows that arrive in a second.
    pub rate: f64,
    /// Rows that a subtask of each vertex can process in a second.
    pub capacity: [f64; 3],
    /// Whether the rows have event time.
    pub has_time: bool,
    parallelism: [u32; 3],
    now_ms: i64,
    /// Rows that arrived and were not read.
    backlog: f64,
    rows: f64,
    watermark: f64,
    busy_ms: [f64; 3],
    idle_ms: [f64; 3],
}

impl Model {
    pub fn new(rate: f64, capacity: [f64; 3], parallelism: [u32; 3], has_time: bool) -> Self {
        let [busy_ms, idle_ms] = [[0.0; 3]; 2];
        Self {
            rate,
            capacity,
            has_time,
            parallelism,
            now_ms: 0,
            backlog: 0.0,
            rows: 0.0,
            watermark: 0.0,
            busy_ms,
            idle_ms,
        }
    }

    pub fn parallelism(&self) -> [u32; 3] {
        self.parallelism
    }

    /// The share of its capacity that each vertex needs.
    pub fn utilization(&self) -> [f64; 3] {
        std::array::from_fn(|at| self.rate / (self.capacity[at] * f64::from(self.parallelism[at])))
    }

    /// All tasks are deployed anew: their counters begin at zero.
    pub fn deploy(&mut self, parallelism: [u32; 3]) {
        self.parallelism = parallelism;
        (self.rows, self.busy_ms, self.idle_ms) = (0.0, [0.0; 3], [0.0; 3]);
    }

    /// Lets time pass until `now_ms`, with `noise` as a factor of the rows that arrive.
    pub fn pass(&mut self, now_ms: i64, noise: f64) {
        let elapsed_s = (now_ms - self.now_ms) as f64 / 1e3;
        self.now_ms = now_ms;
        let most = (0..3).map(|at| self.capacity[at] * f64::from(self.parallelism[at])).fold(f64::MAX, f64::min);
        self.backlog += self.rate * noise * elapsed_s;
        let read = self.backlog.min(most * elapsed_s);
        self.backlog -= read;
        self.rows += read;
        // Rows that wait are as old as it took them to arrive.
        self.watermark = now_ms as f64 - self.backlog / self.rate.max(1e-9) * 1e3;
        for at in 0..3 {
            let busy_ms = read / (self.capacity[at] * f64::from(self.parallelism[at])) * 1e3;
            self.busy_ms[at] += busy_ms;
            let waits = at > 0 || self.backlog < 1e-6;
            self.idle_ms[at] += if waits { elapsed_s * 1e3 - busy_ms } else { 0.0 };
        }
    }

    /// The counters of all subtasks.
    pub fn counters(&self) -> Vec<OperatorSnapshot> {
        let of = |vertex: usize| (0..self.parallelism[vertex]).map(move |index| self.counter(vertex, index));
        (0..3).flat_map(of).collect()
    }

    fn counter(&self, vertex: usize, index: u32) -> OperatorSnapshot {
        let rows = (self.rows / f64::from(self.parallelism[vertex])) as u64;
        let times = TaskSnapshot {
            busy_ms: self.busy_ms[vertex] as u64,
            idle_ms: self.idle_ms[vertex] as u64,
            ..TaskSnapshot::default()
        };
        OperatorSnapshot {
            subtask: SubtaskId { vertex: VertexId(vertex as u32), index },
            position: 0,
            uid: vertex.to_string(),
            name: vertex.to_string(),
            rows_in: if vertex > 0 { rows } else { 0 },
            rows_out: if vertex < 2 { rows } else { 0 },
            late_rows_dropped: 0,
            bad_records: 0,
            bytes: 0,
            watermark: if self.has_time { self.watermark as i64 } else { i64::MIN },
            task: Some(times),
        }
    }
}
