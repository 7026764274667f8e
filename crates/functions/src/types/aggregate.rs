//! Result types of aggregate functions.

use headwater_types::{Error, LogicalType, Result, TimeAttribute, TypeRoot};

/// The type an aggregate function of this (upper-case) name returns for an argument of type `arg`.
///
/// `SUM`, `AVG`, `MIN` and the like can be NULL when the argument can: over a group that may be empty the
/// caller makes the result nullable. `FIRST_VALUE`, `LAST_VALUE`, `LISTAGG` and `ARRAY_AGG` are always
/// nullable, `COUNT` and `COLLECT` never.
pub fn aggregate_type(name: &str, arg: &LogicalType) -> Result<LogicalType> {
    let same = || Ok(arg.clone().with_time_attribute(TimeAttribute::None));
    match name {
        "COUNT" | "APPROX_COUNT_DISTINCT" => Ok(LogicalType::from(TypeRoot::BigInt).not_null()),
        "SUM" => summable(name, arg).map(sum_type),
        "SUM0" | "$SUM0" => summable(name, arg).map(sum_type).map(LogicalType::not_null),
        "AVG" | "STDDEV" | "STDDEV_POP" | "STDDEV_SAMP" | "VAR_POP" | "VAR_SAMP" | "VARIANCE" => {
            numeric(name, arg).map(average_type)
        }
        "MIN" | "MAX" if orderable(arg) => same(),
        "SINGLE_VALUE" => same(),
        "FIRST_VALUE" | "LAST_VALUE" => same().map(|t| t.with_nullable(true)),
        "LISTAGG" | "STRING_AGG" if arg.is_character() || arg.root == TypeRoot::Null => Ok(LogicalType::string()),
        "COLLECT" => Ok(LogicalType::from(TypeRoot::Multiset(Box::new(same()?))).not_null()),
        "ARRAY_AGG" => Ok(TypeRoot::Array(Box::new(same()?)).into()),
        "PERCENTILE" => numeric(name, arg).map(|_| TypeRoot::Double.into()),
        "BITMAP_BUILD_AGG" | "BITMAP_AND_AGG" | "BITMAP_OR_AGG" | "BITMAP_XOR_AGG" if fits_bitmap(name, arg) => {
            Ok(TypeRoot::Bitmap.into())
        }
        _ if name.ends_with("_CARDINALITY_AGG") && fits_bitmap(name, arg) => Ok(TypeRoot::BigInt.into()),
        "JSON_ARRAYAGG" | "JSON_OBJECTAGG" => Ok(LogicalType::string().not_null()),
        _ => Err(unfit(name, arg)),
    }
}

/// Average of a decimal: divided by a count of DECIMAL(20, 0). Other types keep their type and truncate.
fn average_type(arg: &LogicalType) -> LogicalType {
    match arg.root {
        TypeRoot::Decimal(_, s) => LogicalType::new(TypeRoot::Decimal(38, s.max(6)), arg.nullable),
        _ => arg.clone(),
    }
}

fn sum_type(arg: &LogicalType) -> LogicalType {
    match arg.root {
        TypeRoot::Decimal(_, s) => LogicalType::new(TypeRoot::Decimal(38, s), arg.nullable),
        _ => arg.clone(),
    }
}

fn numeric<'a>(name: &str, arg: &'a LogicalType) -> Result<&'a LogicalType> {
    if arg.is_numeric() { Ok(arg) } else { Err(unfit(name, arg)) }
}

fn summable<'a>(name: &str, arg: &'a LogicalType) -> Result<&'a LogicalType> {
    if arg.is_interval() { Ok(arg) } else { numeric(name, arg) }
}

/// Bitmaps are built of integers, and combined with each other.
fn fits_bitmap(name: &str, arg: &LogicalType) -> bool {
    let wanted = if name.starts_with("BITMAP_BUILD") { TypeRoot::Int } else { TypeRoot::Bitmap };
    arg.root == wanted
}

fn orderable(arg: &LogicalType) -> bool {
    arg.is_numeric()
        || arg.is_character()
        || arg.is_temporal()
        || arg.is_interval()
        || arg.is_binary()
        || matches!(arg.root, TypeRoot::Boolean | TypeRoot::Row(_) | TypeRoot::Array(_))
}

fn unfit(name: &str, arg: &LogicalType) -> Error {
    Error::user(
        "bad-function-call",
        format!("Cannot apply the aggregate function '{name}' to an argument of type {arg}"),
    )
}
