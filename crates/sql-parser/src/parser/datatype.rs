//! Data types.

use super::Result;
use super::cursor::Parser;
use crate::ast::{DataType, DataTypeKind, Nullability, RowField, TimeZoneKind};
use crate::lexer::Punct;

impl Parser<'_> {
    /// A data type with nullability and collection suffixes: `INT NOT NULL ARRAY`.
    pub(super) fn data_type(&mut self) -> Result<DataType> {
        self.nested(1, Self::data_type_unbounded)
    }

    fn data_type_unbounded(&mut self) -> Result<DataType> {
        let start = self.span();
        let kind = self.type_kind()?;
        let mut data_type = self.with_nullability(kind, start);
        while let Some(suffix) = self.eat_any(&["ARRAY", "MULTISET"]) {
            self.grow()?;
            let element = Box::new(data_type);
            let kind = match suffix {
                "ARRAY" => DataTypeKind::Array(element),
                _ => DataTypeKind::Multiset(element),
            };
            data_type = self.with_nullability(kind, start);
        }
        Ok(data_type)
    }

    fn with_nullability(&mut self, kind: DataTypeKind, start: crate::Span) -> DataType {
        // `NULL ON EMPTY` belongs to the call around `RETURNING type`.
        let nullability = if !self.at_all(&["NULL", "ON"]) && self.eat("NULL") {
            Nullability::Nullable
        } else if self.eat_all(&["NOT", "NULL"]) {
            Nullability::NotNull
        } else {
            Nullability::Unspecified
        };
        DataType { kind, nullability, span: self.span_from(start) }
    }

    fn type_kind(&mut self) -> Result<DataTypeKind> {
        let Some(keyword) = self.keyword_at(0) else {
            return self.named_type();
        };
        if let Some(kind) = plain_type(keyword.as_str()) {
            self.advance();
            return Ok(kind);
        }
        let is_composite = self.is_punct(1, Punct::Lt) || self.is_punct(1, Punct::NotEq);
        match keyword.as_str() {
            "CHAR" | "CHARACTER" => self.character_type(),
            "VARCHAR" => self.sized(DataTypeKind::Varchar),
            "BINARY" => self.binary_type(),
            "VARBINARY" => self.sized(DataTypeKind::Varbinary),
            "DECIMAL" | "DEC" | "NUMERIC" => self.decimal_type(),
            "DOUBLE" => self.double_type(),
            "TIME" => self.time_type(),
            "TIMESTAMP" => self.timestamp_type(),
            "TIMESTAMP_LTZ" => self.timestamp_ltz_type(),
            "INTERVAL" => self.interval_type(),
            "ARRAY" => self.element_type(DataTypeKind::Array),
            "MULTISET" => self.element_type(DataTypeKind::Multiset),
            "MAP" if is_composite => self.map_type(),
            "ROW" => self.row_type(),
            "STRUCTURED" if is_composite => self.structured_type(),
            "RAW" => self.raw_type(),
            _ => self.named_type(),
        }
    }

    fn named_type(&mut self) -> Result<DataTypeKind> {
        if !self.is_ident(0) {
            return Err(self.unexpected_wanting("data type"));
        }
        self.object_name().map(DataTypeKind::Named)
    }

    fn sized(&mut self, make: fn(Option<u32>) -> DataTypeKind) -> Result<DataTypeKind> {
        self.advance();
        self.optional_precision().map(make)
    }

    fn character_type(&mut self) -> Result<DataTypeKind> {
        self.advance();
        let make = if self.eat("VARYING") { DataTypeKind::Varchar } else { DataTypeKind::Char };
        self.optional_precision().map(make)
    }

    fn binary_type(&mut self) -> Result<DataTypeKind> {
        self.advance();
        let make = if self.eat("VARYING") { DataTypeKind::Varbinary } else { DataTypeKind::Binary };
        self.optional_precision().map(make)
    }

    fn decimal_type(&mut self) -> Result<DataTypeKind> {
        self.advance();
        let mut digits = Vec::new();
        if self.at_punct(Punct::LeftParen) {
            digits = self.paren_list(Self::unsigned)?;
        }
        if digits.len() > 2 {
            let message = "a decimal type takes a precision and a scale, nothing more";
            return Err(crate::ParseError::new(message, self.span()));
        }
        Ok(DataTypeKind::Decimal { precision: digits.first().copied(), scale: digits.get(1).copied() })
    }

    fn double_type(&mut self) -> Result<DataTypeKind> {
        self.advance();
        self.eat("PRECISION");
        Ok(DataTypeKind::Double)
    }

    fn time_type(&mut self) -> Result<DataTypeKind> {
        self.advance();
        let precision = self.optional_precision()?;
        if self.eat("WITHOUT") {
            self.expect_all(&["TIME", "ZONE"])?;
        }
        Ok(DataTypeKind::Time(precision))
    }

    fn timestamp_type(&mut self) -> Result<DataTypeKind> {
        self.advance();
        let precision = self.optional_precision()?;
        let zone = self.time_zone_kind()?;
        Ok(DataTypeKind::Timestamp { precision, zone })
    }

    fn time_zone_kind(&mut self) -> Result<TimeZoneKind> {
        let zone = if self.eat_all(&["WITH", "LOCAL"]) {
            TimeZoneKind::Local
        } else if self.eat_all(&["WITH", "TIME"]) {
            return self.expect("ZONE").map(|()| TimeZoneKind::With);
        } else if self.eat("WITHOUT") {
            TimeZoneKind::Without
        } else {
            return Ok(TimeZoneKind::Without);
        };
        self.expect_all(&["TIME", "ZONE"])?;
        Ok(zone)
    }

    fn timestamp_ltz_type(&mut self) -> Result<DataTypeKind> {
        self.advance();
        Ok(DataTypeKind::Timestamp { precision: self.optional_precision()?, zone: TimeZoneKind::Local })
    }

    fn interval_type(&mut self) -> Result<DataTypeKind> {
        self.advance();
        self.interval_qualifier().map(DataTypeKind::Interval)
    }

    fn element_type(&mut self, make: fn(Box<DataType>) -> DataTypeKind) -> Result<DataTypeKind> {
        self.advance();
        self.expect_punct(Punct::Lt)?;
        let element = self.data_type()?;
        self.expect_punct(Punct::Gt)?;
        Ok(make(Box::new(element)))
    }

    fn map_type(&mut self) -> Result<DataTypeKind> {
        self.advance();
        self.expect_punct(Punct::Lt)?;
        let key = self.data_type()?;
        self.expect_punct(Punct::Comma)?;
        let value = self.data_type()?;
        self.expect_punct(Punct::Gt)?;
        Ok(DataTypeKind::Map(Box::new(key), Box::new(value)))
    }

    fn row_type(&mut self) -> Result<DataTypeKind> {
        self.advance();
        if self.eat_punct(Punct::NotEq) {
            return Ok(DataTypeKind::Row(Vec::new()));
        }
        if self.at_punct(Punct::LeftParen) {
            let fields = self.paren_list_or_empty(Self::row_field)?;
            return Ok(DataTypeKind::Row(fields));
        }
        self.expect_punct(Punct::Lt)?;
        let fields = self.comma_list(Self::row_field)?;
        self.expect_punct(Punct::Gt)?;
        Ok(DataTypeKind::Row(fields))
    }

    fn structured_type(&mut self) -> Result<DataTypeKind> {
        self.advance();
        self.expect_punct(Punct::Lt)?;
        let class = self.string_literal()?;
        let mut fields = Vec::new();
        while self.eat_punct(Punct::Comma) {
            fields.push(self.row_field()?);
        }
        self.expect_punct(Punct::Gt)?;
        Ok(DataTypeKind::Structured { class, fields })
    }

    fn row_field(&mut self) -> Result<RowField> {
        let name = self.ident()?;
        let data_type = self.data_type()?;
        let has_comment = self.eat("COMMENT") || self.at_string();
        let comment = if has_comment { Some(self.string_literal()?) } else { None };
        Ok(RowField { name, data_type, comment })
    }

    fn raw_type(&mut self) -> Result<DataTypeKind> {
        self.advance();
        self.parens(|parser| {
            let class = parser.string_literal()?;
            parser.expect_punct(Punct::Comma)?;
            let snapshot = parser.string_literal()?;
            Ok(DataTypeKind::Raw { class, snapshot })
        })
    }
}

/// Types that are one keyword.
fn plain_type(keyword: &str) -> Option<DataTypeKind> {
    Some(match keyword {
        "STRING" => DataTypeKind::String,
        "BYTES" => DataTypeKind::Bytes,
        "BOOLEAN" => DataTypeKind::Boolean,
        "TINYINT" => DataTypeKind::TinyInt,
        "SMALLINT" => DataTypeKind::SmallInt,
        "INT" | "INTEGER" => DataTypeKind::Int,
        "BIGINT" => DataTypeKind::BigInt,
        "FLOAT" | "REAL" => DataTypeKind::Float,
        "DATE" => DataTypeKind::Date,
        "VARIANT" => DataTypeKind::Variant,
        "BITMAP" => DataTypeKind::Bitmap,
        "DESCRIPTOR" => DataTypeKind::Descriptor,
        "NULL" => DataTypeKind::Null,
        _ => return None,
    })
}
