//! Functions with syntax of their own.

use std::fmt::{self, Display, Formatter};

use super::{Clause, Commas, ListClause};
use crate::ast::{
    Expr, JsonExistsBehavior, JsonMember, JsonNullClause, JsonQueryBehavior, JsonValueBehavior, JsonWrapper,
    SpecialFunction, TrimSide,
};
use crate::parser::power;
use crate::printer::expr::Operand;

impl Display for SpecialFunction {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            SpecialFunction::Extract { unit, source } => write!(f, "EXTRACT({unit} FROM {source})"),
            SpecialFunction::Floor { expr, unit } => write!(f, "FLOOR({expr} TO {unit})"),
            SpecialFunction::Ceil { expr, unit } => write!(f, "CEIL({expr} TO {unit})"),
            SpecialFunction::TimestampAdd { unit, count, timestamp } => {
                write!(f, "TIMESTAMPADD({unit}, {count}, {timestamp})")
            }
            SpecialFunction::TimestampDiff { unit, start, end } => {
                write!(f, "TIMESTAMPDIFF({unit}, {start}, {end})")
            }
            SpecialFunction::Position { needle, haystack, from } => {
                let (needle, haystack) = (operand(needle), operand(haystack));
                let from = Clause("FROM", from.as_ref());
                write!(f, "POSITION({needle} IN {haystack}{from})")
            }
            SpecialFunction::Overlay { string, replacement, start, length } => {
                let length = Clause("FOR", length.as_ref());
                write!(f, "OVERLAY({string} PLACING {replacement} FROM {start}{length})")
            }
            SpecialFunction::Trim { side, characters, string } => trim(f, *side, characters.as_ref(), string),
            json => self::json(f, json),
        }
    }
}

fn operand(expr: &Expr) -> Operand<'_> {
    Operand(expr, power::ADDITIVE)
}

fn trim(f: &mut Formatter<'_>, side: TrimSide, characters: Option<&Expr>, string: &Expr) -> fmt::Result {
    let word = match side {
        TrimSide::Both => "BOTH",
        TrimSide::Leading => "LEADING",
        TrimSide::Trailing => "TRAILING",
    };
    match characters {
        Some(characters) => write!(f, "TRIM({word} {characters} FROM {string})"),
        None if side == TrimSide::Both => write!(f, "TRIM({string})"),
        None => write!(f, "TRIM({word} FROM {string})"),
    }
}

fn json(f: &mut Formatter<'_>, call: &SpecialFunction) -> fmt::Result {
    match call {
        SpecialFunction::JsonExists { input, path, on_error } => {
            write!(f, "JSON_EXISTS({input}, {path}{})", OnError(on_error.as_ref()))
        }
        SpecialFunction::JsonValue { input, path, returning, on_empty, on_error } => {
            write!(f, "JSON_VALUE({input}, {path}")?;
            write!(f, "{}", Clause("RETURNING", returning.as_ref()))?;
            write!(f, "{}", OnEmpty(on_empty.as_ref()))?;
            write!(f, "{})", OnError(on_error.as_ref()))
        }
        SpecialFunction::JsonQuery { input, path, returning, wrapper, on_empty, on_error } => {
            write!(f, "JSON_QUERY({input}, {path}")?;
            write!(f, "{}", Clause("RETURNING", returning.as_ref()))?;
            f.write_str(wrapper.map_or("", wrapper_words))?;
            write!(f, "{}", OnEmpty(on_empty.as_ref()))?;
            write!(f, "{})", OnError(on_error.as_ref()))
        }
        constructor => json_constructor(f, constructor),
    }
}

fn json_constructor(f: &mut Formatter<'_>, call: &SpecialFunction) -> fmt::Result {
    match call {
        SpecialFunction::JsonObject { members, on_null } => {
            write!(f, "JSON_OBJECT({}{})", Commas(members), null_clause(*on_null, members))
        }
        SpecialFunction::JsonArray { elements, on_null } => {
            write!(f, "JSON_ARRAY({}{})", Commas(elements), null_clause(*on_null, elements))
        }
        SpecialFunction::JsonObjectAgg { member, on_null, filter } => {
            write!(f, "JSON_OBJECTAGG({member}{})", null_clause(*on_null, &[()]))?;
            self::filter(f, filter.as_ref())
        }
        SpecialFunction::JsonArrayAgg { value, order_by, on_null, filter } => {
            write!(f, "JSON_ARRAYAGG({value}{}", ListClause("ORDER BY", order_by))?;
            write!(f, "{})", null_clause(*on_null, &[()]))?;
            self::filter(f, filter.as_ref())
        }
        _ => Ok(()), // every other call is printed by the callers
    }
}

fn filter(f: &mut Formatter<'_>, filter: Option<&Expr>) -> fmt::Result {
    match filter {
        Some(filter) => write!(f, " FILTER (WHERE {filter})"),
        None => Ok(()),
    }
}

/// The clause, with a space before it when something precedes.
fn null_clause<T>(clause: Option<JsonNullClause>, before: &[T]) -> &'static str {
    let words = match clause {
        Some(JsonNullClause::Null) => " NULL ON NULL",
        Some(JsonNullClause::Absent) => " ABSENT ON NULL",
        None => "",
    };
    if before.is_empty() { words.trim_start() } else { words }
}

fn wrapper_words(wrapper: JsonWrapper) -> &'static str {
    match wrapper {
        JsonWrapper::Without => " WITHOUT ARRAY WRAPPER",
        JsonWrapper::Conditional => " WITH CONDITIONAL ARRAY WRAPPER",
        JsonWrapper::Unconditional => " WITH UNCONDITIONAL ARRAY WRAPPER",
    }
}

/// ` behaviour ON EMPTY`.
struct OnEmpty<'a, T>(Option<&'a T>);

impl<T: Display> Display for OnEmpty<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |value| write!(f, " {value} ON EMPTY"))
    }
}

/// ` behaviour ON ERROR`.
struct OnError<'a, T>(Option<&'a T>);

impl<T: Display> Display for OnError<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |value| write!(f, " {value} ON ERROR"))
    }
}

impl Display for JsonMember {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "KEY {} VALUE {}", self.key, self.value)
    }
}

impl Display for JsonExistsBehavior {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            JsonExistsBehavior::True => "TRUE",
            JsonExistsBehavior::False => "FALSE",
            JsonExistsBehavior::Unknown => "UNKNOWN",
            JsonExistsBehavior::Error => "ERROR",
        })
    }
}

impl Display for JsonValueBehavior {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            JsonValueBehavior::Error => f.write_str("ERROR"),
            JsonValueBehavior::Null => f.write_str("NULL"),
            JsonValueBehavior::Default(expr) => write!(f, "DEFAULT {expr}"),
        }
    }
}

impl Display for JsonQueryBehavior {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            JsonQueryBehavior::Error => "ERROR",
            JsonQueryBehavior::Null => "NULL",
            JsonQueryBehavior::EmptyArray => "EMPTY ARRAY",
            JsonQueryBehavior::EmptyObject => "EMPTY OBJECT",
        })
    }
}
