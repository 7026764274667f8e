//! What the operators of a plan keep, for how long, and whether it is bounded.
//!
//! Made for EXPLAIN, for the warning about state that grows for ever, and for comparing a plan with a savepoint: state
//! is matched by the operator's uid, the table's name and the columns' names.

use super::super::physical::{Node, Physical};
use super::super::text::calls_text;
use headwater_plan::OperatorSpec;
use headwater_plan::operators::{
    AggregateCall, AggregatePhase, GroupAggregateSpec, JoinInputKey, JoinSpec, MatchRecognizeSpec, OverAggregateSpec,
    OverFrame, OverTime, RankEnd, RankSpec, RankStrategy, SinkMaterializeSpec, TemporalJoinSpec, WindowTime,
};
use headwater_types::LogicalType;
use headwater_types::TypeRoot;
use headwater_types::logical_type::LENGTH_MAX;
use std::collections::HashMap;

/// A named, typed column.
pub type StateColumn = (String, LogicalType);

/// A table of an operator's state.
#[derive(Debug, Clone, PartialEq)]
pub struct StateTable {
    /// Its name within the operator.
    pub name: String,
    /// What its entries are found by besides the operator's key; empty for one entry a key.
    pub map_key: Vec<StateColumn>,
    /// What an entry holds; BYTES stands for the accumulator of an aggregate.
    pub value: Vec<StateColumn>,
    /// How long an idle entry lives, milliseconds; 0 is for ever.
    pub ttl_ms: i64,
}

/// Whether state stops growing, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// It does.
    Bounded(String),
    /// It does not.
    Unbounded(String),
}

/// The state of an operator.
#[derive(Debug, Clone, PartialEq)]
pub struct OperatorStateDescription {
    /// The operator's stable name, by which state is matched on restore.
    pub uid: String,
    /// The operator, as plans show it.
    pub name: String,
    /// Key columns; empty for state of one key.
    pub key: Vec<StateColumn>,
    /// Its tables.
    pub tables: Vec<StateTable>,
    /// Whether it is bounded.
    pub bound: Bound,
}

impl OperatorStateDescription {
    /// The warning about state without a bound.
    pub fn warning(&self) -> Option<String> {
        let Bound::Unbounded(reason) = &self.bound else { return None };
        Some(format!(
            "the state of '{}' grows without bound: {reason}. Set 'table.exec.state.ttl' or a STATE_TTL hint to let idle \
             state expire, or bound it by a window or an interval of time",
            self.uid
        ))
    }
}

/// The places where an operator keeps the life of its state.
pub fn ttls(spec: &mut OperatorSpec) -> Vec<&mut i64> {
    match spec {
        OperatorSpec::GroupAggregate(spec) => vec![&mut spec.state_ttl_ms],
        OperatorSpec::Join(spec) => vec![&mut spec.left_ttl_ms, &mut spec.right_ttl_ms],
        OperatorSpec::Rank(spec) => vec![&mut spec.state_ttl_ms],
        OperatorSpec::Deduplicate(spec) => vec![&mut spec.state_ttl_ms],
        OperatorSpec::OverAggregate(spec) => vec![&mut spec.state_ttl_ms],
        OperatorSpec::ChangelogNormalize(spec) => vec![&mut spec.state_ttl_ms],
        OperatorSpec::SinkMaterialize(spec) => vec![&mut spec.state_ttl_ms],
        OperatorSpec::TemporalJoin(spec) => vec![&mut spec.state_ttl_ms],
        _ => vec![],
    }
}

/// The stateful operators of a plan.
pub fn describe(physical: &Physical, order: &[usize], uids: &HashMap<usize, String>) -> Vec<OperatorStateDescription> {
    let describe = |id: &usize| {
        let view = View { physical, node: physical.node(*id) };
        let Kept { key, tables, bound } = view.kept()?;
        let uid = uids.get(id).cloned().unwrap_or_default();
        Some(OperatorStateDescription { uid, name: super::super::text::describe(physical, *id), key, tables, bound })
    };
    order.iter().filter_map(describe).collect()
}

struct Kept {
    key: Vec<StateColumn>,
    tables: Vec<StateTable>,
    bound: Bound,
}

/// An operator with its inputs.
struct View<'a> {
    physical: &'a Physical,
    node: &'a Node,
}

impl View<'_> {
    fn input(&self, port: usize) -> &Node {
        self.physical.node(self.node.inputs[port].producers[0])
    }

    /// Columns of an input.
    fn columns(&self, port: usize, positions: &[usize]) -> Vec<StateColumn> {
        let input = self.input(port);
        positions.iter().map(|p| (input.names[*p].clone(), input.types[*p].clone())).collect()
    }

    /// The whole row of an input.
    fn row(&self, port: usize) -> Vec<StateColumn> {
        let input = self.input(port);
        input.names.iter().cloned().zip(input.types.iter().cloned()).collect()
    }

    fn bounded_input(&self) -> bool {
        self.node.inputs.iter().flat_map(|i| &i.producers).all(|p| self.physical.node(*p).bounded)
    }

    /// Why state that has an entry per `per` is bounded, if it is.
    fn bound(&self, ttl_ms: i64, per: &str) -> Bound {
        if self.bounded_input() {
            return Bound::Bounded("the input ends".to_owned());
        }
        match ttl_ms {
            0 => Bound::Unbounded(format!("it keeps {per} for ever")),
            ttl => Bound::Bounded(format!("{per}, until idle for {ttl} ms (TTL)")),
        }
    }

    fn kept(&self) -> Option<Kept> {
        Some(match &self.node.spec {
            OperatorSpec::GroupAggregate(spec) if spec.phase != AggregatePhase::Local => self.group_aggregate(spec),
            OperatorSpec::Join(spec) => self.join(spec),
            OperatorSpec::IntervalJoin(spec) => {
                let tables = vec![table("left-rows", &[], self.row(0), 0), table("right-rows", &[], self.row(1), 0)];
                let reason = "rows leave when the watermark passes the interval".to_owned();
                Kept { key: self.columns(0, &spec.left_keys), tables, bound: Bound::Bounded(reason) }
            }
            OperatorSpec::TemporalJoin(spec) => self.temporal_join(spec),
            OperatorSpec::Rank(spec) => self.rank(spec),
            OperatorSpec::Deduplicate(spec) => {
                let per = "one row per key";
                let stored = if spec.keep_last || spec.rowtime.is_some() { self.row(0) } else { vec![] };
                self.keyed(
                    &spec.keys,
                    table("rows", &[], stored, spec.state_ttl_ms),
                    self.bound(spec.state_ttl_ms, per),
                )
            }
            OperatorSpec::OverAggregate(spec) => self.over(spec),
            OperatorSpec::ChangelogNormalize(spec) => {
                let bound = self.bound(spec.state_ttl_ms, "the last row of every key");
                self.keyed(&spec.keys, table("rows", &[], self.row(0), spec.state_ttl_ms), bound)
            }
            OperatorSpec::SinkMaterialize(spec) => self.sink_materialize(spec),
            _ => return self.windowed(),
        })
    }

    /// Operators whose state time clears.
    fn windowed(&self) -> Option<Kept> {
        let window = || Bound::Bounded("state leaves when the watermark passes the end of its window".to_owned());
        Some(match &self.node.spec {
            OperatorSpec::WindowAggregate(spec) if spec.phase != AggregatePhase::Local => {
                let first = if spec.phase == AggregatePhase::Global { vec![] } else { self.row(0) };
                let names: Vec<String> = first.into_iter().map(|(name, _)| name).collect();
                let panes = StateTable {
                    map_key: vec![("window".to_owned(), bigint())],
                    ..table("accumulators", &[], accumulators(&spec.calls, &names), 0)
                };
                let bound = match &spec.window.time {
                    WindowTime::Proctime => Bound::Bounded("state leaves at the end of its window".to_owned()),
                    _ => window(),
                };
                self.keyed(&spec.keys, panes, bound)
            }
            OperatorSpec::WindowJoin(spec) => {
                let tables = vec![table("left", &[], self.row(0), 0), table("right", &[], self.row(1), 0)];
                Kept { key: self.columns(0, &spec.left_keys), tables, bound: window() }
            }
            OperatorSpec::MatchRecognize(spec) => self.match_recognize(spec),
            OperatorSpec::WindowRank(spec) => self.keyed(&spec.keys, table("rows", &[], self.row(0), 0), window()),
            OperatorSpec::TemporalSort(_) => {
                let reason = "rows leave when the watermark passes them".to_owned();
                self.keyed(&[], table("rows", &[], self.row(0), 0), Bound::Bounded(reason))
            }
            OperatorSpec::SortLimit(spec) => {
                let bound = Bound::Bounded(format!("the first {} rows", spec.fetch));
                self.keyed(&[], table("rows", &[], self.row(0), 0), bound)
            }
            OperatorSpec::Sort(_) => {
                self.keyed(&[], table("rows", &[], self.row(0), 0), Bound::Bounded("the input ends".to_owned()))
            }
            _ => return None,
        })
    }

    fn match_recognize(&self, spec: &MatchRecognizeSpec) -> Kept {
        let order = vec![("time".to_owned(), bigint()), ("number".to_owned(), bigint())];
        let mut tables = vec![table("rows", &order[1..], self.row(0), 0), table("matches", &[], vec![], 0)];
        if spec.rowtime.is_some() {
            tables.push(table("waiting", &order, self.row(0), 0));
        }
        let endless = spec.elements.iter().any(|element| element.max.is_none());
        let bound = match (endless, spec.within_ms) {
            (_, Some(ms)) => Bound::Bounded(format!("a match takes less than {ms} ms (WITHIN)")),
            (false, None) => Bound::Bounded("a match has a greatest number of rows".to_owned()),
            (true, None) => self.bound(0, "the rows of every match that goes on"),
        };
        Kept { key: self.columns(0, &spec.keys), tables, bound }
    }

    fn keyed(&self, keys: &[usize], table: StateTable, bound: Bound) -> Kept {
        Kept { key: self.columns(0, keys), tables: vec![table], bound }
    }

    fn group_aggregate(&self, spec: &GroupAggregateSpec) -> Kept {
        let names = &self.input(0).names;
        let ttl = spec.state_ttl_ms;
        let stored = match spec.phase {
            // The columns between the halves have the names of the accumulators.
            AggregatePhase::Global => {
                names[names.len() - spec.calls.len()..].iter().cloned().map(accumulator).collect()
            }
            _ => accumulators(&spec.calls, names),
        };
        let mut tables = vec![table("accumulators", &[], stored, ttl)];
        let merged = spec.phase == AggregatePhase::Global;
        for call in spec.calls.iter().filter(|call| call.distinct && !merged) {
            let args = self.columns(0, &call.args);
            let listed: Vec<_> = args.iter().map(|(name, _)| name.as_str()).collect();
            let name = format!("distinct {}", listed.join(", "));
            if tables.iter().all(|known| known.name != name) {
                tables.push(table(&name, &args, vec![("occurrences".to_owned(), bigint())], ttl));
            }
        }
        let has_distinct = tables.len() > 1;
        let bound = match (spec.keys.is_empty(), has_distinct) {
            (true, false) => Bound::Bounded("there is one group".to_owned()),
            (true, true) => self.bound(ttl, "every distinct value"),
            (false, false) => self.bound(ttl, "every group"),
            (false, true) => self.bound(ttl, "every group and its distinct values"),
        };
        Kept { key: self.columns(0, &spec.keys), tables, bound }
    }

    fn join(&self, spec: &JoinSpec) -> Kept {
        let side = |port: usize, name: &str, unique: &JoinInputKey, ttl: i64| match unique {
            JoinInputKey::JoinKeyUnique => table(name, &[], self.row(port), ttl),
            JoinInputKey::Unique(key) => table(name, &self.columns(port, key), self.row(port), ttl),
            JoinInputKey::None => table(name, &self.row(port), vec![("count".to_owned(), bigint())], ttl),
        };
        let tables = vec![
            side(0, "left-rows", &spec.left_unique, spec.left_ttl_ms),
            side(1, "right-rows", &spec.right_unique, spec.right_ttl_ms),
        ];
        let bound =
            match (self.bound(spec.left_ttl_ms, "every left row"), self.bound(spec.right_ttl_ms, "every right row")) {
                (Bound::Unbounded(left), Bound::Unbounded(_)) => {
                    Bound::Unbounded(left.replace("left row", "row of both sides"))
                }
                (unbounded @ Bound::Unbounded(_), _) | (_, unbounded) => unbounded,
            };
        Kept { key: self.columns(0, &spec.left_keys), tables, bound }
    }

    fn temporal_join(&self, spec: &TemporalJoinSpec) -> Kept {
        let versions = |ttl| table("versions", &[], self.row(1), ttl);
        let key = self.columns(0, &spec.left_keys);
        let ended = self.physical.node(self.node.inputs[1].producers[0]).bounded;
        if spec.load_until_ms.is_some() {
            let tables = vec![
                table("left-rows", &[], self.row(0), 0),
                table("right-rows", &self.row(1), vec![("count".to_owned(), bigint())], 0),
            ];
            let bound = match ended {
                true => Bound::Bounded("the table that is joined ends".to_owned()),
                false => self.bound(0, "every row of the table that is joined"),
            };
            return Kept { key, tables, bound };
        }
        match spec.rowtimes {
            Some(_) => {
                let tables = vec![table("left-rows", &[], self.row(0), spec.state_ttl_ms), versions(spec.state_ttl_ms)];
                let reason =
                    "rows and versions leave when the watermark passes them; the latest version of a key stays";
                Kept { key, tables, bound: Bound::Bounded(reason.to_owned()) }
            }
            None if ended => {
                let bound = Bound::Bounded("the versioned table ends".to_owned());
                Kept { key, tables: vec![versions(spec.state_ttl_ms)], bound }
            }
            None => {
                let bound = self.bound(spec.state_ttl_ms, "the latest version of every key");
                Kept { key, tables: vec![versions(spec.state_ttl_ms)], bound }
            }
        }
    }

    fn rank(&self, spec: &RankSpec) -> Kept {
        let ttl = spec.state_ttl_ms;
        let order: Vec<usize> = spec.order.iter().map(|key| key.column).collect();
        let map_key = match &spec.strategy {
            RankStrategy::Update(key) => self.columns(0, key),
            _ => self.columns(0, &order),
        };
        let kept = match (&spec.strategy, spec.end) {
            (RankStrategy::Retract, _) => "all rows".to_owned(),
            (_, RankEnd::Constant(end)) => format!("the first {end} rows"),
            (_, RankEnd::Column(column)) => format!("the first {} rows", self.input(0).names[column]),
        };
        let bound = match (spec.keys.is_empty(), &spec.strategy) {
            (true, RankStrategy::Append | RankStrategy::Update(_)) => Bound::Bounded(kept),
            (true, _) => self.bound(ttl, &kept),
            (false, _) => self.bound(ttl, &format!("{kept} of every key")),
        };
        self.keyed(&spec.keys, table("rows", &map_key, self.row(0), ttl), bound)
    }

    fn over(&self, spec: &OverAggregateSpec) -> Kept {
        let names = &self.input(0).names;
        let tables = vec![
            table("rows", &[], self.row(0), spec.state_ttl_ms),
            table("accumulators", &[], accumulators(&spec.calls, names), spec.state_ttl_ms),
        ];
        let bound = match (spec.time, spec.frame) {
            (OverTime::Rowtime(_) | OverTime::Proctime, OverFrame::Range(ms)) => {
                Bound::Bounded(format!("rows leave when they are {ms} ms old"))
            }
            (OverTime::Column, _) => self.bound(spec.state_ttl_ms, "every row"),
            (_, OverFrame::Rows(rows)) => {
                self.bound(spec.state_ttl_ms, &format!("the last {} rows of every key", rows + 1))
            }
            _ if spec.keys.is_empty() => Bound::Bounded("there is one key".to_owned()),
            _ => self.bound(spec.state_ttl_ms, "the accumulators of every key"),
        };
        Kept { key: self.columns(0, &spec.keys), tables, bound }
    }

    fn sink_materialize(&self, spec: &SinkMaterializeSpec) -> Kept {
        let map_key = spec.upsert_key.as_ref().map_or_else(|| self.row(0), |key| self.columns(0, key));
        let bound = self.bound(spec.state_ttl_ms, "every row of the sink");
        self.keyed(&spec.keys, table("rows", &map_key, self.row(0), spec.state_ttl_ms), bound)
    }
}

fn table(name: &str, map_key: &[StateColumn], value: Vec<StateColumn>, ttl_ms: i64) -> StateTable {
    StateTable { name: name.to_owned(), map_key: map_key.to_vec(), value, ttl_ms }
}

/// One column per call, named by its text.
fn accumulators(calls: &[AggregateCall], names: &[String]) -> Vec<StateColumn> {
    calls.iter().map(|call| accumulator(calls_text(std::slice::from_ref(call), names))).collect()
}

fn accumulator(name: String) -> StateColumn {
    (name, LogicalType::new(TypeRoot::VarBinary(LENGTH_MAX), false))
}

fn bigint() -> LogicalType {
    LogicalType::new(TypeRoot::BigInt, false)
}
