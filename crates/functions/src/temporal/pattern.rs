//! Patterns of Java's `DateTimeFormatter`, such as `yyyy-MM-dd HH:mm:ss.SSS`.
//!
//! | letters | field | letters | field |
//! |---|---|---|---|
//! | `y` `u` | year | `H` `k` | hour 0-23, 1-24 |
//! | `Y` | year of the week | `h` `K` | hour 1-12, 0-11 |
//! | `M` `L` | month, by name from three letters | `m` | minute |
//! | `d` `D` | day of month, of year | `s` | second |
//! | `Q` `q` | quarter | `S` | fraction of the second |
//! | `w` `W` | week of year, of month | `A` `n` `N` | ms of day, nanos of second, of day |
//! | `E` `e` `c` | day of the week | `a` | AM or PM |
//! | `G` | era | `z` `V` `Z` `X` `x` `O` | time zone |
//!
//! Text between single quotes is plain, two of them are a quote, and `[` `]` enclose an optional part. Names are English.

use headwater_types::{Error, Result};

/// A field of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Era,
    Year,
    WeekYear,
    Quarter,
    Month,
    WeekOfYear,
    WeekOfMonth,
    DayOfMonth,
    DayOfYear,
    DayName,
    DayOfWeek,
    AmPm,
    Hour24,
    Hour24From1,
    Hour12,
    Hour12From0,
    Minute,
    Second,
    Fraction,
    MillisOfDay,
    NanosOfSecond,
    NanosOfDay,
    ZoneName,
    ZoneId,
    /// `Z`: `+0800`.
    Offset,
    /// `X`: `+08`, and `Z` for zero.
    OffsetOrZ,
    /// `x`: `+08`.
    OffsetDigits,
    /// `O`: `GMT+8`.
    OffsetGmt,
}

impl Field {
    fn of_letter(letter: char) -> Option<Self> {
        Some(match letter {
            'G' => Self::Era,
            'y' | 'u' => Self::Year,
            'Y' => Self::WeekYear,
            'Q' | 'q' => Self::Quarter,
            'M' | 'L' => Self::Month,
            'w' => Self::WeekOfYear,
            'W' => Self::WeekOfMonth,
            'd' => Self::DayOfMonth,
            'D' => Self::DayOfYear,
            'E' => Self::DayName,
            'e' | 'c' => Self::DayOfWeek,
            'a' => Self::AmPm,
            'H' => Self::Hour24,
            'k' => Self::Hour24From1,
            'h' => Self::Hour12,
            'K' => Self::Hour12From0,
            'm' => Self::Minute,
            's' => Self::Second,
            'S' => Self::Fraction,
            'A' => Self::MillisOfDay,
            'n' => Self::NanosOfSecond,
            'N' => Self::NanosOfDay,
            'z' => Self::ZoneName,
            'V' => Self::ZoneId,
            'Z' => Self::Offset,
            'X' => Self::OffsetOrZ,
            'x' => Self::OffsetDigits,
            'O' => Self::OffsetGmt,
            _ => return None,
        })
    }

    /// Seconds over which the field keeps its value; 0 when it also depends on the fraction of the second.
    fn granularity(self) -> i64 {
        match self {
            Self::Fraction | Self::NanosOfSecond | Self::NanosOfDay | Self::MillisOfDay => 0,
            Self::Second => 1,
            Self::Minute => 60,
            // Offsets change within a day, at multiples of a quarter of an hour.
            Self::ZoneName | Self::Offset | Self::OffsetOrZ | Self::OffsetDigits | Self::OffsetGmt => 900,
            Self::Hour24 | Self::Hour24From1 | Self::Hour12 | Self::Hour12From0 | Self::AmPm => 3_600,
            _ => 86_400,
        }
    }

    /// Whether the field, written with `count` letters, is a number.
    pub(super) fn is_number(self, count: usize) -> bool {
        match self {
            Self::Month | Self::Quarter | Self::DayOfWeek => count <= 2,
            Self::Era | Self::DayName | Self::AmPm | Self::ZoneName | Self::ZoneId => false,
            Self::Offset | Self::OffsetOrZ | Self::OffsetDigits | Self::OffsetGmt => false,
            _ => true,
        }
    }
}

/// An element of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    Text(String),
    Field(Field, usize),
    Optional(Vec<Item>),
}

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    pub(super) items: Vec<Item>,
    granularity: i64,
}

impl Pattern {
    /// Compiles a pattern. An unknown letter is an error.
    pub fn compile(pattern: &str) -> Result<Self> {
        let mut parts: Vec<Vec<Item>> = vec![vec![]];
        let mut chars = pattern.chars().peekable();
        let fail = |reason: String| Err(Error::user("bad-date-pattern", reason));
        while let Some(c) = chars.next() {
            match c {
                '[' => parts.push(vec![]),
                ']' if parts.len() > 1 => {
                    let inner = parts.pop().unwrap_or_default();
                    push(&mut parts, Item::Optional(inner));
                }
                ']' => return fail("Pattern invalid as it contains ] without previous [".to_owned()),
                '{' | '}' | '#' => return fail(format!("Pattern includes reserved character: '{c}'")),
                '\'' => {
                    let Some(text) = quoted(&mut chars) else {
                        return fail(format!("Pattern ends with an incomplete string literal: {pattern}"));
                    };
                    push(&mut parts, Item::Text(text));
                }
                // A pad width: numbers of dates need none.
                'p' => {}
                _ if c.is_ascii_alphabetic() => {
                    let count = 1 + std::iter::from_fn(|| chars.next_if_eq(&c)).count();
                    let Some(field) = Field::of_letter(c) else { return fail(format!("Unknown pattern letter: {c}")) };
                    push(&mut parts, Item::Field(field, count));
                }
                _ => push(&mut parts, Item::Text(c.to_string())),
            }
        }
        // Optional parts may be left open at the end.
        while parts.len() > 1 {
            let inner = parts.pop().unwrap_or_default();
            push(&mut parts, Item::Optional(inner));
        }
        let items = parts.pop().unwrap_or_default();
        Ok(Self { granularity: granularity(&items), items })
    }

    /// Seconds over which the text of a moment stays the same; 0 when it depends on the fraction of the second.
    pub fn granularity(&self) -> i64 {
        self.granularity
    }

    /// The most digits of the fraction of the second that the pattern holds.
    pub fn fraction_digits(&self) -> usize {
        fraction_digits(&self.items)
    }
}

fn push(parts: &mut [Vec<Item>], item: Item) {
    let Some(last) = parts.last_mut() else { return };
    match (last.last_mut(), &item) {
        (Some(Item::Text(text)), Item::Text(more)) => text.push_str(more),
        _ => last.push(item),
    }
}

/// The text up to the closing quote; a quote alone when nothing stands between the two.
fn quoted(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    let mut text = String::new();
    loop {
        match chars.next()? {
            '\'' if chars.next_if_eq(&'\'').is_some() => text.push('\''),
            '\'' if text.is_empty() => return Some("'".to_owned()),
            '\'' => return Some(text),
            c => text.push(c),
        }
    }
}

fn granularity(items: &[Item]) -> i64 {
    let of = |item: &Item| match item {
        Item::Text(_) => 86_400,
        Item::Field(field, _) => field.granularity(),
        Item::Optional(items) => granularity(items),
    };
    items.iter().map(of).min().unwrap_or(86_400)
}

fn fraction_digits(items: &[Item]) -> usize {
    let of = |item: &Item| match item {
        Item::Field(Field::Fraction, count) => *count,
        Item::Optional(items) => fraction_digits(items),
        _ => 0,
    };
    items.iter().map(of).max().unwrap_or(0)
}
