//! Points in time from text and numbers. Text that does not read as one is NULL, not an error.

use super::calendar::{MS_PER_DAY, SECONDS_PER_DAY};
use super::pattern::Pattern;
use super::pattern_parse::{Parsed, Strictness};
use super::stamps::timestamp_array;
use super::{parse, stamps};
use crate::kernel::{Column, kernel, operand_nulls};
use crate::zone::{self, Zone};
use crate::{Bound, BuildContext, Call, Determinism, Function, Kernel, Operand};
use arrow::array::{Array, ArrayRef, Date32Array, Float64Array, Int32Array, Int64Array, StringArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use chrono_tz::Tz;
use headwater_data::arrow_type;
use headwater_plan::Value;
use headwater_types::{Error, LogicalType, Result, TimeAttribute, TypeRoot};
use std::sync::Arc;

/// The functions of this group.
pub const FUNCTIONS: &[Function] = &[
    Function::new("TO_DATE", "TO_DATE(<STRING>[, <STRING>])", |c| bind_text(c, TypeRoot::Date), build_to_date),
    Function::new("TO_TIME", "TO_TIME(<STRING>[, <STRING>])", |c| bind_text(c, TypeRoot::Time(0)), build_to_time),
    Function::new(
        "TO_TIMESTAMP",
        "TO_TIMESTAMP(<STRING>[, <STRING>])",
        |c| bind_text(c, TypeRoot::Timestamp(3, TimeAttribute::None)),
        build_to_timestamp,
    ),
    Function::new(
        "TO_TIMESTAMP_LTZ",
        "TO_TIMESTAMP_LTZ(<NUMERIC>[, precision <INT>]), TO_TIMESTAMP_LTZ(<STRING>[, format <STRING>[, timezone <STRING>]])",
        bind_to_ltz,
        build_to_ltz,
    ),
    Function::new("UNIX_TIMESTAMP", "UNIX_TIMESTAMP([<STRING>[, <STRING>]])", bind_unix, build_unix)
        .determinism(Determinism::Temporal),
];

/// Reads the text of a row by the pattern in argument 1, or by the default formats without one.
struct Reader {
    strictness: Strictness,
    pattern: Option<Pattern>,
    /// Whether argument 1 is a pattern per row.
    by_row: bool,
    /// What is said about a bad pattern.
    complaint: &'static str,
    /// Whether a bad pattern of a row makes its result NULL rather than an error.
    forgiving: bool,
}

impl Reader {
    fn new(context: &BuildContext<'_>, strictness: Strictness, complaint: &'static str) -> Result<Self> {
        let pattern = context.text(1).map(|text| compile(text, complaint)).transpose()?;
        let by_row = pattern.is_none() && context.arg_types.len() > 1;
        Ok(Self { strictness, pattern, by_row, complaint, forgiving: false })
    }

    /// The same reader, for which a bad pattern of a row makes its result NULL.
    fn forgiving(self) -> Self {
        Self { forgiving: true, ..self }
    }

    /// The moment of every row: `Ok(None)` where an argument is NULL or the text does not fit.
    fn read_all(&self, args: &[Operand], rows: usize) -> Result<Vec<Option<Parsed>>> {
        let texts = Column::<StringArray>::of(args, 0)?;
        if !self.by_row {
            return Ok((0..rows).map(|row| self.read(texts.get(row)?, self.pattern.as_ref())).collect());
        }
        let patterns = Column::<StringArray>::of(args, 1)?;
        (0..rows)
            .map(|row| match (texts.get(row), patterns.get(row)) {
                (Some(text), Some(pattern)) => match compile(pattern, self.complaint) {
                    Err(_) if self.forgiving => Ok(None),
                    compiled => Ok(self.read(text, Some(&compiled?))),
                },
                _ => Ok(None),
            })
            .collect()
    }

    /// Text that does not follow the pattern may still be a timestamp as SQL writes it.
    fn read(&self, text: &str, pattern: Option<&Pattern>) -> Option<Parsed> {
        let by_pattern = pattern.and_then(|pattern| pattern.parse(text, self.strictness));
        by_pattern.or_else(|| {
            let sql = pattern.is_none() || self.strictness == Strictness::Exact;
            let (seconds, nanos) = parse::timestamp(text.trim()).filter(|_| sql)?;
            Some(Parsed { seconds, nanos, offset: None })
        })
    }
}

fn compile(pattern: &str, complaint: &str) -> Result<Pattern> {
    Pattern::compile(pattern).map_err(|error| error.context(complaint))
}

const BAD_PATTERN: &str = "Invalid pattern for parsing TIMESTAMP";
const BAD_LTZ_PATTERN: &str = "Invalid pattern for parsing TIMESTAMP_LTZ";

fn bind_text(call: &Call<'_>, root: TypeRoot) -> Result<Bound> {
    let arg_types = call.all_strings(1..=2)?;
    call.returns_nullable(arg_types, root)
}

fn build_to_date(context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    if context.arg_types.len() == 1 {
        return kernel(|args, rows| {
            let texts = Column::<StringArray>::of(args, 0)?;
            let days = (0..rows).map(|row| parse::date(texts.get(row)?.trim()).map(|days| days as i32));
            Ok(Arc::new(days.collect::<Date32Array>()) as ArrayRef)
        });
    }
    let reader = Reader::new(context, Strictness::Lenient, BAD_PATTERN)?;
    kernel(move |args, rows| {
        let moments = reader.read_all(args, rows)?;
        let days = moments.into_iter().map(|m| m.map(|m| m.seconds.div_euclid(SECONDS_PER_DAY) as i32));
        Ok(Arc::new(days.collect::<Date32Array>()) as ArrayRef)
    })
}

fn build_to_time(context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    use arrow::array::Time32MillisecondArray;
    if context.arg_types.len() == 1 {
        return kernel(|args, rows| {
            let texts = Column::<StringArray>::of(args, 0)?;
            let times = (0..rows).map(|row| parse::time(texts.get(row)?.trim()).map(|ms| ms / 1000 * 1000));
            Ok(Arc::new(times.collect::<Time32MillisecondArray>()) as ArrayRef)
        });
    }
    let reader = Reader::new(context, Strictness::Lenient, BAD_PATTERN)?;
    kernel(move |args, rows| {
        let moments = reader.read_all(args, rows)?;
        let times = moments.into_iter().map(|m| m.map(|m| (m.seconds * 1000).rem_euclid(MS_PER_DAY) as i32));
        Ok(Arc::new(times.collect::<Time32MillisecondArray>()) as ArrayRef)
    })
}

fn build_to_timestamp(context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    let (reader, ty) = (Reader::new(context, Strictness::Exact, BAD_PATTERN)?, arrow_type(context.return_type));
    kernel(move |args, rows| {
        let moments = reader.read_all(args, rows)?;
        timestamps(moments.into_iter().map(|m| m.map(|m| (m.seconds, m.nanos))), 3, &ty)
    })
}

/// Timestamps of a precision; those outside its range are NULL.
fn timestamps(moments: impl Iterator<Item = Option<(i64, u32)>>, precision: u8, ty: &DataType) -> Result<ArrayRef> {
    let ticks = moments.map(|moment| moment.and_then(|(seconds, nanos)| stamps::ticks(seconds, nanos, precision)));
    let ticks: Vec<Option<i64>> = ticks.collect();
    let nulls: NullBuffer = ticks.iter().map(Option::is_some).collect();
    timestamp_array(ticks.into_iter().map(Option::unwrap_or_default).collect(), Some(nulls), ty)
}

/// The precision is 3, or the number of digits of the fraction in a literal format.
fn bind_to_ltz(call: &Call<'_>) -> Result<Bound> {
    call.arity(1..=3)?;
    let instant = |precision| TypeRoot::TimestampLtz(precision, TimeAttribute::None);
    let numeric = call.ty(0).is_numeric();
    if !numeric || call.len() > 1 && call.ty(1).is_character() {
        let arg_types = call.all_strings(1..=3)?;
        let digits = call.text(1).and_then(|p| Pattern::compile(p).ok()).map_or(0, |p| p.fraction_digits());
        return call.returns_nullable(arg_types, instant(digits.clamp(3, 9) as u8));
    }
    call.arity(1..=2)?;
    let root = if call.ty(0).is_integer() { TypeRoot::BigInt } else { TypeRoot::Double };
    let mut arg_types = vec![LogicalType::new(root, call.ty(0).nullable)];
    let mut digits = 3;
    if call.len() == 2 {
        arg_types.push(call.int(1)?);
        if let Some(Value::Int(precision)) = call.literal(1) {
            digits = checked_precision(*precision)?.max(3) as u8;
        }
    }
    call.returns_nullable(arg_types, instant(digits))
}

fn checked_precision(precision: i64) -> Result<u32> {
    if (0..=9).contains(&precision) {
        return Ok(precision as u32);
    }
    let message = format!("Precision for TO_TIMESTAMP_LTZ must be between 0 and 9 but was {precision}.");
    Err(Error::user("bad-precision", message))
}

fn build_to_ltz(context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    let ty = arrow_type(context.return_type);
    let precision = match context.return_type.root {
        TypeRoot::TimestampLtz(precision, _) => precision,
        _ => 3,
    };
    if !context.arg_types[0].is_character() {
        return kernel(move |args, rows| numbers_to_ltz(args, rows, precision, &ty));
    }
    let reader = Reader::new(context, Strictness::Exact, BAD_LTZ_PATTERN)?.forgiving();
    // What is written wrongly in the query is an error, what a row brings is not.
    let written = context.text(2).map(zone_named).transpose()?;
    kernel(move |args, rows| {
        let moments = reader.read_all(args, rows)?;
        let zones = args.get(2).map(|_| Column::<StringArray>::of(args, 2)).transpose()?;
        let zone_of = |row: usize| match (&zones, written) {
            (None, _) => Some(Tz::UTC),
            (Some(_), Some(zone)) => Some(zone),
            (Some(zones), None) => zones.get(row).and_then(|name| zone::parse(name).ok()),
        };
        let instant = |(row, moment): (usize, Option<Parsed>)| {
            let (moment, zone) = (moment?, zone_of(row)?);
            let seconds = match moment.offset {
                Some(offset) => moment.seconds - offset,
                None => Zone::new(zone).to_instant(moment.seconds),
            };
            Some((seconds, moment.nanos))
        };
        timestamps(moments.into_iter().enumerate().map(instant), precision, &ty)
    })
}

fn zone_named(name: &str) -> Result<Tz> {
    zone::parse(name).map_err(|_| {
        let message = format!(
            "Invalid timezone for parsing TIMESTAMP_LTZ: Invalid ID for region-based ZoneId, invalid format: {name}"
        );
        Error::user("bad-time-zone", message)
    })
}

/// A number of 10^-precision seconds since the epoch; milliseconds without a precision.
fn numbers_to_ltz(args: &[Operand], rows: usize, digits: u8, ty: &DataType) -> Result<ArrayRef> {
    let precisions = args.get(1).map(|_| Column::<Int32Array>::of(args, 1)).transpose()?;
    let precision = |row: usize| match &precisions {
        None => Ok(Some(3)),
        Some(precisions) => precisions.get(row).map(|p| checked_precision(p.into())).transpose(),
    };
    let moments: Vec<Option<(i64, u32)>> = match args[0].array().data_type() {
        DataType::Int64 => {
            let numbers = Column::<Int64Array>::of(args, 0)?;
            (0..rows).map(|row| Ok(scaled(numbers.get(row), precision(row)?))).collect::<Result<_>>()?
        }
        _ => {
            let numbers = Column::<Float64Array>::of(args, 0)?;
            (0..rows).map(|row| Ok(scaled_double(numbers.get(row), precision(row)?))).collect::<Result<_>>()?
        }
    };
    timestamps(moments.into_iter(), digits, ty)
}

/// Seconds and nanoseconds of a number of 10^-precision seconds.
fn scaled(number: Option<i64>, precision: Option<u32>) -> Option<(i64, u32)> {
    let nanos = i128::from(number?) * 10_i128.pow(9 - precision?);
    let seconds = i64::try_from(nanos.div_euclid(1_000_000_000)).ok()?;
    // Milliseconds beyond the range of 64 bits are no point in time.
    seconds.checked_mul(1000)?;
    Some((seconds, nanos.rem_euclid(1_000_000_000) as u32))
}

/// The same; coarser numbers than milliseconds are cut off there.
fn scaled_double(number: Option<f64>, precision: Option<u32>) -> Option<(i64, u32)> {
    let precision = precision?;
    let kept = precision.max(3);
    let units = number? * 10_f64.powi(kept as i32 - precision as i32);
    (units.abs() < i64::MAX as f64).then(|| scaled(Some(units as i64), Some(kept)))?
}

fn bind_unix(call: &Call<'_>) -> Result<Bound> {
    if call.is_empty() {
        return call.returns_not_null(vec![], TypeRoot::BigInt);
    }
    let arg_types = call.all_strings(1..=2)?;
    call.returns(arg_types, TypeRoot::BigInt)
}

/// Text that does not fit gives the smallest number.
fn build_unix(context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    if context.arg_types.is_empty() {
        let env = context.env.clone();
        return kernel(move |_, rows| {
            Ok(Arc::new(Int64Array::from_value(env.now_ms().div_euclid(1000), rows)) as ArrayRef)
        });
    }
    let (reader, zone) = (Reader::new(context, Strictness::Lenient, BAD_PATTERN)?, context.zone);
    kernel(move |args, rows| {
        let zone = Zone::new(zone);
        let instant = |m: Parsed| m.offset.map_or_else(|| zone.to_instant(m.seconds), |offset| m.seconds - offset);
        let moments = reader.read_all(args, rows)?;
        let values = moments.into_iter().map(|m| m.map_or(i64::MIN, instant)).collect::<Vec<_>>();
        let nulls = args
            .iter()
            .fold(None, |nulls: Option<NullBuffer>, arg| crate::kernel::merged_nulls(nulls, operand_nulls(arg, rows)));
        Ok(Arc::new(Int64Array::new(values.into(), nulls)) as ArrayRef)
    })
}
