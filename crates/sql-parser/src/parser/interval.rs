//! Time units and interval qualifiers.

use super::Result;
use super::cursor::Parser;
use crate::ast::{IntervalQualifier, TimeUnit};
use crate::lexer::Punct;

impl Parser<'_> {
    /// `unit [(p [, s])] [TO unit [(s)]]`.
    pub(super) fn interval_qualifier(&mut self) -> Result<IntervalQualifier> {
        let start = self.span();
        let leading = self.time_unit()?;
        let (leading_precision, mut fractional_precision) = self.unit_precisions()?;
        let trailing = if self.eat("TO") { Some(self.time_unit()?) } else { None };
        if trailing.is_some() {
            fractional_precision = self.optional_precision()?;
        }
        Ok(IntervalQualifier {
            leading,
            leading_precision,
            trailing,
            fractional_precision,
            span: self.span_from(start),
        })
    }

    fn unit_precisions(&mut self) -> Result<(Option<u32>, Option<u32>)> {
        if !self.at_punct(Punct::LeftParen) {
            return Ok((None, None));
        }
        self.parens(|parser| {
            let leading = parser.unsigned()?;
            let fractional = if parser.eat_punct(Punct::Comma) { Some(parser.unsigned()?) } else { None };
            Ok((Some(leading), fractional))
        })
    }

    /// `(p)` if it is there.
    pub(super) fn optional_precision(&mut self) -> Result<Option<u32>> {
        if self.at_punct(Punct::LeftParen) { self.parens(Self::unsigned).map(Some) } else { Ok(None) }
    }

    /// A time unit, singular, plural or in ODBC spelling.
    pub(super) fn time_unit(&mut self) -> Result<TimeUnit> {
        let keyword = self.keyword_at(0).map(|keyword| keyword.as_str());
        let Some(unit) = keyword.and_then(unit_of) else {
            return Err(self.unexpected_wanting("time unit"));
        };
        self.advance();
        Ok(unit)
    }
}

fn unit_of(word: &str) -> Option<TimeUnit> {
    let word = word.strip_prefix("SQL_TSI_").unwrap_or(word);
    Some(match word {
        "MILLENNIUM" => TimeUnit::Millennium,
        "CENTURY" => TimeUnit::Century,
        "DECADE" => TimeUnit::Decade,
        "YEAR" | "YEARS" => TimeUnit::Year,
        "ISOYEAR" => TimeUnit::IsoYear,
        "QUARTER" | "QUARTERS" => TimeUnit::Quarter,
        "MONTH" | "MONTHS" => TimeUnit::Month,
        "WEEK" | "WEEKS" => TimeUnit::Week,
        "DAY" | "DAYS" => TimeUnit::Day,
        "DOW" => TimeUnit::DayOfWeek,
        "ISODOW" => TimeUnit::IsoDayOfWeek,
        "DOY" => TimeUnit::DayOfYear,
        "HOUR" | "HOURS" => TimeUnit::Hour,
        "MINUTE" | "MINUTES" => TimeUnit::Minute,
        "SECOND" | "SECONDS" => TimeUnit::Second,
        "MILLISECOND" => TimeUnit::Millisecond,
        "MICROSECOND" | "FRAC_SECOND" => TimeUnit::Microsecond,
        "NANOSECOND" => TimeUnit::Nanosecond,
        "EPOCH" => TimeUnit::Epoch,
        _ => return None,
    })
}
