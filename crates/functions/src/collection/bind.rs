//! Typing of calls on collections.

use crate::kernel::Call;
use crate::types::common_type;
use headwater_types::{LogicalType, Result, TypeRoot};

/// The element type of the array at `index`.
pub(super) fn element<'a>(call: &'a Call<'_>, index: usize) -> Result<&'a LogicalType> {
    match &call.ty(index).root {
        TypeRoot::Array(element) => Ok(element),
        _ => Err(call.error()),
    }
}

/// The key and value types of the map at `index`.
pub(super) fn key_value<'a>(call: &'a Call<'_>, index: usize) -> Result<(&'a LogicalType, &'a LogicalType)> {
    match &call.ty(index).root {
        TypeRoot::Map(key, value) => Ok((key, value)),
        _ => Err(call.error()),
    }
}

/// The types of an array and of a value that is looked for in it.
pub(super) fn array_and_needle(call: &Call<'_>) -> Result<Vec<LogicalType>> {
    call.arity(2..=2)?;
    let element = element(call, 0)?.root.clone();
    Ok(vec![call.ty(0).clone(), call.implicit(1, element)?])
}

/// The type that all arguments from `from` on have in common, if it is one that `accepts` takes.
pub(super) fn common(call: &Call<'_>, from: usize, accepts: fn(&TypeRoot) -> bool) -> Result<LogicalType> {
    let types: Vec<_> = call.args[from..].iter().map(|arg| arg.ty.clone()).collect();
    common_type(&types).filter(|ty| accepts(&ty.root)).ok_or_else(|| call.error())
}

/// An array type of nullable or other elements.
pub(super) fn array_of(element: LogicalType) -> TypeRoot {
    TypeRoot::Array(Box::new(element))
}
