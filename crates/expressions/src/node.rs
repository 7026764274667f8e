//! The compiled form of an expression: a tree of nodes over columns, literals and kernels.

use crate::case::CaseNode;
use crate::coalesce::CoalesceNode;
use crate::compare::CompareNode;
use crate::in_list::InListNode;
use crate::logical::LogicalNode;
use crate::scope::Scope;
use arrow::array::{Array, ArrayRef, BooleanArray, UInt32Array};
use arrow::datatypes::DataType;
use headwater_functions::{Kernel, Operand};
use headwater_types::{Error, Result};
use std::sync::Arc;

pub(crate) enum Node {
    Column(usize),
    Literal(ArrayRef),
    Call(CallNode),
    Compare(CompareNode),
    Logical(LogicalNode),
    Case(CaseNode),
    Coalesce(CoalesceNode),
    InList(InListNode),
    /// A sub-expression that occurs more than once, with its result slot.
    Shared(usize, Arc<Node>),
}

/// A kernel over evaluated arguments.
pub(crate) struct CallNode {
    pub(crate) kernel: Box<dyn Kernel>,
    pub(crate) args: Vec<Node>,
    pub(crate) data_type: DataType,
    /// The call as text, for errors.
    pub(crate) label: String,
    pub(crate) volatile: bool,
    /// Whether the kernel cannot fail whatever the values.
    pub(crate) total: bool,
}

impl Node {
    pub(crate) fn eval(&self, scope: &Scope<'_>) -> Result<Operand> {
        match self {
            Self::Column(index) => Ok(Operand::Array(scope.column(*index)?)),
            Self::Literal(value) => Ok(Operand::Scalar(value.clone())),
            Self::Call(call) => call.eval(scope),
            Self::Compare(compare) => compare.eval(scope),
            Self::Logical(logical) => logical.eval(scope),
            Self::Case(case) => case.eval(scope),
            Self::Coalesce(coalesce) => coalesce.eval(scope),
            Self::InList(in_list) => in_list.eval(scope),
            Self::Shared(slot, node) => scope.shared(*slot, |scope| node.eval(scope)),
        }
    }

    /// Whether evaluation cannot fail and is cheap, so that evaluating it for rows that do not need it
    /// does no harm.
    pub(crate) fn is_total(&self) -> bool {
        match self {
            Self::Column(_) | Self::Literal(_) => true,
            Self::Call(call) => call.total && call.args.iter().all(Node::is_total),
            Self::Compare(compare) => compare.left.is_total() && compare.right.is_total(),
            Self::Logical(logical) => logical.operands.iter().all(Node::is_total),
            Self::Case(_) => false,
            Self::Coalesce(coalesce) => coalesce.args.iter().all(Node::is_total),
            Self::InList(in_list) => in_list.input.is_total(),
            Self::Shared(_, node) => node.is_total(),
        }
    }
}

impl CallNode {
    fn eval(&self, scope: &Scope<'_>) -> Result<Operand> {
        let args = self.args.iter().map(|arg| arg.eval(scope)).collect::<Result<Vec<_>>>()?;
        let constant = !self.volatile && args.iter().all(|arg| matches!(arg, Operand::Scalar(_)));
        let rows = if constant { 1 } else { scope.rows() };
        if rows == 0 {
            return Ok(Operand::Array(arrow::array::new_empty_array(&self.data_type)));
        }
        let result = self.kernel.eval(&args, rows).map_err(|e| e.context(format_args!("in {}", self.label)))?;
        self.check(&result, rows)?;
        Ok(if constant { Operand::Scalar(result) } else { Operand::Array(result) })
    }

    fn check(&self, result: &ArrayRef, rows: usize) -> Result<()> {
        if result.len() == rows && result.data_type().equals_datatype(&self.data_type) {
            return Ok(());
        }
        Err(Error::internal(format!(
            "{} returned {} values of type {} where {rows} of type {} were expected",
            self.label,
            result.len(),
            result.data_type(),
            self.data_type
        )))
    }
}

/// An operand as an array of `rows` values.
pub(crate) fn into_array(operand: Operand, rows: usize) -> Result<ArrayRef> {
    match operand {
        Operand::Array(array) => Ok(array),
        Operand::Scalar(array) if rows == 1 => Ok(array),
        Operand::Scalar(array) => {
            let zeros = UInt32Array::from(vec![0; rows]);
            arrow::compute::take(&array, &zeros, None).map_err(crate::arrow_error)
        }
    }
}

/// The boolean column behind an array; `what` names the expression in the error.
pub(crate) fn as_boolean<'a>(array: &'a ArrayRef, what: &str) -> Result<&'a BooleanArray> {
    array
        .as_any()
        .downcast_ref::<BooleanArray>()
        .ok_or_else(|| Error::internal(format!("{what} has type {} where a boolean was expected", array.data_type())))
}
