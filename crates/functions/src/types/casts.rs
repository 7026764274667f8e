//! Which casts exist.

use headwater_types::{LogicalType, RowField, TypeRoot};

/// Whether `from` turns into `to` without loss, so that the planner may insert the cast by itself.
///
/// A nullable type does not cast implicitly to one that is NOT NULL.
pub fn supports_implicit_cast(from: &LogicalType, to: &LogicalType) -> bool {
    if from.nullable && !to.nullable {
        return false;
    }
    if from.same_root(to) || from.root == TypeRoot::Null {
        return true;
    }
    match children_agree(from, to, supports_implicit_cast) {
        Some(agree) => agree,
        None => implicit_roots(from, to),
    }
}

/// Whether `CAST(from AS to)` exists. Nullability does not matter: NULL stays NULL.
pub fn supports_explicit_cast(from: &LogicalType, to: &LogicalType) -> bool {
    if from.same_root(to) || from.root == TypeRoot::Null || to.is_character() {
        return true;
    }
    match children_agree(from, to, supports_explicit_cast) {
        Some(agree) => agree,
        None => implicit_roots(from, to) || explicit_roots(from, to),
    }
}

/// For two constructed types of one kind, whether all their parts cast; `None` for other pairs.
fn children_agree(from: &LogicalType, to: &LogicalType, casts: fn(&LogicalType, &LogicalType) -> bool) -> Option<bool> {
    use TypeRoot::{Array, Map, Multiset, Row};
    match (&from.root, &to.root) {
        (Array(from), Array(to)) | (Multiset(from), Multiset(to)) => Some(casts(from, to)),
        (Map(from_key, from_value), Map(to_key, to_value)) => {
            Some(casts(from_key, to_key) && casts(from_value, to_value))
        }
        (Row(from), Row(to)) => Some(fields_agree(from, to, casts)),
        _ => None,
    }
}

fn fields_agree(from: &[RowField], to: &[RowField], casts: fn(&LogicalType, &LogicalType) -> bool) -> bool {
    from.len() == to.len() && from.iter().zip(to).all(|(from, to)| casts(&from.ty, &to.ty))
}

fn implicit_roots(from: &LogicalType, to: &LogicalType) -> bool {
    use TypeRoot as T;
    match to.root {
        T::Char(_) => matches!(from.root, T::Char(_)),
        T::VarChar(_) => from.is_character(),
        T::Binary(_) => matches!(from.root, T::Binary(_)),
        T::VarBinary(_) => from.is_binary(),
        T::Decimal(..) | T::Double => from.is_numeric(),
        T::SmallInt | T::Int | T::BigInt => from.is_integer() && integer_rank(from) <= integer_rank(to),
        T::Float => from.is_integer() || matches!(from.root, T::Decimal(..) | T::Float),
        T::Date => matches!(from.root, T::Timestamp(..)),
        T::Time(_) => matches!(from.root, T::Time(_) | T::Timestamp(..)),
        T::Timestamp(..) | T::TimestampLtz(..) => from.is_timestamp(),
        _ => false,
    }
}

fn explicit_roots(from: &LogicalType, to: &LogicalType) -> bool {
    use TypeRoot as T;
    let variant = matches!(from.root, T::Variant);
    match to.root {
        T::Boolean => from.is_character() || from.is_numeric() || variant,
        T::Binary(_) | T::VarBinary(_) => from.is_character() || from.is_binary() || variant,
        T::Decimal(..) | T::TinyInt | T::SmallInt | T::Int | T::BigInt => {
            from.is_numeric() || from.is_character() || from.is_interval() || from.root == T::Boolean || variant
        }
        T::Float | T::Double => from.is_numeric() || from.is_character() || from.root == T::Boolean || variant,
        T::Date => from.is_timestamp() || from.is_character() || variant,
        T::Time(_) => from.is_timestamp() || from.is_character(),
        T::Timestamp(..) | T::TimestampLtz(..) => from.is_temporal() || from.is_character() || variant,
        T::IntervalYearMonth | T::IntervalDayTime => {
            from.is_integer() || matches!(from.root, T::Decimal(..)) || from.is_character()
        }
        _ => false,
    }
}

/// Position of an integer type among the integer types, by width.
pub(super) fn integer_rank(ty: &LogicalType) -> u8 {
    match ty.root {
        TypeRoot::TinyInt => 0,
        TypeRoot::SmallInt => 1,
        TypeRoot::Int => 2,
        _ => 3,
    }
}
