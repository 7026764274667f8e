//! Casts from VARIANT, which is held as JSON text.
//!
//! A number is first the number it is written as (a whole number, a decimal or a double) and then cast like
//! one. The JSON `null` is NULL. Values of another kind than the target are failures.

use super::{CastFn, OnFailure, array_cast};
use crate::kernel::downcast;
use arrow::array::{Array, ArrayRef, BooleanArray, Decimal128Array, Float64Array, StringArray, new_null_array};
use arrow::compute::concat;
use chrono_tz::Tz;
use headwater_data::arrow_type;
use headwater_types::{LogicalType, Result, TypeRoot};
use std::sync::Arc;

/// The cast of VARIANT to a type without parts.
pub(super) fn cast(to: &LogicalType, on_failure: OnFailure) -> Result<CastFn> {
    let casts = Casts {
        whole: array_cast(&TypeRoot::Decimal(38, 0).into(), &numeric(to), on_failure.try_cast, Tz::UTC)?,
        double: array_cast(&TypeRoot::Double.into(), &numeric(to), on_failure.try_cast, Tz::UTC)?,
        text: array_cast(&LogicalType::string(), &textual(to), on_failure.try_cast, Tz::UTC)?,
        to: to.clone(),
        on_failure,
    };
    Ok(Box::new(move |array| casts.all(array)))
}

/// The target if numbers cast to it, else some type that they cast to.
fn numeric(to: &LogicalType) -> LogicalType {
    if to.is_numeric() { to.clone() } else { TypeRoot::Double.into() }
}

/// The target if text is a value of it, else text.
fn textual(to: &LogicalType) -> LogicalType {
    if to.is_numeric() || to.root == TypeRoot::Boolean { LogicalType::string() } else { to.clone() }
}

struct Casts {
    whole: CastFn,
    double: CastFn,
    text: CastFn,
    to: LogicalType,
    on_failure: OnFailure,
}

impl Casts {
    fn all(&self, array: &ArrayRef) -> Result<ArrayRef> {
        let texts = downcast::<StringArray>(array)?;
        if texts.is_empty() {
            return Ok(new_null_array(&arrow_type(&self.to), 0));
        }
        let null = || Ok(new_null_array(&arrow_type(&self.to), 1));
        let one = |text: Option<&str>| text.map_or_else(null, |text| self.one(text.trim()));
        let rows = texts.iter().map(one).collect::<Result<Vec<_>>>()?;
        let rows: Vec<&dyn Array> = rows.iter().map(AsRef::as_ref).collect();
        concat(&rows).map_err(crate::kernel::arrow_error)
    }

    fn one(&self, json: &str) -> Result<ArrayRef> {
        let string = json.strip_prefix('"').and_then(|s| s.strip_suffix('"'));
        match json {
            "null" => Ok(new_null_array(&arrow_type(&self.to), 1)),
            "true" | "false" if self.to.root == TypeRoot::Boolean => {
                Ok(Arc::new(BooleanArray::from(vec![json == "true"])))
            }
            _ if self.to.is_character() => self.textual(string.unwrap_or(json)),
            _ if self.to.is_numeric() && string.is_none() => self.number(json),
            _ => match string {
                Some(string) if !self.to.is_numeric() && self.to.root != TypeRoot::Boolean => self.textual(string),
                _ => self.refuse(json),
            },
        }
    }

    fn textual(&self, text: &str) -> Result<ArrayRef> {
        (self.text)(&(Arc::new(StringArray::from(vec![text])) as ArrayRef))
    }

    fn number(&self, json: &str) -> Result<ArrayRef> {
        if let Ok(whole) = json.parse::<i128>()
            && crate::decimal::fits(whole, 38)
        {
            let whole = Decimal128Array::from(vec![whole]).with_data_type(arrow_type(&TypeRoot::Decimal(38, 0).into()));
            return (self.whole)(&(Arc::new(whole) as ArrayRef));
        }
        match json.parse::<f64>() {
            Ok(number) => (self.double)(&(Arc::new(Float64Array::from(vec![number])) as ArrayRef)),
            Err(_) => self.refuse(json),
        }
    }

    fn refuse(&self, json: &str) -> Result<ArrayRef> {
        self.on_failure.fail::<()>(json, "the variant holds a value of another kind")?;
        Ok(new_null_array(&arrow_type(&self.to), 1))
    }
}
