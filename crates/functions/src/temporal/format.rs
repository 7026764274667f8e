//! Points in time as text: DATE_FORMAT, FROM_UNIXTIME, CONVERT_TZ.

use super::calendar::SECONDS_PER_DAY;
use super::parse;
use super::pattern::Pattern;
use super::pattern_format::Moment;
use super::pattern_parse::Strictness;
use super::stamps::Stamps;
use crate::kernel::{Column, kernel, map3, strings};
use crate::zone::{self, Zone};
use crate::{Bound, BuildContext, Call, Function, Kernel, Operand};
use arrow::array::{Array, ArrayRef, Int64Array, StringArray, StringBuilder};
use chrono_tz::Tz;
use headwater_types::{LogicalType, Result, TimeAttribute, TypeRoot};
use std::sync::Arc;

/// The functions of this group.
pub const FUNCTIONS: &[Function] = &[
    Function::new("DATE_FORMAT", "DATE_FORMAT(<DATETIME or STRING>, <STRING>)", bind_date_format, build_date_format),
    Function::new("FROM_UNIXTIME", "FROM_UNIXTIME(<NUMERIC>[, <STRING>])", bind_from_unixtime, build_from_unixtime),
    Function::new("CONVERT_TZ", "CONVERT_TZ(<STRING>, <STRING>, <STRING>)", bind_convert_tz, build_convert_tz),
];

const DEFAULT: &str = "yyyy-MM-dd HH:mm:ss";

/// Formats moments by one pattern, into one column. Remembers the last text: adjacent rows often share it.
struct Writer<'a> {
    pattern: &'a Pattern,
    zone_name: &'a str,
    zone: Zone,
    last: (i64, String),
}

impl<'a> Writer<'a> {
    fn new(pattern: &'a Pattern, zone: Tz) -> Self {
        Self { pattern, zone_name: zone.name(), zone: Zone::new(zone), last: (i64::MIN, String::new()) }
    }

    fn append(&mut self, out: &mut StringBuilder, seconds: i64, nanos: u32) {
        let local = self.zone.to_local(seconds);
        let granularity = self.pattern.granularity();
        // Offsets tell apart local times that occur twice.
        let key = if granularity == 0 { i64::MIN } else { local.div_euclid(granularity) };
        if key == i64::MIN || key != self.last.0 || granularity == 900 {
            self.last.0 = key;
            self.last.1.clear();
            let moment = Moment { seconds: local, nanos, offset: local - seconds, zone: self.zone_name };
            self.pattern.format(&mut self.last.1, moment);
        }
        out.append_value(&self.last.1);
    }
}

/// The pattern of every row: compiled once when it is a literal.
enum Patterns {
    Literal(Pattern),
    Column(usize),
}

impl Patterns {
    fn new(context: &BuildContext<'_>, argument: usize) -> Result<Self> {
        match context.text(argument) {
            Some(pattern) => Ok(Self::Literal(Pattern::compile(pattern)?)),
            None if argument < context.arg_types.len() => Ok(Self::Column(argument)),
            None => Ok(Self::Literal(Pattern::compile(DEFAULT)?)),
        }
    }

    /// Formats the moments that `moment` gives; `None` is NULL.
    fn format(
        &self,
        args: &[Operand],
        rows: usize,
        zone: Tz,
        moment: impl Fn(usize) -> Option<(i64, u32)>,
    ) -> Result<ArrayRef> {
        let mut out = strings(rows);
        match self {
            Self::Literal(pattern) => {
                let mut writer = Writer::new(pattern, zone);
                for row in 0..rows {
                    match moment(row) {
                        Some((seconds, nanos)) => writer.append(&mut out, seconds, nanos),
                        None => out.append_null(),
                    }
                }
            }
            Self::Column(argument) => {
                let patterns = Column::<StringArray>::of(args, *argument)?;
                for row in 0..rows {
                    match (patterns.get(row), moment(row)) {
                        (Some(pattern), Some((seconds, nanos))) => {
                            Writer::new(&Pattern::compile(pattern)?, zone).append(&mut out, seconds, nanos);
                        }
                        _ => out.append_null(),
                    }
                }
            }
        }
        Ok(Arc::new(out.finish()))
    }
}

fn bind_date_format(call: &Call<'_>) -> Result<Bound> {
    call.arity(2..=2)?;
    let timestamp = TypeRoot::Timestamp(3, TimeAttribute::None);
    let ty = call.matching(0, timestamp.clone(), |t| t.is_temporal() || t.is_character())?;
    let wanted = match ty.root {
        TypeRoot::Date | TypeRoot::Time(_) => LogicalType::new(timestamp, ty.nullable),
        _ => ty,
    };
    call.returns_nullable(vec![wanted, call.string(1)?], LogicalType::string().root)
}

fn build_date_format(context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    let patterns = Patterns::new(context, 1)?;
    if context.arg_types[0].is_character() {
        return kernel(move |args, rows| {
            let texts = Column::<StringArray>::of(args, 0)?;
            patterns.format(args, rows, Tz::UTC, |row| parse::timestamp(texts.get(row)?.trim()))
        });
    }
    let zone = super::zone_of(&context.arg_types[0], context);
    kernel(move |args, rows| {
        let (stamps, array) = (Stamps::of_operand(&args[0])?, args[0].array());
        let moment = |row: usize| array.is_valid(args[0].index(row)).then(|| stamps.seconds_nanos(row));
        patterns.format(args, rows, zone, moment)
    })
}

fn bind_from_unixtime(call: &Call<'_>) -> Result<Bound> {
    call.arity(1..=2)?;
    call.any_numeric(0)?;
    let mut arg_types = vec![LogicalType::new(TypeRoot::BigInt, call.ty(0).nullable)];
    if call.len() == 2 {
        arg_types.push(call.string(1)?);
    }
    call.returns_nullable(arg_types, LogicalType::string().root)
}

fn build_from_unixtime(context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    let (patterns, zone) = (Patterns::new(context, 1)?, context.zone);
    kernel(move |args, rows| {
        let seconds = Column::<Int64Array>::of(args, 0)?;
        patterns.format(args, rows, zone, |row| {
            // Beyond these years the calendar is of no use to anybody.
            let sane = SECONDS_PER_DAY * 366 * 100_000;
            seconds.get(row).filter(|s| (-sane..sane).contains(s)).map(|s| (s, 0))
        })
    })
}

fn bind_convert_tz(call: &Call<'_>) -> Result<Bound> {
    let arg_types = call.all_strings(3..=3)?;
    call.returns_nullable(arg_types, LogicalType::string().root)
}

/// As Java's `TimeZone` reads names: those it does not know, and offsets without `GMT`, mean UTC.
fn zone_or_utc(name: &str) -> Tz {
    let named = name.starts_with(|c: char| c.is_ascii_alphabetic());
    zone::parse(name).ok().filter(|_| named).unwrap_or(Tz::UTC)
}

/// NULL when the text is no timestamp.
fn build_convert_tz(_: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    let pattern = Pattern::compile(DEFAULT)?;
    kernel(move |args, rows| {
        map3::<StringArray, StringArray, StringArray, _>(args, rows, strings(rows), |text, from, to, out| {
            let (from, to) = (zone_or_utc(from), zone_or_utc(to));
            match pattern.parse(text, Strictness::Lenient) {
                Some(parsed) => {
                    let instant = Zone::new(from).to_instant(parsed.seconds);
                    Writer::new(&pattern, to).append(out, instant, 0);
                }
                None => out.append_null(),
            }
            Ok(())
        })
    })
}
