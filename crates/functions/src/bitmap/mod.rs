//! BITMAP: sets of integers, and the functions on them.
//!
//! Integers are signed in arrays and unsigned in the order of a set and in its text.

mod roaring;
#[cfg(test)]
mod tests;

pub use roaring::{Bitmap, Operation, build};

use crate::kernel::{Call, kernel, map1, map2, primitives, strings};
use crate::{Bound, Function, Operand};
use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder, Int32Builder, ListArray, ListBuilder};
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use headwater_data::arrow_types::arrow_type;
use headwater_types::logical_type::LENGTH_MAX;
use headwater_types::{Error, LogicalType, Result, TypeRoot};
use std::fmt::Write;

/// The functions on bitmaps.
pub(crate) const FUNCTIONS: &[Function] = &[
    BITMAP_AND,
    BITMAP_ANDNOT,
    BITMAP_OR,
    BITMAP_XOR,
    BITMAP_BUILD,
    BITMAP_CARDINALITY,
    BITMAP_FROM_BYTES,
    BITMAP_TO_BYTES,
    BITMAP_TO_ARRAY,
    BITMAP_TO_STRING,
];

const BITMAP_AND: Function =
    Function::new("BITMAP_AND", "BITMAP_AND(bitmap1 <BITMAP>, bitmap2 <BITMAP>)", bind_two, |_| {
        kernel(|args, rows| combine(args, rows, Operation::And))
    });

const BITMAP_ANDNOT: Function =
    Function::new("BITMAP_ANDNOT", "BITMAP_ANDNOT(bitmap1 <BITMAP>, bitmap2 <BITMAP>)", bind_two, |_| {
        kernel(|args, rows| combine(args, rows, Operation::AndNot))
    });

const BITMAP_OR: Function =
    Function::new("BITMAP_OR", "BITMAP_OR(bitmap1 <BITMAP>, bitmap2 <BITMAP>)", bind_two, |_| {
        kernel(|args, rows| combine(args, rows, Operation::Or))
    });

const BITMAP_XOR: Function =
    Function::new("BITMAP_XOR", "BITMAP_XOR(bitmap1 <BITMAP>, bitmap2 <BITMAP>)", bind_two, |_| {
        kernel(|args, rows| combine(args, rows, Operation::Xor))
    });

/// `BITMAP_BUILD(array)`: NULL elements are left out.
const BITMAP_BUILD: Function = Function::new(
    "BITMAP_BUILD",
    "BITMAP_BUILD(array <ARRAY<INT>>)",
    |call| {
        call.arity(1..=1)?;
        call.returns(vec![call.implicit(0, ints())?], TypeRoot::Bitmap)
    },
    |_| kernel(build_rows),
);

const BITMAP_CARDINALITY: Function = Function::new(
    "BITMAP_CARDINALITY",
    "BITMAP_CARDINALITY(bitmap <BITMAP>)",
    |call| bind_one(call, TypeRoot::BigInt),
    |_| {
        kernel(|args, rows| {
            let out = primitives::<Int64Type>(rows, &DataType::Int64);
            map1::<BinaryArray, _>(args, rows, out, |bytes, out| {
                out.append_value(Bitmap::parse(bytes)?.cardinality() as i64);
                Ok(())
            })
        })
    },
);

/// `BITMAP_FROM_BYTES(bytes)`: fails when they are no Roaring bitmap.
const BITMAP_FROM_BYTES: Function = Function::new(
    "BITMAP_FROM_BYTES",
    "BITMAP_FROM_BYTES(bytes <BINARY_STRING>)",
    |call| {
        call.arity(1..=1)?;
        call.returns(vec![call.binary(0)?], TypeRoot::Bitmap)
    },
    |_| {
        kernel(|args, rows| {
            map1::<BinaryArray, _>(args, rows, BinaryBuilder::new(), |bytes, out| {
                Bitmap::parse(bytes)?;
                out.append_value(bytes);
                Ok(())
            })
        })
    },
);

const BITMAP_TO_BYTES: Function = Function::new(
    "BITMAP_TO_BYTES",
    "BITMAP_TO_BYTES(bitmap <BITMAP>)",
    |call| bind_one(call, TypeRoot::VarBinary(LENGTH_MAX)),
    |_| {
        kernel(|args, rows| {
            map1::<BinaryArray, _>(args, rows, BinaryBuilder::new(), |bytes, out| {
                out.append_value(bytes);
                Ok(())
            })
        })
    },
);

const BITMAP_TO_ARRAY: Function = Function::new(
    "BITMAP_TO_ARRAY",
    "BITMAP_TO_ARRAY(bitmap <BITMAP>)",
    |call| bind_one(call, ints()),
    |ctx| {
        let DataType::List(item) = arrow_type(ctx.return_type) else {
            return Err(Error::internal("BITMAP_TO_ARRAY returns an array"));
        };
        kernel(move |args, rows| {
            let out = ListBuilder::new(Int32Builder::new()).with_field(item.clone());
            map1::<BinaryArray, _>(args, rows, out, |bytes, out| {
                Bitmap::parse(bytes)?.members().for_each(|member| out.values().append_value(member.cast_signed()));
                out.append(true);
                Ok(())
            })
        })
    },
);

const BITMAP_TO_STRING: Function = Function::new(
    "BITMAP_TO_STRING",
    "BITMAP_TO_STRING(bitmap <BITMAP>)",
    |call| bind_one(call, LogicalType::string().root),
    |_| {
        kernel(|args, rows| {
            map1::<BinaryArray, _>(args, rows, strings(rows), |bytes, out| {
                let mut text = String::new();
                push_text(&mut text, bytes);
                out.append_value(text);
                Ok(())
            })
        })
    },
);

fn ints() -> TypeRoot {
    TypeRoot::Array(Box::new(TypeRoot::Int.into()))
}

fn bitmap(call: &Call<'_>, index: usize) -> Result<LogicalType> {
    call.matching(index, TypeRoot::Bitmap, |ty| ty.root == TypeRoot::Bitmap)
}

fn bind_one(call: &Call<'_>, root: TypeRoot) -> Result<Bound> {
    call.arity(1..=1)?;
    call.returns(vec![bitmap(call, 0)?], root)
}

fn bind_two(call: &Call<'_>) -> Result<Bound> {
    call.arity(2..=2)?;
    call.returns(vec![bitmap(call, 0)?, bitmap(call, 1)?], TypeRoot::Bitmap)
}

fn combine(args: &[Operand], rows: usize, operation: Operation) -> Result<ArrayRef> {
    map2::<BinaryArray, BinaryArray, _>(args, rows, BinaryBuilder::new(), |left, right, out| {
        out.append_value(Bitmap::parse(left)?.combine(&Bitmap::parse(right)?, operation));
        Ok(())
    })
}

fn build_rows(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let operand = args.first().ok_or_else(|| Error::internal("BITMAP_BUILD has one argument"))?;
    let arrays: &ListArray = crate::kernel::downcast(operand.array().as_ref())?;
    let mut out = BinaryBuilder::new();
    for row in 0..rows {
        let row = operand.index(row);
        if arrays.is_null(row) {
            out.append_null();
            continue;
        }
        let elements = arrays.value(row);
        let members = elements.as_primitive::<Int32Type>().iter().flatten().map(i32::cast_unsigned).collect();
        out.append_value(build(members));
    }
    Ok(std::sync::Arc::new(out.finish()))
}

/// Appends the members of a bitmap as text: `{1,2,3}`.
pub(crate) fn push_text(out: &mut String, bytes: &[u8]) {
    // A value of type BITMAP was parsed when it was made.
    let Ok(bitmap) = Bitmap::parse(bytes) else { return };
    for (index, member) in bitmap.members().enumerate() {
        out.push(if index == 0 { '{' } else { ',' });
        // Writing to a string never fails.
        let _ = write!(out, "{member}");
    }
    out.push_str(if bitmap.cardinality() == 0 { "{}" } else { "}" });
}
