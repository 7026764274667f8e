//! From functions of values to functions of columns.
//!
//! Every mapper gives NULL when an argument is NULL. Those that take a builder call the closure only for
//! rows whose arguments are all present; it appends exactly one value, or NULL, or fails. The
//! `primitive` and `boolean` mappers have no branch per row: they call the closure also for the arbitrary
//! values under NULLs, so it must be total.

use super::{Column, Input};
use crate::Operand;
use arrow::array::{
    ArrayBuilder, ArrayRef, BinaryBuilder, BooleanArray, BooleanBuilder, ListBuilder, PrimitiveArray, PrimitiveBuilder,
    StringBuilder,
};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{ArrowPrimitiveType, DataType};
use headwater_types::Result;
use std::sync::Arc;

/// A builder that takes NULLs.
pub trait NullableBuilder: ArrayBuilder {
    /// Appends NULL.
    fn push_null(&mut self);
}

impl<T: ArrowPrimitiveType> NullableBuilder for PrimitiveBuilder<T> {
    fn push_null(&mut self) {
        self.append_null();
    }
}

impl NullableBuilder for StringBuilder {
    fn push_null(&mut self) {
        self.append_null();
    }
}

impl NullableBuilder for BinaryBuilder {
    fn push_null(&mut self) {
        self.append_null();
    }
}

impl NullableBuilder for BooleanBuilder {
    fn push_null(&mut self) {
        self.append_null();
    }
}

impl<B: ArrayBuilder> NullableBuilder for ListBuilder<B> {
    fn push_null(&mut self) {
        self.append_null();
    }
}

/// A string builder for `rows` short texts.
pub fn strings(rows: usize) -> StringBuilder {
    StringBuilder::with_capacity(rows, rows * 16)
}

/// A primitive builder for `rows` values of the given type (which carries scale or zone).
pub fn primitives<T: ArrowPrimitiveType>(rows: usize, ty: &DataType) -> PrimitiveBuilder<T> {
    PrimitiveBuilder::with_capacity(rows).with_data_type(ty.clone())
}

/// The rows where both sides are valid.
pub fn merged_nulls(left: Option<NullBuffer>, right: Option<NullBuffer>) -> Option<NullBuffer> {
    NullBuffer::union(left.as_ref(), right.as_ref())
}

/// Maps one column with a builder.
pub fn map1<A: Input, B: NullableBuilder>(
    args: &[Operand],
    rows: usize,
    mut out: B,
    mut f: impl FnMut(A::Item<'_>, &mut B) -> Result<()>,
) -> Result<ArrayRef> {
    let a = Column::<A>::of(args, 0)?;
    for row in 0..rows {
        match a.get(row) {
            Some(a) => f(a, &mut out)?,
            None => out.push_null(),
        }
    }
    Ok(out.finish())
}

/// Maps two columns with a builder.
pub fn map2<A: Input, B: Input, O: NullableBuilder>(
    args: &[Operand],
    rows: usize,
    mut out: O,
    mut f: impl FnMut(A::Item<'_>, B::Item<'_>, &mut O) -> Result<()>,
) -> Result<ArrayRef> {
    let (a, b) = (Column::<A>::of(args, 0)?, Column::<B>::of(args, 1)?);
    for row in 0..rows {
        match (a.get(row), b.get(row)) {
            (Some(a), Some(b)) => f(a, b, &mut out)?,
            _ => out.push_null(),
        }
    }
    Ok(out.finish())
}

/// Maps three columns with a builder.
pub fn map3<A: Input, B: Input, C: Input, O: NullableBuilder>(
    args: &[Operand],
    rows: usize,
    mut out: O,
    mut f: impl FnMut(A::Item<'_>, B::Item<'_>, C::Item<'_>, &mut O) -> Result<()>,
) -> Result<ArrayRef> {
    let (a, b, c) = (Column::<A>::of(args, 0)?, Column::<B>::of(args, 1)?, Column::<C>::of(args, 2)?);
    for row in 0..rows {
        match (a.get(row), b.get(row), c.get(row)) {
            (Some(a), Some(b), Some(c)) => f(a, b, c, &mut out)?,
            _ => out.push_null(),
        }
    }
    Ok(out.finish())
}

/// Maps one column to primitives of Arrow type `ty` with a total function.
pub fn primitive1<A: Input, O: ArrowPrimitiveType>(
    args: &[Operand],
    rows: usize,
    ty: &DataType,
    f: impl Fn(A::Item<'_>) -> O::Native,
) -> Result<ArrayRef> {
    let a = Column::<A>::of(args, 0)?;
    let values = (0..rows).map(|row| f(a.value(row))).collect::<Vec<_>>();
    Ok(Arc::new(PrimitiveArray::<O>::new(values.into(), a.nulls(rows)).with_data_type(ty.clone())))
}

/// Maps two columns to primitives of Arrow type `ty` with a total function.
pub fn primitive2<A: Input, B: Input, O: ArrowPrimitiveType>(
    args: &[Operand],
    rows: usize,
    ty: &DataType,
    f: impl Fn(A::Item<'_>, B::Item<'_>) -> O::Native,
) -> Result<ArrayRef> {
    let (a, b) = (Column::<A>::of(args, 0)?, Column::<B>::of(args, 1)?);
    let values = (0..rows).map(|row| f(a.value(row), b.value(row))).collect::<Vec<_>>();
    let nulls = merged_nulls(a.nulls(rows), b.nulls(rows));
    Ok(Arc::new(PrimitiveArray::<O>::new(values.into(), nulls).with_data_type(ty.clone())))
}

/// Maps one column to booleans with a total function.
pub fn boolean1<A: Input>(args: &[Operand], rows: usize, f: impl Fn(A::Item<'_>) -> bool) -> Result<ArrayRef> {
    let a = Column::<A>::of(args, 0)?;
    let values = BooleanBuffer::collect_bool(rows, |row| f(a.value(row)));
    Ok(Arc::new(BooleanArray::new(values, a.nulls(rows))))
}

/// Maps two columns to booleans with a total function.
pub fn boolean2<A: Input, B: Input>(
    args: &[Operand],
    rows: usize,
    f: impl Fn(A::Item<'_>, B::Item<'_>) -> bool,
) -> Result<ArrayRef> {
    let (a, b) = (Column::<A>::of(args, 0)?, Column::<B>::of(args, 1)?);
    let values = BooleanBuffer::collect_bool(rows, |row| f(a.value(row), b.value(row)));
    Ok(Arc::new(BooleanArray::new(values, merged_nulls(a.nulls(rows), b.nulls(rows)))))
}
