//! `IN` over a list of integer-like or text literals.

use crate::arrow_error;
use crate::logical::not;
use crate::node::Node;
use crate::scope::Scope;
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use headwater_functions::Operand;
use headwater_plan::Value;
use headwater_types::Result;
use std::collections::HashSet;
use std::sync::Arc;

/// Up to this many integers are compared one by one.
const LINEAR_MAX: usize = 8;

pub(crate) struct InListNode {
    pub(crate) input: Box<Node>,
    set: Set,
    holds_null: bool,
    negated: bool,
}

enum Set {
    Few(Vec<i64>),
    Integers(HashSet<i64>),
    Texts(HashSet<String>),
}

impl InListNode {
    /// The node, or the input back when the list or its type calls for comparisons instead.
    pub(crate) fn new(input: Node, data_type: &DataType, list: &[&Value], negated: bool) -> Result<Self, Node> {
        let Some(set) = Set::new(data_type, list) else { return Err(input) };
        let holds_null = list.iter().any(|v| v.is_null());
        Ok(Self { input: Box::new(input), set, holds_null, negated })
    }

    pub(crate) fn eval(&self, scope: &Scope<'_>) -> Result<Operand> {
        let input = self.input.eval(scope)?;
        let result: ArrayRef = Arc::new(self.contains(input.array())?);
        let result = match input {
            Operand::Array(_) => Operand::Array(result),
            Operand::Scalar(_) => Operand::Scalar(result),
        };
        if self.negated { not(result) } else { Ok(result) }
    }

    fn contains(&self, input: &ArrayRef) -> Result<BooleanArray> {
        let found = self.set.contains(input)?;
        let nulls = input.logical_nulls();
        // Not finding a value in a list with a NULL is unknown.
        let nulls = if self.holds_null {
            NullBuffer::union(nulls.as_ref(), Some(&NullBuffer::new(found.clone())))
        } else {
            nulls
        };
        Ok(BooleanArray::new(found, nulls))
    }
}

impl Set {
    fn new(data_type: &DataType, list: &[&Value]) -> Option<Self> {
        let values = || list.iter().filter(|v| !v.is_null());
        if *data_type == DataType::Utf8 {
            let text = |v: &&Value| if let Value::String(s) = v { Some(s.clone()) } else { None };
            return values().map(text).collect::<Option<_>>().map(Self::Texts);
        }
        let integer_like = data_type.is_integer()
            || matches!(
                data_type,
                DataType::Date32 | DataType::Time32(_) | DataType::Timestamp(..) | DataType::Duration(_)
            );
        if !integer_like {
            return None;
        }
        let integer = |v: &&Value| if let Value::Int(i) = v { Some(*i) } else { None };
        let integers = values().map(integer).collect::<Option<Vec<_>>>()?;
        Some(match integers.len() {
            0..=LINEAR_MAX => Self::Few(integers),
            _ => Self::Integers(integers.into_iter().collect()),
        })
    }

    fn contains(&self, input: &ArrayRef) -> Result<BooleanBuffer> {
        if let Self::Texts(set) = self {
            let texts = input.as_string::<i32>();
            return Ok(BooleanBuffer::collect_bool(input.len(), |row| set.contains(texts.value(row))));
        }
        let wide = cast(input, &DataType::Int64).map_err(arrow_error)?;
        let values = wide.as_primitive::<Int64Type>().values();
        Ok(match self {
            Self::Few(few) => BooleanBuffer::collect_bool(values.len(), |row| few.contains(&values[row])),
            Self::Integers(set) => BooleanBuffer::collect_bool(values.len(), |row| set.contains(&values[row])),
            Self::Texts(_) => BooleanBuffer::new_unset(values.len()),
        })
    }
}
