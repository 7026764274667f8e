//! JSON functions.
//!
//! Texts are parsed as Jackson does (content behind the first value is ignored), numbers keep all their
//! digits, and generated objects have their keys sorted, as in Flink.
//!
//! # How special syntax is called
//!
//! What SQL writes with keywords is a plain call with literal texts here. Clauses are either all given or
//! all left out; a clause that the user did not write has the default shown first.
//!
//! | SQL | call |
//! |---|---|
//! | `x IS [NOT] JSON [VALUE \| SCALAR \| ARRAY \| OBJECT]` | `IS JSON VALUE(x)`, `IS NOT JSON ARRAY(x)`, … |
//! | `JSON_EXISTS(x, path [b ON ERROR])` | `JSON_EXISTS(x, path[, b])` |
//! | `JSON_VALUE(x, path [RETURNING t] …)` | `JSON_VALUE(x, path[, returning, on_empty, d1, on_error, d2])` |
//! | `JSON_QUERY(x, path [RETURNING t] …)` | `JSON_QUERY(x, path[, returning, wrapper, on_empty, on_error])` |
//! | `JSON_OBJECT(k VALUE v, … [b ON NULL])` | `JSON_OBJECT(b, k, v, …)` |
//! | `JSON_ARRAY(v, … [b ON NULL])` | `JSON_ARRAY(b, v, …)` |
//!
//! * `JSON_EXISTS`: `b` is `'FALSE'`, `'TRUE'`, `'UNKNOWN'` or `'ERROR'`.
//! * `returning` is a NULL of the RETURNING type (a bare NULL for none).
//! * `JSON_VALUE`: `on_empty` and `on_error` are `'NULL'`, `'ERROR'` or `'DEFAULT'`; `d1` and `d2` are the default
//!   values (NULL without one), to be cast to the RETURNING type as the binding says.
//! * `JSON_QUERY`: `wrapper` is `'WITHOUT'`, `'CONDITIONAL'` or `'UNCONDITIONAL'`; the behaviours are `'NULL'`,
//!   `'ERROR'`, `'EMPTY ARRAY'` or `'EMPTY OBJECT'`.
//! * `JSON_OBJECT`: `b` is `'NULL'` or `'ABSENT'`; `JSON_ARRAY`: `'ABSENT'` or `'NULL'`.
//! * `JSON(x)` types as VARIANT, and the constructors embed VARIANTs unquoted. The planner allows it only as a
//!   value of a constructor, and wraps a constructor that is the value of another one in `AS JSON(…)`,
//!   which turns its text into a VARIANT as it is.

mod construct;
mod filter;
mod is_json;
mod number;
mod parse;
mod path;
mod query;
mod quote;
#[cfg(test)]
mod tests;
mod value;
mod variant;
mod write;

use crate::Function;

pub use value::push_quoted;
pub use write::JsonWriter;

pub(crate) use variant::item as variant_item;

/// The functions of this group.
pub const FUNCTIONS: &[Function] = &[
    is_json::VALUE,
    is_json::SCALAR,
    is_json::ARRAY,
    is_json::OBJECT,
    is_json::NOT_VALUE,
    is_json::NOT_SCALAR,
    is_json::NOT_ARRAY,
    is_json::NOT_OBJECT,
    query::JSON_EXISTS,
    query::JSON_VALUE,
    query::JSON_QUERY,
    construct::JSON_OBJECT,
    construct::JSON_ARRAY,
    construct::JSON_STRING,
    construct::JSON,
    construct::AS_JSON,
    quote::JSON_QUOTE,
    quote::JSON_UNQUOTE,
    variant::PARSE_JSON,
    variant::TRY_PARSE_JSON,
];
