//! Decoding one value into its column.
//!
//! Follows the schema, never the data: recursion is as deep as the declared type, whatever a record nests.
//! Conversions are as lenient as Flink's: a number is read from a string and a string from any value.

use super::cursor::{Cursor, Failure, RawString, Step};
use super::keys::Keys;
use super::options::DecodeOptions;
use super::text::compact;
use crate::column::{Column, Data};
use crate::text::{decimal, number, temporal, temporal::TimestampParser};
use base64::Engine;
use headwater_types::{LogicalType, TypeRoot};

/// What decoding remembers beside a column: the expected key order of rows, the last date of timestamps.
#[derive(Debug)]
pub(super) enum Shape {
    Scalar,
    Timestamp(TimestampParser),
    Row(RowShape),
    List(Box<Shape>),
    Map(Box<Shape>, Box<Shape>),
}

/// The shape of a row type.
#[derive(Debug)]
pub(super) struct RowShape {
    keys: Keys,
    children: Vec<Shape>,
}

impl RowShape {
    pub(super) fn new<'a>(fields: impl IntoIterator<Item = (&'a str, &'a LogicalType)>) -> Self {
        let (names, children) = fields.into_iter().map(|(n, t)| (n.to_string(), Shape::new(t))).unzip();
        Self { keys: Keys::new(names), children }
    }
}

impl Shape {
    fn new(ty: &LogicalType) -> Self {
        match &ty.root {
            TypeRoot::Timestamp(..) | TypeRoot::TimestampLtz(..) => Self::Timestamp(TimestampParser::default()),
            TypeRoot::Row(fields) => Self::Row(RowShape::new(fields.iter().map(|f| (f.name.as_str(), &f.ty)))),
            TypeRoot::Array(element) => Self::List(Box::new(Self::new(element))),
            TypeRoot::Map(key, value) => Self::Map(Box::new(Self::new(key)), Box::new(Self::new(value))),
            TypeRoot::Multiset(element) => Self::Map(Box::new(Self::new(element)), Box::new(Self::Scalar)),
            _ => Self::Scalar,
        }
    }
}

/// A cursor with what conversions need.
pub(super) struct Reader<'a, 's> {
    pub(super) cursor: Cursor<'a>,
    pub(super) options: &'s DecodeOptions,
    pub(super) scratch: &'s mut Vec<u8>,
}

/// A scalar as it stands in the input.
enum Scalar<'a> {
    /// A number, `true` or `false`.
    Bare(&'a [u8]),
    /// The inside of a string.
    Quoted(RawString<'a>),
}

impl<'a> Reader<'a, '_> {
    /// Decodes an object into the columns of a row, at row number `row`.
    pub(super) fn row(&mut self, shape: &mut RowShape, columns: &mut [Column], row: usize) -> Step<()> {
        let start = self.cursor.at;
        self.cursor.expect(b'{', "an object")?;
        self.cursor.skip_blanks();
        if self.cursor.peek() == b'}' {
            self.cursor.at += 1;
            return self.check_missing(shape, columns, row, start);
        }
        for place in 0.. {
            match shape.keys.take(place, &mut self.cursor)? {
                Some(child) => self.field(shape, columns, child, row)?,
                None => {
                    self.cursor.skip_blanks();
                    self.cursor.skip_value()?;
                }
            }
            self.cursor.skip_blanks();
            match self.cursor.peek() {
                b',' => self.cursor.at += 1,
                b'}' => break,
                _ => return Err(self.cursor.unexpected("',' or '}' after a field")),
            }
            self.cursor.skip_blanks();
        }
        self.cursor.at += 1;
        self.check_missing(shape, columns, row, start)
    }

    #[inline]
    fn field(&mut self, shape: &mut RowShape, columns: &mut [Column], child: usize, row: usize) -> Step<()> {
        self.cursor.skip_blanks();
        self.value(&mut shape.children[child], &mut columns[child], row)
            .map_err(|failure| failure.within(shape.keys.name(child)))
    }

    #[inline]
    fn check_missing(&self, shape: &RowShape, columns: &[Column], row: usize, at: usize) -> Step<()> {
        if !self.options.fail_on_missing_field {
            return Ok(());
        }
        match columns.iter().position(|c| c.len() <= row) {
            Some(child) => Err(shape.keys.missing(child, at)),
            None => Ok(()),
        }
    }

    /// Decodes the value here into `column` at row number `row`. With ignored errors a value that cannot be
    /// converted becomes NULL; one that is not JSON still fails.
    #[inline]
    fn value(&mut self, shape: &mut Shape, column: &mut Column, row: usize) -> Step<()> {
        if self.cursor.take_null() {
            column.set_null(row);
            return Ok(());
        }
        column.begin(row);
        let start = self.cursor.at;
        match self.convert(shape, column, row) {
            Ok(()) => Ok(()),
            Err(failure) => self.recover(failure, column, row, start),
        }
    }

    #[cold]
    fn recover(&mut self, failure: Failure, column: &mut Column, row: usize, start: usize) -> Step<()> {
        column.truncate(row);
        if !self.options.ignore_parse_errors {
            return Err(failure);
        }
        self.cursor.at = start;
        self.cursor.skip_value()?;
        column.set_null(row);
        Ok(())
    }

    fn convert(&mut self, shape: &mut Shape, column: &mut Column, row: usize) -> Step<()> {
        match (&mut column.data, shape) {
            (Data::Utf8(_), _) => return self.string(column),
            (Data::BigInt(values), _) => values.push(self.integer("a BIGINT")?),
            (Data::Int(values), _) => values.push(self.small_integer("an INT")?),
            (Data::SmallInt(values), _) => values.push(self.small_integer("a SMALLINT")?),
            (Data::TinyInt(values), _) => values.push(self.small_integer("a TINYINT")?),
            (Data::Timestamp { values, units_per_second, zoned }, Shape::Timestamp(parser)) => {
                values.push(self.timestamp(parser, *units_per_second, *zoned)?);
            }
            (Data::Row(fields), Shape::Row(shape)) => self.row(shape, fields, row)?,
            (Data::List { child, .. }, Shape::List(shape)) => {
                self.list(shape, child)?;
                column.commit_list();
                return Ok(());
            }
            (Data::Map { keys, values, .. }, Shape::Map(key_shape, value_shape)) => {
                self.map((key_shape, keys), (value_shape, values))?;
                column.commit_list();
                return Ok(());
            }
            (Data::Binary(_), _) => return self.binary(column),
            (Data::Decimal { values, precision, scale }, _) => match self.decimal(*precision, *scale)? {
                Some(value) => values.push(value),
                None => {
                    column.set_null(row);
                    return Ok(());
                }
            },
            (data, _) => self.other_scalar(data)?,
        }
        column.commit();
        Ok(())
    }

    fn scalar(&mut self, expected: &str) -> Step<Scalar<'a>> {
        match self.cursor.peek() {
            b'"' => self.cursor.string().map(Scalar::Quoted),
            b'{' | b'[' => Err(self.cursor.unexpected(expected)),
            _ => self.cursor.bare().map(Scalar::Bare),
        }
    }

    /// Takes a scalar and converts its text, unescaped and without its quotes.
    fn scalar_text<T>(&mut self, expected: &str, parse: impl FnOnce(&[u8]) -> Option<T>) -> Step<T> {
        let start = self.cursor.at;
        let scalar = self.scalar(expected)?;
        let text = match &scalar {
            Scalar::Bare(text) => text,
            Scalar::Quoted(raw) => raw.text(self.scratch)?,
        };
        parse(text).ok_or_else(|| not_convertible(start, text, expected))
    }

    /// An integer: digits in the common case; else a number to truncate, or a string.
    #[inline]
    fn integer(&mut self, expected: &str) -> Step<i64> {
        let start = self.cursor.at;
        let negative = self.cursor.peek() == b'-';
        let digits = start + usize::from(negative);
        if let Some((end, magnitude)) = number::unsigned_at(self.cursor.bytes, digits)
            && matches!(self.cursor.bytes.get(end), Some(b',' | b'}' | b']' | b' ' | b'\n') | None)
            && (self.cursor.bytes[digits] != b'0' || end == digits + 1)
            && let Some(value) = number::signed(negative, magnitude)
        {
            self.cursor.at = end;
            return Ok(value);
        }
        self.uncommon_integer(expected)
    }

    #[cold]
    fn uncommon_integer(&mut self, expected: &str) -> Step<i64> {
        let quoted = self.cursor.peek() == b'"';
        self.scalar_text(expected, |text| match number::integer(text) {
            Some(value) => Some(value),
            // A fraction is cut off a JSON number, as Flink does; a string must be an integer.
            None if quoted => None,
            None => number::double(text).filter(|v| v.abs() < 9.2e18).map(|v| v as i64),
        })
    }

    #[inline]
    fn small_integer<T: TryFrom<i64>>(&mut self, expected: &str) -> Step<T> {
        let start = self.cursor.at;
        let value = self.integer(expected)?;
        T::try_from(value).map_err(|_| Failure::new(start, format!("{value} is out of the range of {expected}")))
    }

    #[inline]
    fn timestamp(&mut self, parser: &mut TimestampParser, units_per_second: i64, zoned: bool) -> Step<i64> {
        let start = self.cursor.at;
        if self.cursor.peek() != b'"' {
            return Err(self.cursor.unexpected("a timestamp in quotes"));
        }
        let raw = self.cursor.string()?;
        let text = raw.text(self.scratch)?;
        parser
            .parse(text, self.options.timestamp_standard, units_per_second, zoned)
            .ok_or_else(|| not_convertible(start, text, self.options.timestamp_form(zoned)))
    }

    fn other_scalar(&mut self, data: &mut Data) -> Step<()> {
        match data {
            Data::Boolean(v) => v.push(self.scalar_text("a BOOLEAN", |text| Some(number::boolean(text)))?),
            Data::Float(v) => v.push(self.scalar_text("a FLOAT", number::float)?),
            Data::Double(v) => v.push(self.scalar_text("a DOUBLE", number::double)?),
            Data::Date(v) => v.push(self.scalar_text("a date such as '2025-12-31'", temporal::date)?),
            Data::Time { values, precision } => {
                values.push(self.scalar_text("a time such as '23:59:59'", |t| temporal::time_ms(t, *precision))?);
            }
            Data::YearMonth(v) => v.push(self.small_integer("a number of months")?),
            Data::DayTime(v) => v.push(self.integer("a number of milliseconds")?),
            _ => return Err(Failure::new(self.cursor.at, "a value of the type NULL cannot be read")),
        }
        Ok(())
    }

    /// A decimal; `None` for one that does not fit, which is NULL in Flink.
    fn decimal(&mut self, precision: u8, scale: u8) -> Step<Option<i128>> {
        self.scalar_text("a DECIMAL", |text| match decimal::parse(text, precision, scale) {
            decimal::Parsed::Value(value) => Some(Some(value)),
            decimal::Parsed::Overflow => Some(None),
            decimal::Parsed::Malformed => None,
        })
    }

    #[inline]
    fn string(&mut self, column: &mut Column) -> Step<()> {
        let Data::Utf8(bytes) = &mut column.data else { return Ok(()) };
        match self.cursor.peek() {
            b'"' => {
                let raw = self.cursor.string()?;
                if raw.escaped {
                    raw.unescape_into(bytes.buffer())?;
                } else {
                    bytes.extend(raw.bytes);
                }
            }
            b'{' | b'[' => {
                let start = self.cursor.at;
                self.cursor.skip_value()?;
                compact(&self.cursor.bytes[start..self.cursor.at], bytes.buffer())
                    .map_err(|at| Failure::new(start + at, "invalid escape sequence in a string"))?;
            }
            _ => bytes.extend(self.cursor.bare()?),
        }
        column.commit_bytes();
        Ok(())
    }

    fn binary(&mut self, column: &mut Column) -> Step<()> {
        let decoded =
            self.scalar_text("a string in base64", |text| base64::engine::general_purpose::STANDARD.decode(text).ok())?;
        if let Data::Binary(bytes) = &mut column.data {
            bytes.extend(&decoded);
        }
        column.commit_bytes();
        Ok(())
    }

    fn list(&mut self, shape: &mut Shape, child: &mut Column) -> Step<()> {
        self.cursor.expect(b'[', "an array")?;
        self.cursor.skip_blanks();
        if self.cursor.peek() == b']' {
            self.cursor.at += 1;
            return Ok(());
        }
        loop {
            let row = child.len();
            self.value(shape, child, row)?;
            if !self.more(b']', "',' or ']' after an element")? {
                return Ok(());
            }
        }
    }

    fn map(&mut self, key: (&mut Shape, &mut Column), value: (&mut Shape, &mut Column)) -> Step<()> {
        self.cursor.expect(b'{', "an object")?;
        self.cursor.skip_blanks();
        if self.cursor.peek() == b'}' {
            self.cursor.at += 1;
            return Ok(());
        }
        loop {
            let row = key.1.len();
            key.1.begin(row);
            if self.cursor.peek() != b'"' {
                return Err(self.cursor.unexpected("a field name in quotes"));
            }
            self.convert(key.0, key.1, row).map_err(|f| f.within("map key"))?;
            self.cursor.skip_blanks();
            self.cursor.expect(b':', "':' after a field name")?;
            self.cursor.skip_blanks();
            self.value(value.0, value.1, row)?;
            if !self.more(b'}', "',' or '}' after a field")? {
                return Ok(());
            }
        }
    }

    /// Takes the separator to a next element, or the closing byte.
    #[inline]
    fn more(&mut self, close: u8, expected: &str) -> Step<bool> {
        self.cursor.skip_blanks();
        let byte = self.cursor.peek();
        if byte != b',' && byte != close {
            return Err(self.cursor.unexpected(expected));
        }
        self.cursor.at += 1;
        self.cursor.skip_blanks();
        Ok(byte == b',')
    }
}

#[cold]
fn not_convertible(at: usize, text: &[u8], expected: &str) -> Failure {
    const SHOWN_MAX: usize = 64;
    let shown = String::from_utf8_lossy(&text[..text.len().min(SHOWN_MAX)]);
    Failure::new(at, format!("cannot read '{shown}' as {expected}"))
}
