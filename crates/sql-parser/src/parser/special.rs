//! Calls with syntax of their own, except those of JSON.

use super::Result;
use super::cursor::Parser;
use super::expr::power;
use crate::ast::{
    Expr, ExprKind, Function, FunctionArg, FunctionArgValue, ObjectName, SpecialFunction, TimeUnit, TrimSide,
};
use crate::lexer::Punct;

impl Parser<'_> {
    /// A call of a function with special syntax, if the keyword names one. The caller has
    /// checked that a parenthesis follows.
    pub(super) fn special_call(&mut self, keyword: &'static str) -> Result<Option<Expr>> {
        let start = self.span();
        let special = match keyword {
            "EXTRACT" => self.extract()?,
            "FLOOR" | "CEIL" | "CEILING" => return self.rounding(keyword).map(Some),
            "TIMESTAMPADD" => self.timestamp_add()?,
            "TIMESTAMPDIFF" => self.timestamp_diff()?,
            "POSITION" => return self.position_call().map(Some),
            "OVERLAY" => self.overlay()?,
            "SUBSTRING" => return self.substring().map(Some),
            "TRIM" => self.trim()?,
            _ => match self.json_call(keyword)? {
                Some(special) => special,
                None => return Ok(None),
            },
        };
        Ok(Some(self.finish(start, ExprKind::Special(Box::new(special)))))
    }

    fn extract(&mut self) -> Result<SpecialFunction> {
        self.advance();
        self.parens(|parser| {
            let unit = parser.time_unit()?;
            parser.expect("FROM")?;
            let source = parser.expr()?;
            Ok(SpecialFunction::Extract { unit, source })
        })
    }

    /// `FLOOR(x)`, `FLOOR(x TO unit)`, `CEIL` alike.
    fn rounding(&mut self, keyword: &'static str) -> Result<Expr> {
        let name = ObjectName::from(self.any_word());
        let start = name.span();
        self.expect_punct(Punct::LeftParen)?;
        let expr = self.expr()?;
        let unit = if self.eat("TO") { Some(self.time_unit()?) } else { None };
        self.expect_punct(Punct::RightParen)?;
        let kind = match unit {
            None => return Ok(self.normalised_call(name, vec![expr])),
            Some(unit) if keyword == "FLOOR" => SpecialFunction::Floor { expr, unit },
            Some(unit) => SpecialFunction::Ceil { expr, unit },
        };
        Ok(self.finish(start, ExprKind::Special(Box::new(kind))))
    }

    fn timestamp_add(&mut self) -> Result<SpecialFunction> {
        let (unit, count, timestamp) = self.timestamp_args()?;
        Ok(SpecialFunction::TimestampAdd { unit, count, timestamp })
    }

    fn timestamp_diff(&mut self) -> Result<SpecialFunction> {
        let (unit, start, end) = self.timestamp_args()?;
        Ok(SpecialFunction::TimestampDiff { unit, start, end })
    }

    fn timestamp_args(&mut self) -> Result<(TimeUnit, Expr, Expr)> {
        self.advance();
        self.parens(|parser| {
            let unit = parser.time_unit()?;
            parser.expect_punct(Punct::Comma)?;
            let first = parser.expr()?;
            parser.expect_punct(Punct::Comma)?;
            let second = parser.expr()?;
            Ok((unit, first, second))
        })
    }

    /// `POSITION(a IN b [FROM n])` or `POSITION(a, b)`.
    fn position_call(&mut self) -> Result<Expr> {
        let name = ObjectName::from(self.any_word());
        let start = name.span();
        self.expect_punct(Punct::LeftParen)?;
        let needle = self.expr_above(power::ADDITIVE)?;
        if self.eat_punct(Punct::Comma) {
            let mut args = vec![needle];
            args.extend(self.comma_list(Self::expr)?);
            self.expect_punct(Punct::RightParen)?;
            return Ok(self.normalised_call(name, args));
        }
        self.expect("IN")?;
        let haystack = self.expr_above(power::ADDITIVE)?;
        let from = self.optional_operand("FROM")?;
        self.expect_punct(Punct::RightParen)?;
        let special = SpecialFunction::Position { needle, haystack, from };
        Ok(self.finish(start, ExprKind::Special(Box::new(special))))
    }

    fn overlay(&mut self) -> Result<SpecialFunction> {
        self.advance();
        self.parens(|parser| {
            let string = parser.expr()?;
            parser.expect("PLACING")?;
            let replacement = parser.expr()?;
            parser.expect("FROM")?;
            let start = parser.expr()?;
            let length = parser.optional_operand("FOR")?;
            Ok(SpecialFunction::Overlay { string, replacement, start, length })
        })
    }

    /// `SUBSTRING(s FROM a [FOR n])` and `SUBSTRING(s, a [, n])` become the same call.
    fn substring(&mut self) -> Result<Expr> {
        let name = ObjectName::from(self.any_word());
        self.expect_punct(Punct::LeftParen)?;
        let mut args = vec![self.expr()?];
        if self.eat("FROM") {
            args.push(self.expr()?);
            args.extend(self.optional_operand("FOR")?);
        } else {
            while self.eat_punct(Punct::Comma) {
                args.push(self.expr()?);
            }
        }
        self.expect_punct(Punct::RightParen)?;
        Ok(self.normalised_call(name, args))
    }

    fn trim(&mut self) -> Result<SpecialFunction> {
        self.advance();
        self.parens(|parser| {
            let side = match parser.eat_any(&["BOTH", "LEADING", "TRAILING"]) {
                Some("LEADING") => TrimSide::Leading,
                Some("TRAILING") => TrimSide::Trailing,
                _ => TrimSide::Both,
            };
            let first = if parser.at("FROM") { None } else { Some(parser.expr()?) };
            let (characters, string) = match (parser.eat("FROM"), first) {
                (true, characters) => (characters, parser.expr()?),
                (false, Some(string)) => (None, string),
                (false, None) => return Err(parser.unexpected()),
            };
            Ok(SpecialFunction::Trim { side, characters, string })
        })
    }

    /// `keyword expr` if the keyword follows.
    fn optional_operand(&mut self, keyword: &'static str) -> Result<Option<Expr>> {
        if self.eat(keyword) { self.expr().map(Some) } else { Ok(None) }
    }

    fn normalised_call(&self, name: ObjectName, args: Vec<Expr>) -> Expr {
        let start = name.span();
        let span = self.span_from(start);
        let args =
            args.into_iter().map(|arg| FunctionArg { name: None, span: arg.span, value: FunctionArgValue::Expr(arg) });
        let function = Function::call(name, args.collect(), span);
        Expr::new(ExprKind::Function(Box::new(function)), span)
    }
}
