//! Comparisons of columns of one type by Arrow's kernels.
//!
//! Floating-point numbers are left to the function registry: Arrow orders them totally (`-0.0 < 0.0`,
//! NaN equals NaN), SQL does not.

use crate::node::Node;
use crate::scope::Scope;
use arrow::array::{ArrayRef, BooleanArray, Datum, Scalar};
use arrow::compute::kernels::cmp;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use headwater_functions::Operand;
use headwater_types::Result;
use std::sync::Arc;

type CompareFn = fn(&dyn Datum, &dyn Datum) -> Result<BooleanArray, ArrowError>;

pub(crate) struct CompareNode {
    compare: CompareFn,
    pub(crate) left: Box<Node>,
    pub(crate) right: Box<Node>,
}

/// The kernel of a comparison by registry name, when Arrow's agrees with SQL for this type.
pub(crate) fn kernel(function: &str, data_type: &DataType) -> Option<CompareFn> {
    let ordered_alike = data_type.is_integer()
        || matches!(
            data_type,
            DataType::Utf8
                | DataType::Binary
                | DataType::Boolean
                | DataType::Date32
                | DataType::Time32(_)
                | DataType::Timestamp(..)
                | DataType::Duration(_)
                | DataType::Decimal128(..)
        );
    if !ordered_alike {
        return None;
    }
    match function {
        "=" => Some(cmp::eq),
        "<>" => Some(cmp::neq),
        "<" => Some(cmp::lt),
        "<=" => Some(cmp::lt_eq),
        ">" => Some(cmp::gt),
        ">=" => Some(cmp::gt_eq),
        _ => None,
    }
}

impl CompareNode {
    pub(crate) fn new(compare: CompareFn, left: Node, right: Node) -> Self {
        Self { compare, left: Box::new(left), right: Box::new(right) }
    }

    pub(crate) fn eval(&self, scope: &Scope<'_>) -> Result<Operand> {
        let (left, right) = (self.left.eval(scope)?, self.right.eval(scope)?);
        let constant = matches!((&left, &right), (Operand::Scalar(_), Operand::Scalar(_)));
        let result = match (&left, &right) {
            (Operand::Scalar(l), Operand::Array(r)) => (self.compare)(&scalar(l), r),
            (Operand::Array(l), Operand::Scalar(r)) => (self.compare)(l, &scalar(r)),
            _ => (self.compare)(left.array(), right.array()),
        };
        let result: ArrayRef = Arc::new(result.map_err(crate::arrow_error)?);
        Ok(if constant { Operand::Scalar(result) } else { Operand::Array(result) })
    }
}

fn scalar(array: &ArrayRef) -> Scalar<ArrayRef> {
    Scalar::new(array.clone())
}
