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
    Float(#[serde(with = "any_float")] f64),
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

/// Numbers, and the names of those that JSON has no number for.
mod any_float {
    use serde::{Deserialize, Deserializer, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(f64),
        Name(String),
    }

    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        if value.is_finite() { serializer.serialize_f64(*value) } else { serializer.serialize_str(&value.to_string()) }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Number(number) => Ok(number),
            Written::Name(name) => name.parse().map_err(serde::de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Value;

    #[test]
    fn every_double_survives_json() {
        for float in [0.1, -0.0, f64::MAX, f64::INFINITY, f64::NEG_INFINITY] {
            let json = serde_json::to_string(&Value::Float(float)).unwrap();
            assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), Value::Float(float), "{json}");
        }
        let json = serde_json::to_string(&Value::Float(f64::NAN)).unwrap();
        assert!(matches!(serde_json::from_str(&json).unwrap(), Value::Float(f) if f.is_nan()), "{json}");
    }
}
