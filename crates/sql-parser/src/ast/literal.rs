//! Literals, time units and intervals.

use crate::Span;

/// A literal. Signs are not part of literals (see [`UnaryOp`](crate::ast::UnaryOp)).
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// An unsigned number, text kept exactly: `1`, `1.50`, `.5`, `1e-3`.
    Number(String),
    /// A character string, escapes resolved.
    String(String),
    /// A binary string `x'0aff'`.
    Binary(Vec<u8>),
    /// `TRUE` or `FALSE`.
    Boolean(bool),
    /// `UNKNOWN`.
    Unknown,
    /// `NULL`.
    Null,
    /// `DATE '…'`.
    Date(String),
    /// `TIME '…'`.
    Time(String),
    /// `TIMESTAMP '…'`.
    Timestamp(String),
    /// `TIMESTAMP WITH LOCAL TIME ZONE '…'`.
    TimestampLtz(String),
    /// `INTERVAL '…' DAY`.
    Interval(IntervalLiteral),
}

/// `INTERVAL [+|-] 'value' qualifier`.
#[derive(Debug, Clone, PartialEq)]
pub struct IntervalLiteral {
    /// Whether a minus sign stands before the string.
    pub negative: bool,
    /// The text between the quotes, not interpreted.
    pub value: String,
    /// The unit or range of units.
    pub qualifier: IntervalQualifier,
}

/// `unit [(precision)] [TO unit [(precision)]]`, in interval literals and interval types.
#[derive(Debug, Clone, PartialEq)]
pub struct IntervalQualifier {
    /// The (leading) unit.
    pub leading: TimeUnit,
    /// Digits of the leading unit, `DAY(3)`.
    pub leading_precision: Option<u32>,
    /// The unit behind `TO`.
    pub trailing: Option<TimeUnit>,
    /// Digits of the fraction, `SECOND(2, 6)` or `DAY TO SECOND(6)`.
    pub fractional_precision: Option<u32>,
    /// Where it stands.
    pub span: Span,
}

/// A unit of time in intervals, `EXTRACT`, `FLOOR`, `CEIL`, `TIMESTAMPADD`, `TIMESTAMPDIFF`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeUnit {
    /// `MILLENNIUM`
    Millennium,
    /// `CENTURY`
    Century,
    /// `DECADE`
    Decade,
    /// `YEAR`
    Year,
    /// `ISOYEAR`
    IsoYear,
    /// `QUARTER`
    Quarter,
    /// `MONTH`
    Month,
    /// `WEEK`
    Week,
    /// `DAY`
    Day,
    /// `DOW`: day of the week, Sunday = 1
    DayOfWeek,
    /// `ISODOW`: day of the week, Monday = 1
    IsoDayOfWeek,
    /// `DOY`: day of the year
    DayOfYear,
    /// `HOUR`
    Hour,
    /// `MINUTE`
    Minute,
    /// `SECOND`
    Second,
    /// `MILLISECOND`
    Millisecond,
    /// `MICROSECOND`
    Microsecond,
    /// `NANOSECOND`
    Nanosecond,
    /// `EPOCH`
    Epoch,
}

impl TimeUnit {
    /// The SQL keyword.
    pub fn keyword(self) -> &'static str {
        match self {
            TimeUnit::Millennium => "MILLENNIUM",
            TimeUnit::Century => "CENTURY",
            TimeUnit::Decade => "DECADE",
            TimeUnit::Year => "YEAR",
            TimeUnit::IsoYear => "ISOYEAR",
            TimeUnit::Quarter => "QUARTER",
            TimeUnit::Month => "MONTH",
            TimeUnit::Week => "WEEK",
            TimeUnit::Day => "DAY",
            TimeUnit::DayOfWeek => "DOW",
            TimeUnit::IsoDayOfWeek => "ISODOW",
            TimeUnit::DayOfYear => "DOY",
            TimeUnit::Hour => "HOUR",
            TimeUnit::Minute => "MINUTE",
            TimeUnit::Second => "SECOND",
            TimeUnit::Millisecond => "MILLISECOND",
            TimeUnit::Microsecond => "MICROSECOND",
            TimeUnit::Nanosecond => "NANOSECOND",
            TimeUnit::Epoch => "EPOCH",
        }
    }
}
