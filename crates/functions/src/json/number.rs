//! Numbers of JSON texts as Java shows them.

/// Appends a JSON number: an integer without a negative zero, anything else as Java's `BigDecimal` prints it.
pub(super) fn push_canonical(out: &mut String, number: &str) {
    if !number.contains(['.', 'e', 'E']) {
        out.push_str(if number == "-0" { "0" } else { number });
        return;
    }
    match Decimal::parse(number) {
        Some(decimal) => decimal.push(out),
        None => out.push_str(number),
    }
}

/// `digits × 10^-scale`.
struct Decimal<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    scale: i64,
}

impl<'a> Decimal<'a> {
    fn parse(number: &'a str) -> Option<Self> {
        let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
        let magnitude = mantissa.strip_prefix('-');
        let negative = magnitude.is_some();
        let (whole, fraction) =
            magnitude.unwrap_or(mantissa).split_once('.').unwrap_or((magnitude.unwrap_or(mantissa), ""));
        let scale = (fraction.len() as i64).checked_sub(exponent.parse::<i64>().ok()?)?;
        Some(Self { negative, whole, fraction, scale })
    }

    fn push(&self, out: &mut String) {
        let all = [self.whole, self.fraction].concat();
        let digits = match all.trim_start_matches('0') {
            "" => "0",
            digits => digits,
        };
        if self.negative && digits != "0" {
            out.push('-');
        }
        let exponent = digits.len() as i64 - 1 - self.scale;
        if self.scale >= 0 && exponent >= -6 {
            self.push_plain(out, digits);
            return;
        }
        out.push_str(&digits[..1]);
        if digits.len() > 1 {
            out.push('.');
            out.push_str(&digits[1..]);
        }
        if exponent != 0 {
            out.push_str(&format!("E{exponent:+}"));
        }
    }

    /// Without an exponent; `scale` is not negative and at most six longer than `digits`.
    fn push_plain(&self, out: &mut String, digits: &str) {
        let scale = usize::try_from(self.scale).unwrap_or(0);
        let padded = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale);
        out.push_str(whole);
        if scale > 0 {
            out.push('.');
            out.push_str(fraction);
        }
    }
}
