//! `IS [NOT] JSON [VALUE | SCALAR | ARRAY | OBJECT]`.

use super::parse::parse;
use super::value::Json;
use crate::kernel::{Call, boolean1, kernel};
use crate::{Bound, Function, Kernel};
use arrow::array::StringArray;
use headwater_types::{Result, TypeRoot};

pub(super) const VALUE: Function =
    Function::new("IS JSON VALUE", "<CHARACTER> IS JSON VALUE", bind, |_| build(|_| true, false)).aliases(&["IS JSON"]);
pub(super) const SCALAR: Function =
    Function::new("IS JSON SCALAR", "<CHARACTER> IS JSON SCALAR", bind, |_| build(|json| json.is_scalar(), false));
pub(super) const ARRAY: Function =
    Function::new("IS JSON ARRAY", "<CHARACTER> IS JSON ARRAY", bind, |_| build(is_array, false));
pub(super) const OBJECT: Function =
    Function::new("IS JSON OBJECT", "<CHARACTER> IS JSON OBJECT", bind, |_| build(is_object, false));
pub(super) const NOT_VALUE: Function =
    Function::new("IS NOT JSON VALUE", "<CHARACTER> IS NOT JSON VALUE", bind, |_| build(|_| true, true))
        .aliases(&["IS NOT JSON"]);
pub(super) const NOT_SCALAR: Function =
    Function::new("IS NOT JSON SCALAR", "<CHARACTER> IS NOT JSON SCALAR", bind, |_| {
        build(|json| json.is_scalar(), true)
    });
pub(super) const NOT_ARRAY: Function =
    Function::new("IS NOT JSON ARRAY", "<CHARACTER> IS NOT JSON ARRAY", bind, |_| build(is_array, true));
pub(super) const NOT_OBJECT: Function =
    Function::new("IS NOT JSON OBJECT", "<CHARACTER> IS NOT JSON OBJECT", bind, |_| build(is_object, true));

fn bind(call: &Call<'_>) -> Result<Bound> {
    call.returns(call.all_strings(1..=1)?, TypeRoot::Boolean)
}

fn is_array(json: &Json<'_>) -> bool {
    matches!(json, Json::Array(_))
}

fn is_object(json: &Json<'_>) -> bool {
    matches!(json, Json::Object(_))
}

fn build(test: fn(&Json<'_>) -> bool, negated: bool) -> Result<Box<dyn Kernel>> {
    kernel(move |args, rows| {
        boolean1::<StringArray>(args, rows, |text| parse(text).is_ok_and(|json| test(&json)) != negated)
    })
}
