//! Literal values of plans.

use serde::{Deserialize, Serialize};

/// A literal. Its logical type stands beside it, never inside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// NULL of any type.
    Null,
    /// BOOLEAN.
    Boolean(bool),
    /// Integers, DATE (days), TIME (milliseconds), timestamps (in the unit of their Arrow type), and
    /// intervals (months or milliseconds).
    Int(i64),
    /// FLOAT and DOUBLE.
    Float(f64),
    /// DECIMAL: the unscaled value.
    Decimal(i128),
    /// CHAR, VARCHAR, VARIANT.
    String(String),
    /// BINARY, VARBINARY.
    Bytes(Vec<u8>),
    /// ARRAY.
    List(Vec<Value>),
    /// MAP and MULTISET.
    Map(Vec<(Value, Value)>),
    /// ROW.
    Row(Vec<Value>),
}

impl Value {
    /// Whether the value is NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}
