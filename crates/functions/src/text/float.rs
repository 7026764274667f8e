//! Floating point numbers as Java shows them.
//!
//! The digits are the shortest that read back as the same number. The layout is plain from 10^-3 up to 10^7,
//! with at least one digit after the point, and scientific (`1.0E10`) elsewhere.

use super::push_integer;

/// Appends a DOUBLE.
pub fn push_double(out: &mut String, value: f64) {
    if value.is_finite() {
        push_finite(out, ryu::Buffer::new().format_finite(value), is_plain(value.abs()));
    } else {
        push_special(out, value);
    }
}

/// Appends a FLOAT.
pub fn push_float(out: &mut String, value: f32) {
    if value.is_finite() {
        push_finite(out, ryu::Buffer::new().format_finite(value), is_plain(f64::from(value.abs())));
    } else {
        push_special(out, f64::from(value));
    }
}

fn push_special(out: &mut String, value: f64) {
    out.push_str(match (value.is_nan(), value > 0.0) {
        (true, _) => "NaN",
        (_, true) => "Infinity",
        _ => "-Infinity",
    });
}

fn is_plain(magnitude: f64) -> bool {
    magnitude == 0.0 || (1e-3..1e7).contains(&magnitude)
}

/// Within the plain range the shortest-digits text already has Java's layout.
fn push_finite(out: &mut String, shortest: &str, plain: bool) {
    if plain { out.push_str(shortest) } else { push_scientific(out, shortest) }
}

/// Lays out `shortest` (plain or with an exponent) as `d.dddE±n`.
fn push_scientific(out: &mut String, shortest: &str) {
    let (sign, unsigned) = match shortest.strip_prefix('-') {
        Some(unsigned) => ("-", unsigned),
        None => ("", shortest),
    };
    let (mantissa, exponent) = unsigned.split_once('e').unwrap_or((unsigned, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    let leading_zeros = digits.len() - digits.trim_start_matches('0').len();
    let digits = digits.trim_matches('0');
    out.push_str(sign);
    out.push_str(&digits[..1]);
    out.push('.');
    out.push_str(if digits.len() > 1 { &digits[1..] } else { "0" });
    out.push('E');
    push_integer(out, whole.len() as i32 + exponent - 1 - leading_zeros as i32);
}
