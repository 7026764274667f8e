//! Literals and intervals.

use std::fmt::{self, Display, Formatter};

use super::{Quoted, when};
use crate::ast::{IntervalLiteral, IntervalQualifier, Literal, TimeUnit};

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Number(text) => f.write_str(text),
            Literal::String(text) => Quoted(text).fmt(f),
            Literal::Binary(bytes) => binary(f, bytes),
            Literal::Boolean(true) => f.write_str("TRUE"),
            Literal::Boolean(false) => f.write_str("FALSE"),
            Literal::Unknown => f.write_str("UNKNOWN"),
            Literal::Null => f.write_str("NULL"),
            Literal::Date(text) => write!(f, "DATE {}", Quoted(text)),
            Literal::Time(text) => write!(f, "TIME {}", Quoted(text)),
            Literal::Timestamp(text) => write!(f, "TIMESTAMP {}", Quoted(text)),
            Literal::TimestampLtz(text) => {
                write!(f, "TIMESTAMP WITH LOCAL TIME ZONE {}", Quoted(text))
            }
            Literal::Interval(interval) => interval.fmt(f),
        }
    }
}

fn binary(f: &mut Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    f.write_str("X'")?;
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02X}"))?;
    f.write_str("'")
}

impl Display for IntervalLiteral {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let sign = when(self.negative, "-");
        let value = Quoted(&self.value);
        write!(f, "INTERVAL {sign}{value} {}", self.qualifier)
    }
}

impl Display for IntervalQualifier {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.leading.fmt(f)?;
        let own_fraction = self.fractional_precision.filter(|_| self.trailing.is_none());
        match (self.leading_precision, own_fraction) {
            (Some(leading), Some(fraction)) => write!(f, "({leading}, {fraction})")?,
            (Some(leading), None) => write!(f, "({leading})")?,
            (None, _) => {}
        }
        let Some(trailing) = self.trailing else {
            return Ok(());
        };
        write!(f, " TO {trailing}")?;
        match self.fractional_precision {
            Some(fraction) => write!(f, "({fraction})"),
            None => Ok(()),
        }
    }
}

impl Display for TimeUnit {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.keyword())
    }
}
