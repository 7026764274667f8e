//! Literals.

use super::Result;
use super::cursor::Parser;
use crate::ParseError;
use crate::ast::{Expr, ExprKind, IntervalLiteral, Literal};
use crate::lexer::{Punct, TokenKind};

impl Parser<'_> {
    /// A number, string or binary string; the caller has looked.
    pub(super) fn simple_literal(&mut self) -> Result<Expr> {
        let start = self.span();
        let literal = match self.peek().kind {
            TokenKind::Number => Literal::Number(self.number_text()),
            TokenKind::BinaryString => Literal::Binary(self.binary_string()?),
            _ => Literal::String(self.string_literal()?.value),
        };
        Ok(Expr::new(ExprKind::Literal(literal), self.span_from(start)))
    }

    fn number_text(&mut self) -> String {
        let token = self.advance();
        self.text(token).to_owned()
    }

    fn binary_string(&mut self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        while self.peek().kind == TokenKind::BinaryString {
            let token = self.advance();
            let text = self.text(token);
            let digits = &text[2..text.len() - 1];
            let decoded = decode_hex(digits).ok_or_else(|| {
                let message = "a binary string takes an even number of hexadecimal digits";
                ParseError::new(message, token.span)
            })?;
            bytes.extend(decoded);
        }
        Ok(bytes)
    }

    /// `TRUE`, `NULL` and the like; the caller has looked.
    pub(super) fn constant(&mut self, literal: Literal) -> Expr {
        let token = self.advance();
        Expr::new(ExprKind::Literal(literal), token.span)
    }

    /// `DATE '…'`, `TIME '…'`, `TIMESTAMP '…'` if one follows.
    pub(super) fn datetime_literal(&mut self) -> Result<Option<Expr>> {
        let start = self.span();
        let has_zone = self.at_all(&["TIMESTAMP", "WITH", "LOCAL", "TIME", "ZONE"]);
        let words = if has_zone { 5 } else { 1 };
        if !self.is_string(words) {
            return Ok(None);
        }
        let keyword = self.advance();
        let make = match self.text(keyword).to_ascii_uppercase().as_str() {
            "DATE" => Literal::Date,
            "TIME" => Literal::Time,
            _ if has_zone => Literal::TimestampLtz,
            _ => Literal::Timestamp,
        };
        (1..words).for_each(|_| {
            self.advance();
        });
        let value = self.string_literal()?.value;
        let kind = ExprKind::Literal(make(value));
        Ok(Some(Expr::new(kind, self.span_from(start))))
    }

    /// `INTERVAL '…' unit`, or an expression in place of the string.
    pub(super) fn interval(&mut self) -> Result<Expr> {
        let start = self.span();
        self.expect("INTERVAL")?;
        let signed = self.at_punct(Punct::Minus) || self.at_punct(Punct::Plus);
        let kind = if self.is_string(usize::from(signed)) {
            ExprKind::Literal(Literal::Interval(self.interval_literal()?))
        } else {
            let value = Box::new(self.interval_value()?);
            let qualifier = self.interval_qualifier()?;
            ExprKind::Interval { value, qualifier }
        };
        Ok(Expr::new(kind, self.span_from(start)))
    }

    /// `[+|-] '…' unit`, behind the word `INTERVAL`.
    pub(super) fn interval_literal(&mut self) -> Result<IntervalLiteral> {
        let negative = self.eat_punct(Punct::Minus);
        if !negative {
            self.eat_punct(Punct::Plus);
        }
        let value = self.string_literal()?.value;
        let qualifier = self.interval_qualifier()?;
        Ok(IntervalLiteral { negative, value, qualifier })
    }
}

fn decode_hex(digits: &str) -> Option<Vec<u8>> {
    if !digits.is_ascii() || !digits.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pairs = digits.as_bytes().chunks_exact(2);
    pairs.map(|pair| u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()).collect()
}
