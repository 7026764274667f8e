//! Comparing columns.

use super::nested::equality;
use crate::Operand;
use crate::cast::{CastFn, array_cast};
use crate::decimal::wide_power;
use crate::kernel::{arrow_error, boolean2, downcast, merged_nulls, operand_nulls};
use arrow::array::{ArrayRef, BooleanArray, Decimal128Array, Float32Array, Float64Array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::kernels::cmp;
use arrow::datatypes::i256;
use chrono_tz::Tz;
use headwater_types::{LogicalType, Result, TypeRoot};
use std::cmp::Ordering;

/// How two values may relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Relation {
    fn holds(self, order: Option<Ordering>) -> bool {
        match self {
            Self::Equal => order == Some(Ordering::Equal),
            Self::NotEqual => order != Some(Ordering::Equal),
            Self::Less => order == Some(Ordering::Less),
            Self::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Self::Greater => order == Some(Ordering::Greater),
            Self::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        }
    }
}

/// A comparison of two columns of given types.
pub(crate) struct Comparer {
    relation: Relation,
    method: Method,
    /// Casts of the operands before they are compared.
    casts: [Option<CastFn>; 2],
}

/// How values are compared.
enum Method {
    /// By Arrow's vectorised kernels.
    Arrow,
    /// As IEEE 754 has it, which Arrow's total order is not.
    Float,
    Double,
    /// Decimals that no common type holds: powers of ten that bring both to one scale.
    Wide(i256, i256),
    /// Part by part; equality only.
    Nested,
}

impl Comparer {
    /// The comparison of values whose types are those that binding answered.
    pub(crate) fn new(relation: Relation, left: &LogicalType, right: &LogicalType, zone: Tz) -> Result<Self> {
        use TypeRoot as T;
        let mut casts = [None, None];
        // A text that does not read as a point in time is unknown, not an error.
        if left.is_character() && right.is_temporal() {
            casts[0] = Some(array_cast(left, right, true, zone)?);
        } else if right.is_character() && left.is_temporal() {
            casts[1] = Some(array_cast(right, left, true, zone)?);
        }
        let method = match (&left.root, &right.root) {
            (T::Float, _) => Method::Float,
            (T::Double, _) => Method::Double,
            (T::Decimal(_, l), T::Decimal(_, r)) if !left.same_root(right) => {
                let scale = l.max(r);
                Method::Wide(wide_power(u32::from(scale - l)), wide_power(u32::from(scale - r)))
            }
            (T::Array(_) | T::Map(..) | T::Multiset(_) | T::Row(_), _) => Method::Nested,
            _ => Method::Arrow,
        };
        Ok(Self { relation, method, casts })
    }

    /// The comparison for equality.
    pub(crate) fn equal(left: &LogicalType, right: &LogicalType, zone: Tz) -> Result<Self> {
        Self::new(Relation::Equal, left, right, zone)
    }

    /// Whether the left value is the greater one.
    pub(crate) fn greater(left: &LogicalType, right: &LogicalType, zone: Tz) -> Result<Self> {
        Self::new(Relation::Greater, left, right, zone)
    }

    /// Whether the left value is the smaller one.
    pub(crate) fn less(left: &LogicalType, right: &LogicalType, zone: Tz) -> Result<Self> {
        Self::new(Relation::Less, left, right, zone)
    }

    /// Compares `rows` rows; unknown where a side is NULL.
    pub(crate) fn compare(&self, left: &Operand, right: &Operand, rows: usize) -> Result<BooleanArray> {
        let args = [prepared(left, &self.casts[0])?, prepared(right, &self.casts[1])?];
        let relation = self.relation;
        let compared = match &self.method {
            Method::Arrow => return vectorised(relation, &args, rows),
            Method::Float => {
                boolean2::<Float32Array, Float32Array>(&args, rows, |l, r| relation.holds(l.partial_cmp(&r)))
            }
            Method::Double => {
                boolean2::<Float64Array, Float64Array>(&args, rows, |l, r| relation.holds(l.partial_cmp(&r)))
            }
            Method::Wide(l_power, r_power) => boolean2::<Decimal128Array, Decimal128Array>(&args, rows, |l, r| {
                let (l, r) = (i256::from_i128(l).wrapping_mul(*l_power), i256::from_i128(r).wrapping_mul(*r_power));
                relation.holds(Some(l.cmp(&r)))
            }),
            Method::Nested => return nested(relation, &args, rows),
        }?;
        Ok(downcast::<BooleanArray>(&compared)?.clone())
    }
}

fn prepared(operand: &Operand, cast: &Option<CastFn>) -> Result<Operand> {
    let Some(cast) = cast else { return Ok(operand.clone()) };
    Ok(match operand {
        Operand::Array(array) => Operand::Array(cast(array)?),
        Operand::Scalar(array) => Operand::Scalar(cast(array)?),
    })
}

fn vectorised(relation: Relation, args: &[Operand; 2], rows: usize) -> Result<BooleanArray> {
    let [left, right] = args;
    let compared = match relation {
        Relation::Equal => cmp::eq(left, right),
        Relation::NotEqual => cmp::neq(left, right),
        Relation::Less => cmp::lt(left, right),
        Relation::LessOrEqual => cmp::lt_eq(left, right),
        Relation::Greater => cmp::gt(left, right),
        Relation::GreaterOrEqual => cmp::gt_eq(left, right),
    };
    let compared = compared.map_err(arrow_error)?;
    if compared.len() == rows {
        return Ok(compared);
    }
    // Two scalars give one answer.
    let repeated = crate::cast::repeat(&(std::sync::Arc::new(compared) as ArrayRef), rows)?;
    Ok(downcast::<BooleanArray>(&repeated)?.clone())
}

fn nested(relation: Relation, args: &[Operand; 2], rows: usize) -> Result<BooleanArray> {
    let [left, right] = args;
    let equal = equality(left.array().as_ref(), right.array().as_ref())?;
    let nulls = merged_nulls(operand_nulls(left, rows), operand_nulls(right, rows));
    let wanted = relation != Relation::NotEqual;
    let valid = |row: usize| nulls.as_ref().is_none_or(|n| n.is_valid(row));
    let values =
        BooleanBuffer::collect_bool(rows, |row| valid(row) && equal(left.index(row), right.index(row)) == wanted);
    Ok(BooleanArray::new(values, nulls))
}
