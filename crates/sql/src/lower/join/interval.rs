//! Joins of append-only inputs whose time attributes bound each other.
//!
//! A comparison of the times of both sides, each possibly moved by a constant interval, bounds `left.time - right.time`
//! from one side; a lower and an upper bound together let the join forget rows as time passes. Comparisons that are not
//! of this form stay conditions.

use super::super::Lowering;
use super::super::relation::Relation;
use super::{JoinOutput, Pair, Sides, all_of, positions};
use headwater_plan::operators::IntervalJoinSpec;
use headwater_plan::{Expr, OperatorSpec, Value};
use headwater_types::{LogicalType, Result, TimeAttribute, TypeRoot};

/// What the conditions say about the distance of the times.
pub(super) struct Bounds {
    left_time: usize,
    right_time: usize,
    lower_ms: i64,
    upper_ms: i64,
    proctime: bool,
    /// The other conditions.
    residual: Vec<Expr>,
}

/// `left.time - right.time` compared with a constant.
struct Term {
    left_time: usize,
    right_time: usize,
    lower_ms: Option<i64>,
    upper_ms: Option<i64>,
    proctime: bool,
}

/// A time attribute moved by a constant.
struct Moment {
    column: usize,
    attribute: TimeAttribute,
    /// Milliseconds.
    shift: i64,
}

impl Lowering<'_> {
    /// The bounds of an interval join; `None` where the conditions leave one side open, an input takes rows back, or
    /// the inputs end and are joined as a whole.
    pub(super) fn interval_bounds(&self, sides: &Sides) -> Option<Bounds> {
        let changes = self.emits_changes(&sides.left) || self.emits_changes(&sides.right);
        if changes || (self.final_only(&sides.left) && self.final_only(&sides.right)) {
            return None;
        }
        let width = self.types(&sides.left).len();
        let equal = sides.pairs.iter().filter(|p| !p.null_safe).map(|p| self.pair_condition(sides, *p));
        let of_pairs: Vec<Term> = equal.filter_map(|c| term(&c, width)).collect();
        let (mut terms, mut residual) = (vec![], vec![]);
        for condition in sides.residual.iter().flat_map(conjuncts) {
            match term(condition, width) {
                Some(term) => terms.push((term, condition)),
                None => residual.push(condition.clone()),
            }
        }
        let first = of_pairs.first().or(terms.first().map(|(t, _)| t))?;
        let (left_time, right_time, proctime) = (first.left_time, first.right_time, first.proctime);
        let same = |t: &Term| (t.left_time, t.right_time, t.proctime) == (left_time, right_time, proctime);
        residual.extend(terms.iter().filter(|(t, _)| !same(t)).map(|(_, c)| (*c).clone()));
        let bounding = || of_pairs.iter().chain(terms.iter().map(|(t, _)| t)).filter(|t| same(t));
        let lower_ms = bounding().filter_map(|t| t.lower_ms).max()?;
        let upper_ms = bounding().filter_map(|t| t.upper_ms).min()?;
        Some(Bounds { left_time, right_time, lower_ms, upper_ms, proctime, residual })
    }

    pub(super) fn interval_join(&mut self, sides: Sides, bounds: Bounds) -> Result<Relation> {
        let of_time = |p: &Pair| p.left == bounds.left_time && p.right == bounds.right_time;
        let mut conditions = vec![];
        let mut keys = vec![];
        for pair in &sides.pairs {
            match (bounds.proctime && of_time(pair), pair.null_safe) {
                (true, _) => {}
                (false, true) => conditions.push(self.pair_condition(&sides, *pair)),
                (false, false) => keys.push(*pair),
            }
        }
        conditions.extend(bounds.residual);
        let (left_keys, right_keys) = positions(&keys);
        let spec = IntervalJoinSpec {
            kind: sides.kind,
            left_keys,
            right_keys,
            condition: all_of(conditions),
            left_time: bounds.left_time,
            right_time: bounds.right_time,
            lower_ms: bounds.lower_ms,
            upper_ms: bounds.upper_ms,
            proctime: bounds.proctime,
        };
        let output = JoinOutput { emits_changes: false, keeps_time: [true, true] };
        Ok(self.add_join(&sides, &keys, output, OperatorSpec::IntervalJoin(spec)))
    }
}

/// The operands of a conjunction, or the condition alone.
fn conjuncts(condition: &Expr) -> Vec<&Expr> {
    match condition {
        Expr::And(operands) => operands.iter().flat_map(conjuncts).collect(),
        other => vec![other],
    }
}

/// A condition as a comparison of the times of both sides; the left input has `width` columns.
fn term(condition: &Expr, width: usize) -> Option<Term> {
    let Expr::Call { function, args, .. } = condition else { return None };
    let [a, b] = args.as_slice() else { return None };
    let (a, b) = (moment(a)?, moment(b)?);
    if a.attribute != b.attribute {
        return None;
    }
    // left.time - right.time op distance
    let (left, right, op) = match (a.column < width, b.column < width) {
        (true, false) => (a, b, function.as_str()),
        (false, true) => (b, a, mirrored(function)?),
        _ => return None,
    };
    let distance = right.shift.checked_sub(left.shift)?;
    let (lower_ms, upper_ms) = match op {
        "=" => (Some(distance), Some(distance)),
        ">=" => (Some(distance), None),
        ">" => (Some(distance.checked_add(1)?), None),
        "<=" => (None, Some(distance)),
        "<" => (None, Some(distance.checked_sub(1)?)),
        _ => return None,
    };
    let proctime = left.attribute == TimeAttribute::Proctime;
    Some(Term { left_time: left.column, right_time: right.column - width, lower_ms, upper_ms, proctime })
}

/// The comparison with its sides exchanged.
fn mirrored(op: &str) -> Option<&'static str> {
    match op {
        "=" => Some("="),
        ">=" => Some("<="),
        ">" => Some("<"),
        "<=" => Some(">="),
        "<" => Some(">"),
        _ => None,
    }
}

/// A time attribute plus or minus constant intervals.
fn moment(expr: &Expr) -> Option<Moment> {
    match expr {
        Expr::Column { index, ty } if ty.time_attribute() != TimeAttribute::None => {
            Some(Moment { column: *index, attribute: ty.time_attribute(), shift: 0 })
        }
        Expr::Cast { input, ty, .. } if is_wider(&input.ty(), ty) => moment(input),
        Expr::Call { function, args, .. } => {
            let [a, b] = args.as_slice() else { return None };
            match function.as_str() {
                "+" => shifted(moment(a), interval_ms(b)).or_else(|| shifted(moment(b), interval_ms(a))),
                "-" => shifted(moment(a), interval_ms(b).and_then(i64::checked_neg)),
                _ => None,
            }
        }
        _ => None,
    }
}

fn shifted(moment: Option<Moment>, by: Option<i64>) -> Option<Moment> {
    let moment = moment?;
    let shift = moment.shift.checked_add(by?)?;
    Some(Moment { shift, ..moment })
}

/// A constant interval of days to seconds.
fn interval_ms(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Literal { value: Value::Int(ms), ty } if ty.root == TypeRoot::IntervalDayTime => Some(*ms),
        _ => None,
    }
}

/// Whether a cast between these timestamps changes no value.
fn is_wider(from: &LogicalType, to: &LogicalType) -> bool {
    match (&from.root, &to.root) {
        (TypeRoot::Timestamp(a, _), TypeRoot::Timestamp(b, _))
        | (TypeRoot::TimestampLtz(a, _), TypeRoot::TimestampLtz(b, _)) => a <= b,
        _ => false,
    }
}
