//! The time that the values of a partition say: the options `partition.time-extractor.*`.

use crate::filesystem::partitions::unescape;
use chrono::{Duration, NaiveDate, NaiveDateTime, TimeZone};
use chrono_tz::Tz;
use headwater_connector_api::Options;
use headwater_connector_api::options::bad_option;
use headwater_types::{Error, Result};

/// Reads the time of a partition.
#[derive(Debug)]
pub(super) struct TimeExtractor {
    /// Text with `$column` for the value of a partition column; the first value without.
    pattern: Option<String>,
    formatter: Option<Formatter>,
    /// The zone that the times are in.
    zone: Tz,
}

impl TimeExtractor {
    pub(super) fn from_options(options: Options<'_>, partitions: &[String]) -> Result<Self> {
        let kind = "partition.time-extractor.kind";
        match options.get(kind) {
            None | Some("default") => {}
            Some("custom") => {
                let message = "the partition time extractor 'custom' runs a Java class: use 'default' with \
                               'partition.time-extractor.timestamp-pattern'";
                return Err(Error::unsupported(message));
            }
            Some(other) => return Err(bad_option(kind, other, "default")),
        }
        let name = "partition.time-extractor.timestamp-pattern";
        let pattern = options.get(name).map(str::to_owned);
        if let Some(pattern) = &pattern
            && let Some(unknown) = unknown_column(pattern, partitions)
        {
            let columns = partitions.iter().map(|column| format!("${column}")).collect::<Vec<_>>().join(", ");
            return Err(bad_option(name, pattern, &format!("the columns {columns}; '{unknown}' is none of them")));
        }
        let name = "partition.time-extractor.timestamp-formatter";
        let formatter = options.get(name).map(|text| {
            Formatter::parse(text).ok_or_else(|| {
                bad_option(name, text, "a pattern of the letters y, M, d, H, m, s, S and quoted text: 'yyyyMMdd HH'")
            })
        });
        let name = "sink.partition-commit.watermark-time-zone";
        let zone = options.get(name).map(|text| {
            text.parse().map_err(|_| bad_option(name, text, "the name of a time zone such as 'Asia/Shanghai'"))
        });
        Ok(Self { pattern, formatter: formatter.transpose()?, zone: zone.transpose()?.unwrap_or(Tz::UTC) })
    }

    /// The time of a partition directory, in milliseconds since the epoch; `None` where a value is NULL.
    pub(super) fn time_ms(&self, directory: &str, null_name: &str) -> Result<Option<i64>> {
        let values: Vec<_> = directory.split('/').filter_map(|part| part.split_once('=')).collect();
        let mut values: Vec<_> = values.into_iter().map(|(key, value)| (unescape(key), unescape(value))).collect();
        let mut text = match &self.pattern {
            Some(pattern) => pattern.clone(),
            None => values.first().map(|(_, value)| value.clone()).unwrap_or_default(),
        };
        let null = values.iter().any(|(key, value)| value == null_name && self.uses(key, &text, value));
        // Of two names that start alike the longer one is meant where it stands.
        values.sort_by_key(|(key, _)| std::cmp::Reverse(key.len()));
        if self.pattern.is_some() {
            for (key, value) in &values {
                text = text.replace(&format!("${key}"), value);
            }
        }
        if null {
            return Ok(None);
        }
        let time = self.read(&text).ok_or_else(|| self.unreadable(directory, &text))?;
        // A time that a change of the clock skips is taken for the one an hour later.
        let found = self.zone.from_local_datetime(&time).earliest();
        let found = found.or_else(|| self.zone.from_local_datetime(&(time + Duration::hours(1))).earliest());
        Ok(Some(found.map_or_else(|| time.and_utc().timestamp_millis(), |found| found.timestamp_millis())))
    }

    fn uses(&self, key: &str, text: &str, value: &str) -> bool {
        match &self.pattern {
            Some(pattern) => pattern.contains(&format!("${key}")),
            None => text == value,
        }
    }

    fn read(&self, text: &str) -> Option<NaiveDateTime> {
        if let Some(formatter) = &self.formatter {
            return formatter.read(text);
        }
        let usual = ["y-M-d H:m:s.S", "y-M-d H:m:s", "y-M-d"];
        usual.iter().find_map(|pattern| Formatter::parse(pattern)?.read(text))
    }

    fn unreadable(&self, directory: &str, text: &str) -> Error {
        let message = format!(
            "'{text}' of the partition '{directory}' is no time that 'sink.partition-commit.trigger' = 'partition-time' \
             can go by: set 'partition.time-extractor.timestamp-pattern' and 'partition.time-extractor.timestamp-formatter' \
             so that they give one"
        );
        Error::user("bad-partition-time", message)
    }
}

/// A `$name` in a pattern that no column has.
fn unknown_column<'a>(pattern: &'a str, partitions: &[String]) -> Option<&'a str> {
    let is_known = |rest: &str| partitions.iter().any(|column| rest[1..].starts_with(column.as_str()));
    let at = pattern.match_indices('$').map(|(at, _)| &pattern[at..]).find(|rest| !is_known(rest))?;
    let end = at[1..].find(|c: char| !c.is_alphanumeric() && c != '_').map_or(at.len(), |end| end + 1);
    Some(&at[..end])
}

/// A pattern of Java's `DateTimeFormatter`, as far as partitions need it.
#[derive(Debug, PartialEq, Eq)]
struct Formatter(Vec<Token>);

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Field(char, usize),
    Text(String),
}

impl Formatter {
    fn parse(pattern: &str) -> Option<Self> {
        let mut tokens: Vec<Token> = vec![];
        let mut chars = pattern.chars().peekable();
        let push = |tokens: &mut Vec<Token>, c: char| match tokens.last_mut() {
            Some(Token::Text(text)) => text.push(c),
            _ => tokens.push(Token::Text(c.into())),
        };
        while let Some(c) = chars.next() {
            match c {
                'y' | 'u' | 'M' | 'd' | 'H' | 'm' | 's' | 'S' => {
                    let mut width = 1;
                    while chars.next_if_eq(&c).is_some() {
                        width += 1;
                    }
                    tokens.push(Token::Field(if c == 'u' { 'y' } else { c }, width));
                }
                '\'' if chars.next_if_eq(&'\'').is_some() => push(&mut tokens, '\''),
                '\'' => loop {
                    match chars.next()? {
                        '\'' => break,
                        c => push(&mut tokens, c),
                    }
                },
                c if c.is_alphabetic() || "[]{}#".contains(c) => return None,
                c => push(&mut tokens, c),
            }
        }
        Some(Self(tokens))
    }

    fn read(&self, text: &str) -> Option<NaiveDateTime> {
        let mut rest = text;
        let (mut date, mut time, mut nanos) = ([None, Some(1), Some(1)], [0; 3], 0);
        for token in &self.0 {
            match token {
                Token::Text(text) => rest = rest.strip_prefix(text.as_str())?,
                Token::Field(letter, width) => {
                    let digits = digits(rest, *width)?;
                    let number: u32 = digits.parse().ok()?;
                    rest = &rest[digits.len()..];
                    match letter {
                        'y' if *width == 2 => date[0] = Some(2000 + number),
                        'y' => date[0] = Some(number),
                        'M' => date[1] = Some(number),
                        'd' => date[2] = Some(number),
                        'H' => time[0] = number,
                        'm' => time[1] = number,
                        's' => time[2] = number,
                        _ => {
                            nanos = number.checked_mul(10_u32.checked_pow(9_u32.checked_sub(digits.len() as u32)?)?)?
                        }
                    }
                }
            }
        }
        let date = NaiveDate::from_ymd_opt(i32::try_from(date[0]?).ok()?, date[1]?, date[2]?)?;
        if rest.is_empty() { date.and_hms_nano_opt(time[0], time[1], time[2], nanos) } else { None }
    }
}

/// The digits of a field: exactly as many as its letters, or any number where it has one letter.
fn digits(text: &str, width: usize) -> Option<&str> {
    let count = text.bytes().take_while(u8::is_ascii_digit).count();
    let wanted = if width == 1 { count.min(9) } else { width };
    if wanted == 0 || count < wanted { None } else { Some(&text[..wanted]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn extractor(options: &[(&str, &str)], partitions: &[&str]) -> Result<TimeExtractor> {
        let options: BTreeMap<_, _> = options.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        let partitions: Vec<_> = partitions.iter().map(|p| p.to_string()).collect();
        TimeExtractor::from_options(Options(&options), &partitions)
    }

    const PATTERN: &str = "partition.time-extractor.timestamp-pattern";
    const FORMATTER: &str = "partition.time-extractor.timestamp-formatter";
    const ZONE: &str = "sink.partition-commit.watermark-time-zone";

    #[test]
    fn times_are_read_as_the_options_say() {
        type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, Option<i64>);
        let cases: &[Case<'_>] = &[
            (&[], "dt=1970-01-02", Some(86_400_000)),
            (&[], "dt=1970-01-01 00%3A00%3A01", Some(1_000)),
            (&[], "dt=1970-1-1 0%3A0%3A1", Some(1_000)),
            (&[], "dt=NULLS", None),
            (&[(PATTERN, "$dt $hour:00:00")], "dt=1970-01-01/hour=02", Some(7_200_000)),
            (&[(PATTERN, "$dt $hour:00:00")], "dt=1970-01-01/hour=NULLS", None),
            (&[(FORMATTER, "yyyyMMdd")], "dt=19700102", Some(86_400_000)),
            (&[(PATTERN, "$dt$hour"), (FORMATTER, "yyyyMMddHH")], "dt=19700101/hour=01", Some(3_600_000)),
            (&[(FORMATTER, "dd'th of' MM yyyy")], "dt=02th of 01 1970", Some(86_400_000)),
            (&[(ZONE, "Asia/Shanghai")], "dt=1970-01-01 08%3A00%3A00", Some(0)),
            // Two in the night does not exist on this day.
            (&[(ZONE, "Europe/Berlin")], "dt=2024-03-31 02%3A30%3A00", Some(1_711_848_600_000)),
        ];
        for (options, directory, expected) in cases {
            let extractor = extractor(options, &["dt", "hour"]).unwrap();
            assert_eq!(extractor.time_ms(directory, "NULLS").unwrap(), *expected, "{directory}");
        }
    }

    #[test]
    fn mistakes_are_explained() {
        let cases: &[(&[(&str, &str)], &str)] = &[
            (&[(PATTERN, "$day")], "the columns $dt; '$day' is none of them"),
            (&[(FORMATTER, "yyyy-MM-dd'T")], "a pattern of the letters y, M, d, H, m, s, S"),
            (&[(FORMATTER, "EEE")], "a pattern of the letters"),
            (&[(ZONE, "Mars/Base")], "the name of a time zone"),
            (&[("partition.time-extractor.kind", "custom")], "runs a Java class"),
        ];
        for (options, expected) in cases {
            let error = extractor(options, &["dt"]).unwrap_err();
            assert!(error.message().contains(expected), "{error}");
        }
        let error = extractor(&[], &["dt"]).unwrap().time_ms("dt=tomorrow", "NULLS").unwrap_err();
        assert!(error.message().starts_with("'tomorrow' of the partition 'dt=tomorrow' is no time"), "{error}");
    }
}
