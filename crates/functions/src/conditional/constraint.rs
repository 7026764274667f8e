//! The checks that values fit the declared type of a sink's column: lengths of strings, and NULLs inside of values.
//!
//! Not functions of SQL: the planner puts them in front of sinks. `$CONSTRAIN(value, type, column, rules)` answers the
//! value, cut and padded where the rules say so, or fails; `$SATISFIES(value, type, rules)` says whether no NULL stands
//! where none may. `type` is a NULL of the column's type: the value's own type does not know its constraints. NULL for a
//! NOT NULL column itself is not their business, but that of [`not_null`](super::not_null).

use crate::kernel::Call;
use crate::{Bound, BuildContext, Function, Kernel, Operand};
use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BooleanArray, StringArray, StructArray};
use headwater_plan::Value;
use headwater_types::{Error, LogicalType, Result, TypeRoot};
use std::sync::Arc;

/// Name of the check that fails: `(value, type, column name, rules)`.
pub const CONSTRAIN: &str = "$CONSTRAIN";
/// Name of the check that answers: `(value, type, rules)`.
pub const SATISFIES: &str = "$SATISFIES";

/// The functions of this group.
pub const FUNCTIONS: &[Function] = &[
    Function::new(
        CONSTRAIN,
        "$CONSTRAIN(value <ANY>, type <ANY>, column <STRING>, rules <STRING>)",
        bind,
        build_constrain,
    ),
    Function::new(SATISFIES, "$SATISFIES(value <ANY>, type <ANY>, rules <STRING>)", bind, build_satisfies),
];

/// What happens to strings of another length than declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lengths {
    /// Nothing.
    Ignore,
    /// They are cut, and padded.
    Fit,
    /// The job fails.
    Fail,
}

/// How deep constraints are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Of columns only.
    Columns,
    /// Also of fields of rows.
    Rows,
    /// Also of elements of collections.
    Collections,
}

/// What is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// About lengths.
    pub lengths: Lengths,
    /// How deep.
    pub depth: Depth,
    /// Whether NULLs inside of values are refused.
    pub nulls: bool,
}

impl Rules {
    /// The rules as a literal of a plan.
    pub fn encode(self) -> Value {
        let lengths = match self.lengths {
            Lengths::Ignore => 'i',
            Lengths::Fit => 'f',
            Lengths::Fail => 'e',
        };
        let depth = match self.depth {
            Depth::Columns => 'c',
            Depth::Rows => 'r',
            Depth::Collections => 'a',
        };
        let nulls = if self.nulls { 'n' } else { '-' };
        Value::String([lengths, depth, nulls].iter().collect())
    }

    /// Whether a type has anything that these rules check.
    pub fn concern(self, ty: &LogicalType) -> bool {
        self.at(ty, true)
    }

    fn at(self, ty: &LogicalType, top: bool) -> bool {
        let length = self.lengths != Lengths::Ignore && limit(ty).is_some();
        let null = self.nulls && !top && !ty.nullable;
        length || null || self.children(ty).into_iter().any(|child| self.at(child, false))
    }

    /// The types inside of a type whose values are checked.
    fn children(self, ty: &LogicalType) -> Vec<&LogicalType> {
        match &ty.root {
            TypeRoot::Row(fields) if self.depth >= Depth::Rows => fields.iter().map(|field| &field.ty).collect(),
            TypeRoot::Array(element) | TypeRoot::Multiset(element) if self.depth == Depth::Collections => {
                vec![element]
            }
            TypeRoot::Map(key, value) if self.depth == Depth::Collections => vec![key, value],
            _ => vec![],
        }
    }

    /// Whether strings would have to be cut inside of collections, which is not done.
    pub fn fits_collections(self, ty: &LogicalType) -> bool {
        let collection = matches!(ty.root, TypeRoot::Array(_) | TypeRoot::Multiset(_) | TypeRoot::Map(..));
        let only_lengths = Self { nulls: false, ..self };
        self.lengths == Lengths::Fit
            && match collection {
                true => self.children(ty).into_iter().any(|child| only_lengths.at(child, false)),
                false => self.children(ty).into_iter().any(|child| self.fits_collections(child)),
            }
    }

    fn decode(value: Option<&Option<Value>>) -> Result<Self> {
        let broken = || Error::internal("the rules of a constraint are a literal");
        let Some(Some(Value::String(text))) = value else { return Err(broken()) };
        let mut letters = text.chars();
        let mut next = || letters.next().ok_or_else(broken);
        let lengths = match next()? {
            'i' => Lengths::Ignore,
            'f' => Lengths::Fit,
            _ => Lengths::Fail,
        };
        let depth = match next()? {
            'c' => Depth::Columns,
            'r' => Depth::Rows,
            _ => Depth::Collections,
        };
        Ok(Self { lengths, depth, nulls: next()? == 'n' })
    }
}

/// The declared length of a type of strings, unless it is without bounds; whether values have exactly it; whether they
/// are bytes.
fn limit(ty: &LogicalType) -> Option<(usize, bool, bool)> {
    let bounded = |length: u32| (length < i32::MAX as u32).then_some(length as usize);
    match ty.root {
        TypeRoot::Char(length) => Some((length as usize, true, false)),
        TypeRoot::VarChar(length) => bounded(length).map(|length| (length, false, false)),
        TypeRoot::Binary(length) => Some((length as usize, true, true)),
        TypeRoot::VarBinary(length) => bounded(length).map(|length| (length, false, true)),
        _ => None,
    }
}

fn bind(call: &Call<'_>) -> Result<Bound> {
    Err(call.error())
}

fn build_constrain(context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    let column = match context.literals.get(2) {
        Some(Some(Value::String(name))) => name.clone(),
        _ => return Err(Error::internal("the column of a constraint is a literal")),
    };
    let rules = Rules::decode(context.literals.get(3))?;
    Ok(Box::new(Constrain { column, ty: context.arg_types[1].clone(), rules }))
}

fn build_satisfies(context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    let rules = Rules::decode(context.literals.get(2))?;
    Ok(Box::new(Satisfies { ty: context.arg_types[1].clone(), rules }))
}

struct Constrain {
    column: String,
    ty: LogicalType,
    rules: Rules,
}

impl Kernel for Constrain {
    fn eval(&self, args: &[Operand], rows: usize) -> Result<ArrayRef> {
        let array = super::choose::expand(args[0].clone(), rows)?;
        let array = match self.rules.lengths {
            Lengths::Fit => fit(&array, &self.ty, self.rules)?,
            _ => array,
        };
        let mut path = vec![self.column.clone()];
        for row in 0..array.len() {
            if let Some(violation) = find(array.as_ref(), &self.ty, row, self.rules, &mut path) {
                return Err(violation.error(&path));
            }
        }
        Ok(array)
    }
}

struct Satisfies {
    ty: LogicalType,
    rules: Rules,
}

impl Kernel for Satisfies {
    fn eval(&self, args: &[Operand], rows: usize) -> Result<ArrayRef> {
        let array = args[0].array();
        let rules = Rules { lengths: Lengths::Ignore, ..self.rules };
        let mut path = vec![];
        let mut fits = |row| {
            path.clear();
            find(array.as_ref(), &self.ty, args[0].index(row), rules, &mut path).is_none()
        };
        Ok(Arc::new((0..rows).map(|row| Some(fits(row))).collect::<BooleanArray>()))
    }
}

/// What is wrong with a value.
enum Violation {
    Null,
    Length { declared: LogicalType, length: usize },
}

impl Violation {
    /// `path` leads to the value.
    fn error(&self, path: &[String]) -> Error {
        let column = path.concat();
        match self {
            Self::Null => Error::user(
                "null-in-not-null-column",
                format!(
                    "Column '{column}' is NOT NULL, however, a null value is being written into it. You can set job \
                     configuration 'table.exec.sink.not-null-enforcer'='DROP' to suppress this exception and drop such \
                     records silently."
                ),
            ),
            Self::Length { declared, length } => Error::user(
                "wrong-length",
                format!(
                    "Column '{column}' is {}, however, a string of length {length} is being written into it. You can \
                     set job configuration 'table.exec.sink.type-length-enforcer' to control this behaviour",
                    declared.clone().with_nullable(true)
                ),
            ),
        }
    }
}

/// The first violation within a value that may itself be NULL; `path` then leads to it.
fn find(array: &dyn Array, ty: &LogicalType, row: usize, rules: Rules, path: &mut Vec<String>) -> Option<Violation> {
    if array.is_null(row) {
        return None;
    }
    if let (Lengths::Fail, Some((length, exact, bytes))) = (rules.lengths, limit(ty)) {
        let actual = if bytes {
            array.as_binary::<i32>().value(row).len()
        } else {
            array.as_string::<i32>().value(row).chars().count()
        };
        let fits = if exact { actual == length } else { actual <= length };
        return (!fits).then(|| Violation::Length { declared: ty.clone(), length: actual });
    }
    match &ty.root {
        TypeRoot::Row(fields) if rules.depth >= Depth::Rows => {
            let columns = array.as_struct().columns();
            fields.iter().zip(columns).find_map(|(field, column)| {
                inside(column.as_ref(), &field.ty, row, rules, path, || format!(".{}", field.name))
            })
        }
        TypeRoot::Array(element) if rules.depth == Depth::Collections => {
            let elements = array.as_list::<i32>().value(row);
            (0..elements.len())
                .find_map(|at| inside(elements.as_ref(), element, at, rules, path, || "[element]".to_owned()))
        }
        TypeRoot::Map(key, value) if rules.depth == Depth::Collections => {
            let entries = array.as_map().value(row);
            let (keys, values) = (entries.column(0), entries.column(1));
            (0..entries.len()).find_map(|at| {
                inside(keys.as_ref(), key, at, rules, path, || "[key]".to_owned())
                    .or_else(|| inside(values.as_ref(), value, at, rules, path, || "[value]".to_owned()))
            })
        }
        TypeRoot::Multiset(element) if rules.depth == Depth::Collections => {
            let entries = array.as_map().value(row);
            let elements = entries.column(0);
            (0..entries.len())
                .find_map(|at| inside(elements.as_ref(), element, at, rules, path, || "[element]".to_owned()))
        }
        _ => None,
    }
}

/// The first violation of a value inside of another, which is `name` there.
fn inside(
    array: &dyn Array,
    ty: &LogicalType,
    row: usize,
    rules: Rules,
    path: &mut Vec<String>,
    name: impl Fn() -> String,
) -> Option<Violation> {
    if array.is_null(row) && !ty.nullable && rules.nulls {
        path.push(name());
        return Some(Violation::Null);
    }
    path.push(name());
    let found = find(array, ty, row, rules, path);
    if found.is_none() {
        path.pop();
    }
    found
}

/// Cuts and pads strings: those of columns, and of fields of rows if these are checked.
fn fit(array: &ArrayRef, ty: &LogicalType, rules: Rules) -> Result<ArrayRef> {
    match (&ty.root, limit(ty)) {
        (_, Some((length, exact, true))) => Ok(Arc::new(fit_bytes(array.as_binary(), length, exact))),
        (_, Some((length, exact, false))) => Ok(Arc::new(fit_text(array.as_string(), length, exact))),
        (TypeRoot::Row(fields), _) if rules.depth >= Depth::Rows => {
            let row = array.as_struct();
            let columns = row.columns().iter().zip(fields);
            let fitted = columns.map(|(column, field)| fit(column, &field.ty, rules)).collect::<Result<Vec<_>>>()?;
            let row = StructArray::try_new(row.fields().clone(), fitted, row.nulls().cloned());
            Ok(Arc::new(row.map_err(|e| Error::internal(format!("fitted fields are no row: {e}")))?))
        }
        _ => Ok(array.clone()),
    }
}

fn fit_text(array: &StringArray, length: usize, exact: bool) -> StringArray {
    let fit = |text: &str| -> String {
        let mut fitted: String = text.chars().take(length).collect();
        if exact {
            fitted.extend(std::iter::repeat_n(' ', length - fitted.chars().count()));
        }
        fitted
    };
    array.iter().map(|text| text.map(fit)).collect()
}

fn fit_bytes(array: &BinaryArray, length: usize, exact: bool) -> BinaryArray {
    let fit = |bytes: &[u8]| -> Vec<u8> {
        let mut fitted = bytes[..bytes.len().min(length)].to_vec();
        if exact {
            fitted.resize(length, 0);
        }
        fitted
    };
    array.iter().map(|bytes| bytes.map(fit)).collect()
}

#[cfg(test)]
mod tests;
