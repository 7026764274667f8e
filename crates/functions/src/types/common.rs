//! The type that holds the values of several types.

use super::casts::{integer_rank, supports_implicit_cast};
use super::decimal;
use headwater_types::{LogicalType, RowField, TimeAttribute, TypeRoot};

/// The most specific type that all `types` cast to implicitly; `None` when there is none or all are NULL.
///
/// It is nullable when one of them is. Fixed-length strings of different lengths become variable-length
/// ones, so that no value is padded.
pub fn common_type(types: &[LogicalType]) -> Option<LogicalType> {
    let known: Vec<_> = types.iter().filter(|t| t.root != TypeRoot::Null).collect();
    let root = merge_all(&known).or_else(|| widest(&known))?;
    Some(LogicalType::new(root, types.iter().any(|t| t.nullable)))
}

/// The type of the results of CASE, of the columns of set operations and of arithmetic over several types.
///
/// It is the common type except that of FLOAT and DOUBLE the first one wins, that a decimal with either is a DOUBLE,
/// and that a DATE has nothing in common with a timestamp.
pub fn least_restrictive(types: &[LogicalType]) -> Option<LogicalType> {
    let has = |is: fn(&LogicalType) -> bool| types.iter().any(is);
    if has(|t| t.root == TypeRoot::Date) && has(LogicalType::is_timestamp) {
        return None;
    }
    let common = common_type(types)?;
    if !common.is_float() || !types.iter().all(|t| t.is_numeric() || t.root == TypeRoot::Null) {
        return Some(common);
    }
    let decimal = |t: &LogicalType| matches!(t.root, TypeRoot::Decimal(..));
    let root = match types.iter().find(|t| t.is_float()) {
        Some(first) if !has(decimal) => first.root.clone(),
        _ => TypeRoot::Double,
    };
    Some(LogicalType::new(root, common.nullable))
}

/// The type that both sides of a comparison are cast to; `None` when they cannot be compared.
///
/// Text compared with another type is read as that type; with an integer, as BIGINT.
pub fn comparison_type(left: &LogicalType, right: &LogicalType) -> Option<LogicalType> {
    let nullable = left.nullable || right.nullable;
    let root = match (left.is_character(), right.is_character()) {
        (true, false) => text_counterpart(right),
        (false, true) => text_counterpart(left),
        _ => match (&left.root, &right.root) {
            (TypeRoot::Date, ty @ (TypeRoot::Timestamp(..) | TypeRoot::TimestampLtz(..)))
            | (ty @ (TypeRoot::Timestamp(..) | TypeRoot::TimestampLtz(..)), TypeRoot::Date) => Some(ty.clone()),
            (TypeRoot::Null, TypeRoot::Null) => Some(TypeRoot::Boolean),
            _ if unlike(left, right) => None,
            _ => common_type(&[left.clone(), right.clone()]).map(|t| t.root),
        },
    };
    root.map(|root| LogicalType::new(root, nullable).with_time_attribute(TimeAttribute::None))
}

/// What text is read as when compared with a value of type `other`.
fn text_counterpart(other: &LogicalType) -> Option<TypeRoot> {
    match &other.root {
        _ if other.is_integer() => Some(TypeRoot::BigInt),
        TypeRoot::Decimal(p, s) => Some(decimal::root(decimal::common((*p, *s), (19, 0)))),
        TypeRoot::Float | TypeRoot::Double => Some(TypeRoot::Double),
        TypeRoot::Null => Some(LogicalType::string().root),
        TypeRoot::Boolean => Some(TypeRoot::Boolean),
        _ if other.is_temporal() || other.is_interval() => Some(other.root.clone()),
        _ => None,
    }
}

/// Pairs that have a common type but mean different things.
fn unlike(left: &LogicalType, right: &LogicalType) -> bool {
    let differ = |is: fn(&LogicalType) -> bool| is(left) != is(right);
    let null = left.root == TypeRoot::Null || right.root == TypeRoot::Null;
    let is_time = |t: &LogicalType| matches!(t.root, TypeRoot::Time(_));
    !null
        && (is_time(left) != is_time(right)
            || differ(LogicalType::is_temporal)
            || differ(LogicalType::is_interval)
            || differ(LogicalType::is_numeric))
}

fn merge_all(types: &[&LogicalType]) -> Option<TypeRoot> {
    let (first, rest) = types.split_first()?;
    rest.iter().try_fold(first.root.clone(), |merged, next| merge(&merged, &next.root))
}

/// A type of the list that all others cast to.
fn widest(types: &[&LogicalType]) -> Option<TypeRoot> {
    let nullable = |t: &LogicalType| t.clone().with_nullable(true);
    let mut found = nullable(types.first()?);
    for ty in types.iter().map(|t| nullable(t)) {
        if supports_implicit_cast(&found, &ty) {
            found = ty;
        } else if !supports_implicit_cast(&ty, &found) {
            return None;
        }
    }
    Some(found.root)
}

fn merge(left: &TypeRoot, right: &TypeRoot) -> Option<TypeRoot> {
    use TypeRoot as T;
    if left == right {
        return Some(left.clone());
    }
    match (left, right) {
        (T::Array(l), T::Array(r)) => Some(T::Array(pair(l, r)?)),
        (T::Multiset(l), T::Multiset(r)) => Some(T::Multiset(pair(l, r)?)),
        (T::Map(lk, lv), T::Map(rk, rv)) => Some(T::Map(pair(lk, rk)?, pair(lv, rv)?)),
        (T::Row(l), T::Row(r)) => merge_rows(l, r),
        (T::Time(l), T::Time(r)) => Some(T::Time(*l.max(r))),
        _ => merge_atoms(&left.clone().into(), &right.clone().into()),
    }
}

fn pair(left: &LogicalType, right: &LogicalType) -> Option<Box<LogicalType>> {
    common_type(&[left.clone(), right.clone()]).map(Box::new)
}

fn merge_rows(left: &[RowField], right: &[RowField]) -> Option<TypeRoot> {
    if left.len() != right.len() {
        return None;
    }
    let merged = left.iter().zip(right).map(|(l, r)| {
        let ty = *pair(&l.ty, &r.ty)?;
        Some(RowField { name: l.name.clone(), ty, comment: l.comment.clone() })
    });
    merged.collect::<Option<Vec<_>>>().map(TypeRoot::Row)
}

fn merge_atoms(left: &LogicalType, right: &LogicalType) -> Option<TypeRoot> {
    let both = |is: fn(&LogicalType) -> bool| is(left) && is(right);
    let exact = |t: &LogicalType| t.is_numeric() && !t.is_float();
    let day_based = |t: &LogicalType| t.is_timestamp() || t.root == TypeRoot::Date;
    if both(LogicalType::is_character) || both(LogicalType::is_binary) {
        return merge_strings(&left.root, &right.root);
    }
    if both(LogicalType::is_numeric) {
        return merge_numbers(left, right);
    }
    if both(LogicalType::is_timestamp) {
        return merge_timestamps(&left.root, &right.root);
    }
    // A point in time swallows an interval, and a number, which then counts days.
    if left.is_temporal() && right.is_interval() || day_based(left) && exact(right) {
        return Some(left.root.clone());
    }
    if left.is_interval() && right.is_temporal() || exact(left) && day_based(right) {
        return Some(right.root.clone());
    }
    None
}

fn merge_strings(left: &TypeRoot, right: &TypeRoot) -> Option<TypeRoot> {
    use TypeRoot as T;
    Some(match (left, right) {
        (T::Char(l) | T::VarChar(l), T::Char(r) | T::VarChar(r)) => T::VarChar(*l.max(r)),
        (T::Binary(l) | T::VarBinary(l), T::Binary(r) | T::VarBinary(r)) => T::VarBinary(*l.max(r)),
        _ => return None,
    })
}

fn merge_numbers(left: &LogicalType, right: &LogicalType) -> Option<TypeRoot> {
    use TypeRoot as T;
    Some(match (&left.root, &right.root) {
        (T::Double, _) | (_, T::Double) | (T::Float, T::Decimal(..)) => T::Double,
        (T::Float, _) | (_, T::Float) => T::Float,
        (T::Decimal(..), _) | (_, T::Decimal(..)) => {
            decimal::root(decimal::common(left.as_decimal()?, right.as_decimal()?))
        }
        _ if integer_rank(left) >= integer_rank(right) => left.root.clone(),
        _ => right.root.clone(),
    })
}

/// With a local time zone if one side has it. A time attribute survives only when both sides share it.
fn merge_timestamps(left: &TypeRoot, right: &TypeRoot) -> Option<TypeRoot> {
    use TypeRoot as T;
    let shared = |a: &TimeAttribute, b: &TimeAttribute| if a == b { *a } else { TimeAttribute::None };
    Some(match (left, right) {
        (T::Timestamp(l, a), T::Timestamp(r, b)) => T::Timestamp(*l.max(r), shared(a, b)),
        (T::TimestampLtz(l, a), T::TimestampLtz(r, b)) => T::TimestampLtz(*l.max(r), shared(a, b)),
        (T::Timestamp(l, _) | T::TimestampLtz(l, _), T::Timestamp(r, _) | T::TimestampLtz(r, _)) => {
            T::TimestampLtz(*l.max(r), TimeAttribute::None)
        }
        _ => return None,
    })
}
