//! Values as text, exactly as Flink shows them.
//!
//! Every `push_*` function appends to a buffer that the caller reuses. A [`Formatter`] does the same for the
//! values of a column of any type; [`display`] is its convenience for one value. CAST to STRING, the print
//! connector, the command line and the test runner all share these functions, so that text looks the same
//! everywhere.
//!
//! | type | text |
//! |---|---|
//! | BOOLEAN | `TRUE`, `FALSE` |
//! | FLOAT, DOUBLE | Java's: `1.0`, `1.0E10`, `NaN` |
//! | TIMESTAMP(3) | `2024-02-29 12:00:00.000` |
//! | TIMESTAMP_LTZ(3) | the same, in the session time zone |
//! | BYTES | `x'0a1b'`; under CAST the UTF-8 text they hold |
//! | INTERVAL | `+1-06`, `-2 03:04:05.006` |
//! | ARRAY, MAP, ROW | `[1, NULL]`, `{k=v}`, `(1, a)` |

mod decimal;
mod float;
mod formatter;
mod temporal;
#[cfg(test)]
mod tests;

pub use decimal::push_decimal;
pub use float::{push_double, push_float};
pub use formatter::{Formatter, display};
pub use temporal::{push_date, push_interval_day_time, push_interval_year_month, push_time, push_timestamp};

/// Appends an integer.
#[inline]
pub fn push_integer(out: &mut String, value: impl itoa::Integer) {
    out.push_str(itoa::Buffer::new().format(value));
}

/// Appends bytes as `x'0a1b'`.
pub fn push_binary(out: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push_str("x'");
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)] as char);
        out.push(DIGITS[usize::from(byte & 15)] as char);
    }
    out.push('\'');
}

/// Appends a non-negative number with at least `width` digits.
#[inline]
pub(crate) fn push_padded(out: &mut String, value: u64, width: usize) {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(value);
    for _ in digits.len()..width {
        out.push('0');
    }
    out.push_str(digits);
}
