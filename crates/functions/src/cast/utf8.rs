//! Bytes that may or may not be UTF-8 text: IS_VALID_UTF8, MAKE_VALID_UTF8.

use crate::kernel::{boolean1, kernel, map1, strings};
use crate::{Bound, Call, Function};
use arrow::array::{BinaryArray, StringBuilder};
use headwater_types::{LogicalType, Result, TypeRoot};

/// The functions of this group.
pub const FUNCTIONS: &[Function] = &[
    Function::new(
        "IS_VALID_UTF8",
        "IS_VALID_UTF8(<BINARY_STRING>)",
        |call| bind(call, TypeRoot::Boolean),
        |_| kernel(|args, rows| boolean1::<BinaryArray>(args, rows, |bytes| std::str::from_utf8(bytes).is_ok())),
    ),
    Function::new(
        "MAKE_VALID_UTF8",
        "MAKE_VALID_UTF8(<BINARY_STRING>)",
        |call| bind(call, LogicalType::string().root),
        |_| {
            kernel(|args, rows| {
                map1::<BinaryArray, _>(args, rows, strings(rows), |bytes, out: &mut StringBuilder| {
                    out.append_value(repaired(bytes));
                    Ok(())
                })
            })
        },
    ),
];

fn bind(call: &Call<'_>, root: TypeRoot) -> Result<Bound> {
    call.arity(1..=1)?;
    call.returns(vec![call.binary(0)?], root)
}

/// The text with U+FFFD for every malformed sequence. An encoded surrogate is one sequence, as in Java.
fn repaired(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    loop {
        let error = match std::str::from_utf8(rest) {
            Ok(valid) => {
                text.push_str(valid);
                return text;
            }
            Err(error) => error,
        };
        let (valid, malformed) = rest.split_at(error.valid_up_to());
        text.push_str(&String::from_utf8_lossy(valid));
        text.push('\u{FFFD}');
        rest = match (malformed, error.error_len()) {
            ([0xED, 0xA0..=0xBF, 0x80..=0xBF, rest @ ..], _) => rest,
            (_, Some(length)) => &malformed[length..],
            (_, None) => return text,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::repaired;

    #[test]
    fn malformed_sequences_become_replacement_characters() {
        let cases: [(&[u8], &str); 7] = [
            (b"Hello", "Hello"),
            ("é€😀".as_bytes(), "é€😀"),
            (&[128], "\u{FFFD}"),
            (&[226, 130], "\u{FFFD}"),
            (&[192, 175], "\u{FFFD}\u{FFFD}"),
            (&[237, 160, 128], "\u{FFFD}"),
            (b"AB\xFFCD", "AB\u{FFFD}CD"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(repaired(bytes), expected, "{bytes:?}");
        }
    }
}
