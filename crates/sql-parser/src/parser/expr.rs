//! Expressions: precedence climbing, prefixes and primaries.
//!
//! Precedence, lowest first, as in Calcite: `OR`, `AND`, `NOT`, `IS`, comparison, then
//! `BETWEEN`/`IN`/`LIKE`, then `+ -`, `* / % ||`, unary `+ -`, and postfix `[ ] .`.

use super::Result;
use super::cursor::Parser;
use crate::Span;
use crate::ast::{BinaryOp, Expr, ExprKind, Literal, LogicalOp, QuantifiedRight, Quantifier, UnaryOp};
use crate::lexer::{Punct, TokenKind};

/// How tight operators bind.
pub(crate) mod power {
    pub(crate) const LOWEST: u8 = 0;
    pub(crate) const OR: u8 = 10;
    pub(crate) const AND: u8 = 20;
    pub(crate) const NOT: u8 = 30;
    pub(crate) const IS: u8 = 40;
    pub(crate) const COMPARISON: u8 = 50;
    pub(crate) const PREDICATE: u8 = 60;
    pub(crate) const ADDITIVE: u8 = 70;
    pub(crate) const MULTIPLICATIVE: u8 = 80;
    pub(crate) const UNARY: u8 = 90;
}

impl Parser<'_> {
    /// An expression.
    pub(super) fn expr(&mut self) -> Result<Expr> {
        self.expr_above(power::LOWEST)
    }

    /// An expression of operators that bind at least as tight as `min_power`.
    pub(super) fn expr_above(&mut self, min_power: u8) -> Result<Expr> {
        self.nested(1, |parser| {
            let left = parser.prefix()?;
            parser.operators(left, min_power)
        })
    }

    fn operators(&mut self, mut left: Expr, min_power: u8) -> Result<Expr> {
        // The logical operator `left` is an open chain of; operands in parentheses are closed.
        let mut chain = None;
        loop {
            if let Some((op, power)) = self.logical_op(min_power) {
                left = self.logical(left, op, power, chain)?;
                chain = Some(op);
                continue;
            }
            chain = None;
            left = if let Some((op, power)) = self.binary_op(min_power) {
                self.binary(left, op, power)?
            } else if self.at_predicate(min_power) {
                self.predicate(left)?
            } else {
                return Ok(left);
            };
            self.grow()?;
        }
    }

    fn logical_op(&mut self, min_power: u8) -> Option<(LogicalOp, u8)> {
        let (op, power) = match self.keyword_at(0)?.as_str() {
            "AND" => (LogicalOp::And, power::AND),
            "OR" => (LogicalOp::Or, power::OR),
            _ => return None,
        };
        (power >= min_power).then_some((op, power))
    }

    fn logical(&mut self, left: Expr, op: LogicalOp, power: u8, chain: Option<LogicalOp>) -> Result<Expr> {
        self.advance();
        let right = self.expr_above(power + 1)?;
        let span = left.span.to(right.span);
        let operands = match left.kind {
            ExprKind::Logical { mut operands, .. } if chain == Some(op) => {
                operands.push(right);
                operands
            }
            kind => {
                self.grow()?;
                vec![Expr::new(kind, left.span), right]
            }
        };
        Ok(Expr::new(ExprKind::Logical { op, operands }, span))
    }

    fn binary_op(&self, min_power: u8) -> Option<(BinaryOp, u8)> {
        let TokenKind::Punct(punct) = self.peek().kind else {
            return None;
        };
        let (op, power) = match punct {
            Punct::Plus => (BinaryOp::Plus, power::ADDITIVE),
            Punct::Minus => (BinaryOp::Minus, power::ADDITIVE),
            Punct::Star => (BinaryOp::Multiply, power::MULTIPLICATIVE),
            Punct::Slash => (BinaryOp::Divide, power::MULTIPLICATIVE),
            Punct::Percent => (BinaryOp::Modulo, power::MULTIPLICATIVE),
            Punct::Concat => (BinaryOp::Concat, power::MULTIPLICATIVE),
            Punct::Eq => (BinaryOp::Eq, power::COMPARISON),
            Punct::NotEq => (BinaryOp::NotEq, power::COMPARISON),
            Punct::Lt => (BinaryOp::Lt, power::COMPARISON),
            Punct::LtEq => (BinaryOp::LtEq, power::COMPARISON),
            Punct::Gt => (BinaryOp::Gt, power::COMPARISON),
            Punct::GtEq => (BinaryOp::GtEq, power::COMPARISON),
            _ => return None,
        };
        (power >= min_power).then_some((op, power))
    }

    fn binary(&mut self, left: Expr, op: BinaryOp, power: u8) -> Result<Expr> {
        let op_span = self.advance().span;
        if op.is_comparison()
            && let Some(quantifier) = self.quantifier()
        {
            return self.quantified(left, op, quantifier);
        }
        let right = self.expr_above(power + 1)?;
        let span = left.span.to(right.span);
        let kind = ExprKind::Binary { left: Box::new(left), op, op_span, right: Box::new(right) };
        Ok(Expr::new(kind, span))
    }

    /// `ANY`, `SOME` or `ALL` before a parenthesis.
    fn quantifier(&mut self) -> Option<Quantifier> {
        if !self.is_punct(1, Punct::LeftParen) {
            return None;
        }
        let quantifier = match self.keyword_at(0)?.as_str() {
            "ANY" | "SOME" => Quantifier::Any,
            "ALL" => Quantifier::All,
            _ => return None,
        };
        self.advance();
        Some(quantifier)
    }

    fn quantified(&mut self, left: Expr, op: BinaryOp, quantifier: Quantifier) -> Result<Expr> {
        let right = if self.at_parenthesised_query() {
            QuantifiedRight::Query(Box::new(self.parens(Self::query)?))
        } else {
            QuantifiedRight::List(self.paren_list(Self::expr)?)
        };
        let span = self.span_from(left.span);
        let kind = ExprKind::Quantified { left: Box::new(left), op, quantifier, right };
        Ok(Expr::new(kind, span))
    }

    /// A prefix operator with its operand, or a primary with its postfixes.
    fn prefix(&mut self) -> Result<Expr> {
        let start = self.span();
        let (op, power) = match self.peek().kind {
            TokenKind::Punct(Punct::Plus) => (UnaryOp::Plus, power::UNARY),
            TokenKind::Punct(Punct::Minus) => (UnaryOp::Minus, power::UNARY),
            TokenKind::Keyword(keyword) if keyword.as_str() == "NOT" => (UnaryOp::Not, power::NOT),
            _ => return self.operand(),
        };
        self.advance();
        let expr = Box::new(self.expr_above(power)?);
        let span = start.to(expr.span);
        Ok(Expr::new(ExprKind::Unary { op, expr }, span))
    }

    fn operand(&mut self) -> Result<Expr> {
        let primary = self.primary()?;
        self.postfix(primary)
    }

    /// The value of `INTERVAL expr unit`.
    pub(super) fn interval_value(&mut self) -> Result<Expr> {
        self.expr_above(power::UNARY)
    }

    fn primary(&mut self) -> Result<Expr> {
        match self.peek().kind {
            TokenKind::Number | TokenKind::String | TokenKind::UnicodeString | TokenKind::BinaryString => {
                self.simple_literal()
            }
            TokenKind::Punct(Punct::LeftParen) => self.parenthesised(),
            TokenKind::Identifier | TokenKind::QuotedIdentifier => self.path_or_call(),
            TokenKind::Keyword(keyword) => self.keyword_primary(keyword.as_str()),
            _ => Err(self.unexpected_wanting("expression")),
        }
    }

    fn keyword_primary(&mut self, keyword: &'static str) -> Result<Expr> {
        match keyword {
            "TRUE" => Ok(self.constant(Literal::Boolean(true))),
            "FALSE" => Ok(self.constant(Literal::Boolean(false))),
            "UNKNOWN" => Ok(self.constant(Literal::Unknown)),
            "NULL" => Ok(self.constant(Literal::Null)),
            "INTERVAL" => self.interval(),
            "CASE" => self.case(),
            "CAST" => self.cast(false),
            "TRY_CAST" => self.cast(true),
            "EXISTS" => self.exists(),
            "ROW" => self.explicit_row(),
            "ARRAY" => self.array(),
            "MAP" if self.is_punct(1, Punct::LeftBracket) => self.map(),
            "DATE" | "TIME" | "TIMESTAMP" => match self.datetime_literal()? {
                Some(literal) => Ok(literal),
                None => self.keyword_call(keyword),
            },
            _ => self.keyword_call(keyword),
        }
    }

    /// `(expr)`, `(a, b)` or `(query)`.
    fn parenthesised(&mut self) -> Result<Expr> {
        let start = self.span();
        if self.at_parenthesised_query() {
            let query = Box::new(self.parens(Self::query)?);
            return Ok(self.finish(start, ExprKind::Subquery(query)));
        }
        let mut values = self.paren_list(Self::expr)?;
        if values.len() == 1
            && let Some(only) = values.pop()
        {
            return Ok(only);
        }
        let explicit = false;
        Ok(self.finish(start, ExprKind::Row { values, explicit }))
    }

    fn exists(&mut self) -> Result<Expr> {
        let start = self.advance().span;
        let query = Box::new(self.parens(Self::query)?);
        Ok(self.finish(start, ExprKind::Exists(query)))
    }

    fn explicit_row(&mut self) -> Result<Expr> {
        let start = self.advance().span;
        let values = self.paren_list_or_empty(Self::expr)?;
        let explicit = true;
        Ok(self.finish(start, ExprKind::Row { values, explicit }))
    }

    fn array(&mut self) -> Result<Expr> {
        let start = self.advance().span;
        let values = self.bracket_list()?;
        Ok(self.finish(start, ExprKind::Array(values)))
    }

    fn map(&mut self) -> Result<Expr> {
        let start = self.advance().span;
        let mut values = self.bracket_list()?.into_iter();
        let mut entries = Vec::with_capacity(values.len() / 2);
        while let Some(key) = values.next() {
            let Some(value) = values.next() else {
                let message = "MAP takes keys and values in turn; this key has no value";
                return Err(crate::ParseError::new(message, key.span));
            };
            entries.push((key, value));
        }
        Ok(self.finish(start, ExprKind::Map(entries)))
    }

    /// `[a, b]` or `[]`.
    fn bracket_list(&mut self) -> Result<Vec<Expr>> {
        self.expect_punct(Punct::LeftBracket)?;
        if self.eat_punct(Punct::RightBracket) {
            return Ok(Vec::new());
        }
        let values = self.comma_list(Self::expr)?;
        self.expect_punct(Punct::RightBracket)?;
        Ok(values)
    }

    /// An expression from `start` to the last consumed token.
    pub(super) fn finish(&self, start: Span, kind: ExprKind) -> Expr {
        Expr::new(kind, self.span_from(start))
    }
}
