//! Joins with a table as of the time of each left row.
//!
//! The right side is a [`Snapshot`] that the binder made of FOR SYSTEM_TIME AS OF; the optimiser may have put filters
//! above it, which are conditions of the join: the version is found first, and compared then. A version is that of a
//! primary key, so the join's keys are exactly that key and further equalities are conditions, too.

use super::super::Lowering;
use super::super::physical::Physical;
use super::super::relation::Relation;
use super::{JoinOutput, Pair, Sides, all_of, positions};
use crate::logical::Snapshot;
use datafusion_expr::logical_plan::Join;
use datafusion_expr::utils::split_conjunction;
use datafusion_expr::{Expr as DfExpr, LogicalPlan};
use headwater_plan::operators::{JoinKind, RankEnd, TemporalJoinSpec};
use headwater_plan::{Expr, OperatorSpec};
use headwater_types::{Error, Result, TimeAttribute};

/// The right side of a temporal join.
pub(super) struct Versioned<'a> {
    snapshot: &'a Snapshot,
    /// Conditions on the version.
    filters: Vec<&'a DfExpr>,
}

/// The versioned table on the right of a join, if there is one.
pub(super) fn versioned_side(join: &Join) -> Option<Versioned<'_>> {
    let mut filters = vec![];
    let mut plan = join.right.as_ref();
    loop {
        match plan {
            LogicalPlan::Filter(filter) => {
                filters.extend(split_conjunction(&filter.predicate));
                plan = &filter.input;
            }
            LogicalPlan::Extension(extension) => {
                let snapshot = extension.node.as_any().downcast_ref::<Snapshot>()?;
                return Some(Versioned { snapshot, filters });
            }
            _ => return None,
        }
    }
}

impl Lowering<'_> {
    pub(super) fn temporal_join(&mut self, join: &Join, table: Versioned<'_>) -> Result<Relation> {
        let left = self.plan(&join.left)?;
        let right = self.plan(&table.snapshot.input)?;
        let mut sides = self.sides(join, left, right)?;
        if !matches!(sides.kind, JoinKind::Inner | JoinKind::Left) {
            let message =
                "a join with a table FOR SYSTEM_TIME AS OF, or with a SNAPSHOT, must be an inner or a left join";
            return Err(Error::unsupported(message));
        }
        let load_until_ms = table.snapshot.load_until_ms;
        if load_until_ms.is_some() && self.emits_changes(&sides.left) {
            let message = "a SNAPSHOT can be joined with rows that are never updated only";
            return Err(Error::unsupported(message));
        }
        let filters = table.filters.iter().map(|f| self.join_condition(&sides.left, &sides.right, f));
        let filters = filters.collect::<Result<Vec<_>>>()?;
        sides.residual.extend(filters);
        let rowtimes = self.rowtimes(&sides, table.snapshot)?;
        let (keys, others) = match load_until_ms {
            Some(_) => sides.pairs.iter().copied().partition(|pair| !pair.null_safe),
            None => self.version_pairs(&sides, rowtimes.is_some())?,
        };
        let others = others.into_iter().map(|p| self.pair_condition(&sides, p));
        let conditions: Vec<Expr> = others.chain(sides.residual.iter().cloned()).collect();
        let (left_keys, right_keys) = positions(&keys);
        let spec = TemporalJoinSpec {
            kind: sides.kind,
            left_keys,
            right_keys,
            condition: all_of(conditions),
            rowtimes,
            load_until_ms,
            state_ttl_ms: 0,
        };
        let output = JoinOutput { emits_changes: self.emits_changes(&sides.left), keeps_time: [true, false] };
        Ok(self.add_join(&sides, &keys, output, OperatorSpec::TemporalJoin(spec)))
    }

    /// Positions of the times of both sides; `None` for processing time.
    fn rowtimes(&self, sides: &Sides, snapshot: &Snapshot) -> Result<Option<(usize, usize)>> {
        let Some(version) = snapshot.version.as_ref().filter(|_| !snapshot.proctime) else { return Ok(None) };
        let left = self.position_of(&sides.left, &snapshot.time)?;
        let right = self.position_of(&sides.right, version)?;
        let is_rowtime = |relation: &Relation, column: usize| {
            self.final_only(relation) || self.types(relation)[column].time_attribute() == TimeAttribute::Rowtime
        };
        if is_rowtime(&sides.left, left) && is_rowtime(&sides.right, right) {
            return Ok(Some((left, right)));
        }
        let message = "the times of a temporal join must be rowtime attributes: a regular join, an aggregation without \
                       a window or a computation on a time attribute makes a plain timestamp of it";
        Err(Error::user("not-a-time-attribute", message))
    }

    /// The equalities on the primary key of the versioned table, and the others.
    fn version_pairs(&self, sides: &Sides, event_time: bool) -> Result<(Vec<Pair>, Vec<Pair>)> {
        let what = if event_time { "Event-Time" } else { "Processing-Time" };
        let key = match sides.right.producers[..] {
            [producer] => primary_key(&self.physical, producer),
            _ => None,
        };
        let Some(key) = key else {
            let message = format!(
                "{what} Temporal Table Join requires both primary key and row time attribute in versioned table, but \
                 no primary key can be found"
            );
            return Err(Error::user("no-primary-key", message));
        };
        let is_key = |p: &Pair| !p.null_safe && key.contains(&p.right);
        let mut keys: Vec<Pair> = vec![];
        let mut others = vec![];
        for pair in &sides.pairs {
            match is_key(pair) && keys.iter().all(|k| k.right != pair.right) {
                true => keys.push(*pair),
                false => others.push(*pair),
            }
        }
        if keys.len() == key.len() {
            return Ok((keys, others));
        }
        let names = self.names(&sides.right);
        let names: Vec<_> = key.iter().map(|c| names[*c].as_str()).collect();
        let message = format!(
            "Temporal table's primary key [{}] must be included in the equivalence condition of temporal join",
            names.join(", ")
        );
        Err(Error::user("no-primary-key", message))
    }
}

/// The columns that identify the rows of an operator at any one time.
fn primary_key(physical: &Physical, id: usize) -> Option<Vec<usize>> {
    let node = physical.node(id);
    let input = || match node.inputs.first()?.producers[..] {
        [producer] => primary_key(physical, producer),
        _ => None,
    };
    match &node.spec {
        OperatorSpec::Source(source) => {
            let position = |key: &String| source.produced.iter().position(|c| c.name == *key);
            let key = &source.table.primary_key;
            if key.is_empty() { None } else { key.iter().map(position).collect() }
        }
        OperatorSpec::Calc(calc) => {
            let position = |column: &usize| {
                let is_column = |e: &Expr| matches!(e, Expr::Column { index, .. } if index == column);
                calc.projection.iter().position(is_column)
            };
            input()?.iter().map(position).collect()
        }
        OperatorSpec::WatermarkAssigner(_) | OperatorSpec::DropUpdateBefore(_) => input(),
        OperatorSpec::ChangelogNormalize(spec) => Some(spec.keys.clone()),
        OperatorSpec::Deduplicate(spec) => Some(spec.keys.clone()),
        OperatorSpec::Rank(spec) if spec.end == RankEnd::Constant(1) => Some(spec.keys.clone()),
        OperatorSpec::GroupAggregate(spec) => Some((0..spec.keys.len()).collect()),
        _ => None,
    }
}
