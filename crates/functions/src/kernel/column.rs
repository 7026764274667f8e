//! Operands as typed columns.

use crate::Operand;
use arrow::array::{Array, BinaryArray, BooleanArray, PrimitiveArray, StringArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::ArrowPrimitiveType;
use headwater_types::{Error, Result};

/// An array type that functions read values from.
pub trait Input: Array + 'static {
    /// A value of the array.
    type Item<'a>: Copy;

    /// The value at `index`; something arbitrary where the array is NULL.
    fn item(&self, index: usize) -> Self::Item<'_>;
}

impl<T: ArrowPrimitiveType> Input for PrimitiveArray<T> {
    type Item<'a> = T::Native;

    #[inline]
    fn item(&self, index: usize) -> T::Native {
        self.value(index)
    }
}

impl Input for BooleanArray {
    type Item<'a> = bool;

    #[inline]
    fn item(&self, index: usize) -> bool {
        self.value(index)
    }
}

impl Input for StringArray {
    type Item<'a> = &'a str;

    #[inline]
    fn item(&self, index: usize) -> &str {
        self.value(index)
    }
}

impl Input for BinaryArray {
    type Item<'a> = &'a [u8];

    #[inline]
    fn item(&self, index: usize) -> &[u8] {
        self.value(index)
    }
}

/// The array as its concrete type. An argument of another type than was bound is an internal error.
pub fn downcast<A: Array + 'static>(array: &dyn Array) -> Result<&A> {
    array.as_any().downcast_ref().ok_or_else(|| {
        let wanted = std::any::type_name::<A>();
        Error::internal(format!("expected a column of type {wanted}, got {}", array.data_type()))
    })
}

/// An operand read as a typed column.
pub struct Column<'a, A> {
    array: &'a A,
    /// Distance between the values of adjacent rows: 0 for a scalar, so that reading needs no branch.
    stride: usize,
}

impl<A> Clone for Column<'_, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for Column<'_, A> {}

impl<'a, A: Input> Column<'a, A> {
    /// The operand at `index` of the arguments.
    pub fn of(args: &'a [Operand], index: usize) -> Result<Self> {
        let operand =
            args.get(index).ok_or_else(|| Error::internal(format!("argument {index} of a bound call is missing")))?;
        let stride = usize::from(matches!(operand, Operand::Array(_)));
        Ok(Self { array: downcast(operand.array().as_ref())?, stride })
    }

    /// The underlying array.
    pub fn array(&self) -> &'a A {
        self.array
    }

    /// Whether every row has the same value.
    pub fn is_scalar(&self) -> bool {
        self.stride == 0
    }

    /// Whether the value of `row` is NULL.
    #[inline]
    pub fn is_null(&self, row: usize) -> bool {
        self.array.is_null(row * self.stride)
    }

    /// The value of `row`; something arbitrary when it is NULL.
    #[inline]
    pub fn value(&self, row: usize) -> A::Item<'a> {
        self.array.item(row * self.stride)
    }

    /// The value of `row` unless it is NULL.
    #[inline]
    pub fn get(&self, row: usize) -> Option<A::Item<'a>> {
        if self.is_null(row) { None } else { Some(self.value(row)) }
    }

    /// Which of `rows` rows are valid; `None` when all are.
    pub fn nulls(&self, rows: usize) -> Option<NullBuffer> {
        match self.stride {
            0 if self.array.is_null(0) => Some(NullBuffer::new_null(rows)),
            0 => None,
            _ => self.array.nulls().filter(|n| n.null_count() > 0).cloned(),
        }
    }
}

/// Which of `rows` rows of an operand are valid; `None` when all are.
pub fn operand_nulls(operand: &Operand, rows: usize) -> Option<NullBuffer> {
    let array = operand.array();
    match operand {
        // An array of type NULL has no null buffer.
        Operand::Scalar(_) if array.logical_null_count() > 0 => Some(NullBuffer::new_null(rows)),
        Operand::Scalar(_) => None,
        Operand::Array(_) => array.logical_nulls().filter(|n| n.null_count() > 0),
    }
}
