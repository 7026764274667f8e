//! Upsert keys: sets of columns whose values identify a row over its whole life, so that a later row with the same
//! values replaces it.
//!
//! A key of rows that change must also keep their order: after an exchange that does not hash by a part of the key,
//! the changes of one key may come from several subtasks, and the key is lost. Keys of inserts survive.

use super::super::physical::{Node, Physical};
use super::kinds::Kinds;
use headwater_functions::conditional::not_null::REQUIRE_NOT_NULL;
use headwater_plan::operators::{AggregatePhase, JoinKind, RankEnd, RankFunction, RankSpec, WindowProperty};
use headwater_plan::{Expr, OperatorSpec, Partitioning};
use headwater_types::{LogicalType, TypeRoot};

/// Positions of the columns, in order.
pub type Key = Vec<usize>;

/// More keys than this are not tracked.
const KEYS_MAX: usize = 16;

/// The upsert keys of every operator's output.
#[derive(Debug, Default)]
pub struct Keys {
    of: Vec<Vec<Key>>,
}

impl Keys {
    /// Derives the keys of the operators `order`, inputs first.
    pub fn derive(physical: &Physical, order: &[usize], kinds: &[Kinds]) -> Self {
        let mut keys = Self { of: vec![vec![]; physical.node_count()] };
        for id in order {
            let node = physical.node(*id);
            let mut derived = output_keys(physical, node, &keys, kinds);
            derived.sort_by_key(|key| (key.len(), key.clone()));
            derived.dedup();
            derived.truncate(KEYS_MAX);
            keys.of[*id] = derived;
        }
        keys
    }

    /// The keys of an operator, shortest first.
    pub fn of(&self, id: usize) -> &[Key] {
        &self.of[id]
    }

    /// The keys of an input before its exchange; none of a union.
    pub fn before_exchange(&self, node: &Node, port: usize) -> &[Key] {
        match node.inputs.get(port).map(|input| &input.producers[..]) {
            Some([producer]) => self.of(*producer),
            _ => &[],
        }
    }

    /// The keys of an input as its operator sees it.
    fn after_exchange(&self, node: &Node, port: usize, kinds: &[Kinds]) -> Vec<Key> {
        let keys = self.before_exchange(node, port);
        match (&node.inputs[port].partitioning, &node.inputs[port].producers[..]) {
            (Partitioning::Hash(columns), [producer]) if !kinds[*producer].is_append() => {
                keys.iter().filter(|key| columns.iter().all(|c| key.contains(c))).cloned().collect()
            }
            _ => keys.to_vec(),
        }
    }
}

fn output_keys(physical: &Physical, node: &Node, keys: &Keys, kinds: &[Kinds]) -> Vec<Key> {
    let input = || keys.after_exchange(node, 0, kinds);
    match &node.spec {
        OperatorSpec::Source(source) => {
            let position = |name: &String| source.produced.iter().position(|c| c.name == *name);
            let key: Option<Key> = source.table.primary_key.iter().map(position).collect();
            key.filter(|key| !key.is_empty()).map(sorted).into_iter().collect()
        }
        OperatorSpec::Calc(calc) => projected(&input(), &calc.projection),
        OperatorSpec::WatermarkAssigner(_)
        | OperatorSpec::DropUpdateBefore(_)
        | OperatorSpec::OverAggregate(_)
        | OperatorSpec::Sort(_)
        | OperatorSpec::TemporalSort(_)
        | OperatorSpec::Limit(_) => input(),
        OperatorSpec::SortLimit(spec) if spec.fetch == 1 => vec![vec![]],
        OperatorSpec::SortLimit(_) => input(),
        OperatorSpec::WindowTableFunction(_) => {
            let width = node.types.len();
            with_windows(&input(), width - 3..width - 1)
        }
        OperatorSpec::WindowRank(spec) => {
            let mut keys = input();
            let partition = [spec.keys.as_slice(), &[spec.window.0, spec.window.1]].concat();
            keys.extend(rank_keys(spec.function, (spec.start, spec.end), &partition, spec.with_rank, node));
            keys
        }
        OperatorSpec::WindowAggregate(spec) if spec.phase != AggregatePhase::Local => {
            let groups = spec.keys.len();
            let first = groups + spec.calls.len();
            let properties = spec.properties.iter().enumerate().filter(|(_, p)| **p != WindowProperty::Time);
            properties.map(|(i, _)| (0..groups).chain([first + i]).collect()).collect()
        }
        OperatorSpec::GroupAggregate(spec) if spec.phase != AggregatePhase::Local => {
            vec![(0..spec.keys.len()).collect()]
        }
        OperatorSpec::Rank(spec) => top_n(spec, input(), node),
        OperatorSpec::Deduplicate(spec) => vec![sorted(spec.keys.clone())],
        OperatorSpec::ChangelogNormalize(spec) => vec![sorted(spec.keys.clone())],
        OperatorSpec::SinkMaterialize(spec) => vec![sorted(spec.keys.clone())],
        OperatorSpec::Join(spec) => {
            let sides = Sides::of(physical, node, keys, kinds);
            sides.joined(spec.kind, &spec.left_keys, &spec.right_keys)
        }
        OperatorSpec::IntervalJoin(spec) => {
            let sides = Sides::of(physical, node, keys, kinds);
            sides.joined(spec.kind, &spec.left_keys, &spec.right_keys)
        }
        OperatorSpec::TemporalJoin(spec) if spec.load_until_ms.is_none() => input(),
        OperatorSpec::FromChangelog(spec) if spec.is_upsert() => vec![sorted(spec.keys.clone())],
        _ => vec![],
    }
}

/// Keys of rows to which every window adds its start and end.
fn with_windows(keys: &[Key], bounds: std::ops::Range<usize>) -> Vec<Key> {
    keys.iter().flat_map(|key| bounds.clone().map(|bound| key.iter().copied().chain([bound]).collect())).collect()
}

/// Keys of first rows. With its rank, a row that moves takes the place of another before its own place is taken: for a
/// moment its key is there twice. And one that falls out is only replaced by the next of its rank. So ranks are
/// the only key then.
fn top_n(spec: &RankSpec, input: Vec<Key>, node: &Node) -> Vec<Key> {
    let mut keys = if spec.with_rank { vec![] } else { input };
    if let RankEnd::Constant(end) = spec.end {
        keys.extend(rank_keys(spec.function, (spec.start, end), &spec.keys, spec.with_rank, node));
    } else if spec.with_rank && spec.function == RankFunction::RowNumber {
        keys.push(sorted([spec.keys.as_slice(), &[node.types.len() - 1]].concat()));
    }
    keys
}

/// One rank is one row of a partition, unless ties share it.
fn rank_keys(function: RankFunction, range: (u64, u64), partition: &[usize], with_rank: bool, node: &Node) -> Vec<Key> {
    let mut keys = vec![];
    if function != RankFunction::RowNumber {
        return keys;
    }
    if range.0 == range.1 {
        keys.push(sorted(partition.to_vec()));
    }
    if with_rank {
        keys.push(sorted([partition, &[node.types.len() - 1]].concat()));
    }
    keys
}

/// The inputs of a join.
struct Sides {
    left: Vec<Key>,
    right: Vec<Key>,
    left_width: usize,
}

impl Sides {
    fn of(physical: &Physical, node: &Node, keys: &Keys, kinds: &[Kinds]) -> Self {
        Self {
            left: keys.after_exchange(node, 0, kinds),
            right: keys.after_exchange(node, 1, kinds),
            left_width: physical.node(node.inputs[0].producers[0]).types.len(),
        }
    }

    /// A pair of keys identifies a pair of rows; where a row meets at most one other, its own key is enough.
    fn joined(&self, kind: JoinKind, left_on: &[usize], right_on: &[usize]) -> Vec<Key> {
        if matches!(kind, JoinKind::Semi | JoinKind::Anti) {
            return self.left.clone();
        }
        let shifted = |key: &Key| -> Key { key.iter().map(|c| c + self.left_width).collect() };
        let mut keys = vec![];
        let pads_left = matches!(kind, JoinKind::Right | JoinKind::Full);
        let pads_right = matches!(kind, JoinKind::Left | JoinKind::Full);
        if is_unique(&self.right, right_on) && !pads_left {
            keys.extend(self.left.iter().cloned());
        }
        if is_unique(&self.left, left_on) && !pads_right {
            keys.extend(self.right.iter().map(shifted));
        }
        for left in &self.left {
            keys.extend(self.right.iter().map(|right| [left.clone(), shifted(right)].concat()));
        }
        keys
    }
}

/// Whether equal values of the columns mean the same row.
pub fn is_unique(keys: &[Key], columns: &[usize]) -> bool {
    keys.iter().any(|key| key.iter().all(|c| columns.contains(c)))
}

/// Keys where the columns of a projection put them; a column that is projected twice gives two keys.
fn projected(keys: &[Key], projection: &[Expr]) -> Vec<Key> {
    let places = |column: &usize| -> Vec<usize> {
        let is_column = |(_, expr): &(usize, &Expr)| identity_column(expr) == Some(*column);
        projection.iter().enumerate().filter(is_column).map(|(at, _)| at).collect()
    };
    let mut found: Vec<Key> = vec![];
    for key in keys {
        let mut combined: Vec<Key> = vec![vec![]];
        for column in key {
            let places = places(column);
            let extend = |partial: &Key| -> Vec<Key> {
                places.iter().map(|place| partial.iter().copied().chain([*place]).collect()).collect()
            };
            combined = combined.iter().flat_map(extend).take(KEYS_MAX).collect();
        }
        found.extend(combined.into_iter().map(sorted));
    }
    found
}

/// The column whose different values give different values of the expression.
pub fn identity_column(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Column { index, .. } => Some(*index),
        Expr::Cast { input, ty, .. } if keeps_apart(&input.ty(), ty) => identity_column(input),
        Expr::Call { function, args, .. } if function == REQUIRE_NOT_NULL => identity_column(args.first()?),
        _ => None,
    }
}

/// Whether a cast gives different values different results.
fn keeps_apart(from: &LogicalType, to: &LogicalType) -> bool {
    let width = |root: &TypeRoot| match root {
        TypeRoot::TinyInt => Some(1),
        TypeRoot::SmallInt => Some(2),
        TypeRoot::Int => Some(3),
        TypeRoot::BigInt => Some(4),
        _ => None,
    };
    match (&from.root, &to.root) {
        (a, b) if a == b => true,
        (TypeRoot::Timestamp(a, _), TypeRoot::Timestamp(b, _)) => a <= b,
        (TypeRoot::TimestampLtz(a, _), TypeRoot::TimestampLtz(b, _)) => a <= b,
        (TypeRoot::Char(a) | TypeRoot::VarChar(a), TypeRoot::VarChar(b)) => a <= b,
        (a, TypeRoot::VarChar(length)) if width(a).is_some() => *length >= 20,
        (a, b) => matches!((width(a), width(b)), (Some(a), Some(b)) if a <= b),
    }
}

/// A key with its columns in order.
pub fn sorted(mut key: Key) -> Key {
    key.sort_unstable();
    key.dedup();
    key
}
