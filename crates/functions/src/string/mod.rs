//! String functions.
//!
//! Lengths and positions count characters (code points); positions start at 1. Texts are never padded.
//! Unless a function says otherwise a NULL argument gives NULL.
//!
//! Calls with special syntax are plain calls here: `SUBSTRING(s FROM i FOR n)` is `SUBSTRING(s, i, n)`,
//! `POSITION(n IN h FROM i)` is `POSITION(n, h, i)`, `OVERLAY(s PLACING r FROM i FOR n)` is
//! `OVERLAY(s, r, i, n)`, `TRIM(BOTH c FROM s)` is `TRIM('BOTH', c, s)` with `' '` for absent characters.

mod case;
mod concat;
mod elt;
mod encoding;
mod inet;
mod length;
mod pad;
mod printf;
mod replace;
mod search;
mod slice;
mod split;
#[cfg(test)]
mod tests;
mod trim;
mod utf8;

use crate::kernel::Call;
use crate::{Bound, Function};
use headwater_types::{LogicalType, Result, TypeRoot};

/// The functions of this group.
pub const FUNCTIONS: &[Function] = &[
    concat::CONCAT_OPERATOR,
    concat::CONCAT,
    concat::CONCAT_WS,
    concat::REPEAT,
    length::CHAR_LENGTH,
    length::ASCII,
    length::CHR,
    case::UPPER,
    case::LOWER,
    case::INITCAP,
    search::POSITION,
    search::INSTR,
    search::STARTSWITH,
    search::ENDSWITH,
    trim::TRIM,
    trim::LTRIM,
    trim::RTRIM,
    trim::BTRIM,
    slice::SUBSTRING,
    slice::LEFT,
    slice::RIGHT,
    slice::OVERLAY,
    slice::REVERSE,
    replace::REPLACE,
    replace::TRANSLATE,
    pad::LPAD,
    pad::RPAD,
    split::SPLIT_INDEX,
    split::SPLIT,
    split::STR_TO_MAP,
    elt::ELT,
    printf::PRINTF,
    encoding::TO_BASE64,
    encoding::FROM_BASE64,
    encoding::ENCODE,
    encoding::DECODE,
    utf8::IS_VALID_UTF8,
    utf8::MAKE_VALID_UTF8,
    inet::INET_ATON,
    inet::INET_NTOA,
];

/// A text type as VARCHAR of the same length.
fn varying(ty: &LogicalType) -> LogicalType {
    match ty.root {
        TypeRoot::Char(length) => LogicalType::new(TypeRoot::VarChar(length), ty.nullable),
        _ => ty.clone(),
    }
}

/// Types a call of one text whose result has the same type.
fn same_type(call: &Call<'_>) -> Result<Bound> {
    let types = call.all_strings(1..=1)?;
    let root = types[0].root.clone();
    call.returns(types, root)
}
