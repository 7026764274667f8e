//! BITMAP_BUILD_AGG and its like: the members of a group, or its bitmaps combined.

use arrow::array::{ArrayRef, AsArray, BinaryArray, Int64Array};
use arrow::datatypes::Int32Type;
use headwater_functions::bitmap::{Bitmap, Operation, build};
use headwater_types::{Error, Result};
use std::sync::Arc;

/// What becomes of the values of a group.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct BitmapForm {
    /// How bitmaps are combined; `None` when the values are members.
    operation: Option<Operation>,
    /// Whether the number of members is the result.
    cardinality: bool,
}

impl BitmapForm {
    /// The form of a function; `None` when it is no aggregate of bitmaps.
    pub(super) fn of(function: &str) -> Option<Self> {
        let name = function.strip_prefix("BITMAP_")?.strip_suffix("_AGG")?;
        let (name, cardinality) = name.strip_suffix("_CARDINALITY").map_or((name, false), |name| (name, true));
        let operation = match name {
            "BUILD" => None,
            "AND" => Some(Operation::And),
            "OR" => Some(Operation::Or),
            "XOR" => Some(Operation::Xor),
            _ => return None,
        };
        Some(Self { operation, cardinality })
    }

    /// The results for groups of so many entries each; `columns` holds the values of all entries, group after group.
    pub(super) fn results(&self, columns: &[ArrayRef], lengths: impl Iterator<Item = usize>) -> Result<ArrayRef> {
        let values = columns.first().ok_or_else(|| Error::internal("an aggregate of bitmaps has one argument"))?;
        let mut next = 0;
        let mut sets: Vec<Option<Vec<u8>>> = vec![];
        for length in lengths {
            let entries = values.slice(next, length);
            next += length;
            sets.push(if length == 0 { None } else { Some(self.set(&entries)?) });
        }
        if !self.cardinality {
            return Ok(Arc::new(sets.iter().map(Option::as_deref).collect::<BinaryArray>()));
        }
        let count = |set: &Option<Vec<u8>>| {
            set.as_ref().map(|set| Bitmap::parse(set).map(|bitmap| bitmap.cardinality() as i64)).transpose()
        };
        Ok(Arc::new(sets.iter().map(count).collect::<Result<Int64Array>>()?))
    }

    fn set(&self, entries: &ArrayRef) -> Result<Vec<u8>> {
        let Some(operation) = self.operation else {
            let members = entries.as_primitive::<Int32Type>().values();
            return Ok(build(members.iter().map(|member| member.cast_unsigned()).collect()));
        };
        let mut bitmaps = entries.as_binary::<i32>().iter().flatten();
        let mut set = bitmaps.next().unwrap_or_default().to_vec();
        for other in bitmaps {
            set = Bitmap::parse(&set)?.combine(&Bitmap::parse(other)?, operation);
        }
        Ok(set)
    }
}
