//! Decimals as text.

use super::push_integer;

/// Appends a decimal with all digits of its scale and no exponent.
pub fn push_decimal(out: &mut String, unscaled: i128, scale: u8) {
    if scale == 0 {
        return push_integer(out, unscaled);
    }
    if unscaled < 0 {
        out.push('-');
    }
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(unscaled.unsigned_abs());
    let scale = usize::from(scale);
    match digits.len().checked_sub(scale) {
        Some(whole) if whole > 0 => {
            out.push_str(&digits[..whole]);
            out.push('.');
            out.push_str(&digits[whole..]);
        }
        _ => {
            out.push_str("0.");
            out.extend(std::iter::repeat_n('0', scale - digits.len()));
            out.push_str(digits);
        }
    }
}
