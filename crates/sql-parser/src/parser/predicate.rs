//! `IS`, `BETWEEN`, `LIKE`, `IN`, `OVERLAPS`, `CASE` and casts.

use super::Result;
use super::cursor::Parser;
use super::expr::power;
use crate::ast::{Case, CaseBranch, Expr, ExprKind, IsTest, LikeKind};
use crate::lexer::Punct;

impl Parser<'_> {
    /// Whether a predicate suffix follows that binds tight enough.
    pub(super) fn at_predicate(&self, min_power: u8) -> bool {
        let negated = usize::from(self.at("NOT"));
        let Some(keyword) = self.keyword_at(negated) else {
            return false;
        };
        match keyword.as_str() {
            "IS" if negated == 0 && self.at_distinct_from() => power::PREDICATE >= min_power,
            "IS" => negated == 0 && power::IS >= min_power,
            "BETWEEN" | "LIKE" | "SIMILAR" | "IN" => power::PREDICATE >= min_power,
            "OVERLAPS" => negated == 0 && power::PREDICATE >= min_power,
            _ => false,
        }
    }

    fn at_distinct_from(&self) -> bool {
        let ahead = if self.is_keyword(1, "NOT") { 2 } else { 1 };
        self.is_keyword(ahead, "DISTINCT")
    }

    /// A predicate suffix behind `left`; the caller has looked.
    pub(super) fn predicate(&mut self, left: Expr) -> Result<Expr> {
        if self.eat("IS") {
            return self.is(left);
        }
        let negated = self.eat("NOT");
        match self.keyword_at(0).map_or("", |keyword| keyword.as_str()) {
            "BETWEEN" => self.between(left, negated),
            "IN" => self.in_list(left, negated),
            "OVERLAPS" => self.overlaps(left),
            _ => self.like(left, negated),
        }
    }

    fn is(&mut self, left: Expr) -> Result<Expr> {
        let start = left.span;
        let negated = self.eat("NOT");
        let expr = Box::new(left);
        if self.eat("DISTINCT") {
            self.expect("FROM")?;
            let right = Box::new(self.expr_above(power::ADDITIVE)?);
            let kind = ExprKind::IsDistinctFrom { left: expr, right, negated };
            return Ok(self.finish(start, kind));
        }
        let test = self.is_test()?;
        let kind = ExprKind::Is { expr, test, negated };
        Ok(self.finish(start, kind))
    }

    fn is_test(&mut self) -> Result<IsTest> {
        let word = self.expect_any(&["NULL", "TRUE", "FALSE", "UNKNOWN", "JSON"])?;
        Ok(match word {
            "NULL" => IsTest::Null,
            "TRUE" => IsTest::True,
            "FALSE" => IsTest::False,
            "UNKNOWN" => IsTest::Unknown,
            _ => match self.eat_any(&["VALUE", "SCALAR", "ARRAY", "OBJECT"]) {
                Some("SCALAR") => IsTest::JsonScalar,
                Some("ARRAY") => IsTest::JsonArray,
                Some("OBJECT") => IsTest::JsonObject,
                _ => IsTest::JsonValue,
            },
        })
    }

    fn between(&mut self, left: Expr, negated: bool) -> Result<Expr> {
        let start = left.span;
        self.expect("BETWEEN")?;
        let symmetric = self.eat("SYMMETRIC");
        if !symmetric {
            self.eat("ASYMMETRIC");
        }
        let low = Box::new(self.expr_above(power::ADDITIVE)?);
        self.expect("AND")?;
        let high = Box::new(self.expr_above(power::ADDITIVE)?);
        let kind = ExprKind::Between { expr: Box::new(left), low, high, negated, symmetric };
        Ok(self.finish(start, kind))
    }

    fn like(&mut self, left: Expr, negated: bool) -> Result<Expr> {
        let start = left.span;
        let kind = if self.eat("SIMILAR") {
            self.expect("TO")?;
            LikeKind::SimilarTo
        } else {
            self.expect("LIKE")?;
            LikeKind::Like
        };
        let pattern = Box::new(self.expr_above(power::ADDITIVE)?);
        let escape = if self.eat("ESCAPE") { Some(Box::new(self.expr_above(power::ADDITIVE)?)) } else { None };
        let kind = ExprKind::Like { kind, expr: Box::new(left), pattern, escape, negated };
        Ok(self.finish(start, kind))
    }

    fn in_list(&mut self, left: Expr, negated: bool) -> Result<Expr> {
        let start = left.span;
        self.expect("IN")?;
        let expr = Box::new(left);
        let kind = if self.at_parenthesised_query() {
            let query = Box::new(self.parens(Self::query)?);
            ExprKind::InSubquery { expr, query, negated }
        } else {
            let list = self.paren_list(Self::expr)?;
            ExprKind::InList { expr, list, negated }
        };
        Ok(self.finish(start, kind))
    }

    fn overlaps(&mut self, left: Expr) -> Result<Expr> {
        let start = left.span;
        self.expect("OVERLAPS")?;
        let kind = ExprKind::Overlaps { left: Box::new(left), right: Box::new(self.expr_above(power::ADDITIVE)?) };
        Ok(self.finish(start, kind))
    }

    pub(super) fn case(&mut self) -> Result<Expr> {
        let start = self.span();
        self.expect("CASE")?;
        let operand = if self.at("WHEN") { None } else { Some(self.expr()?) };
        let mut branches = Vec::new();
        while self.eat("WHEN") {
            let conditions = self.comma_list(Self::expr)?;
            self.expect("THEN")?;
            let result = self.expr()?;
            branches.push(CaseBranch { conditions, result });
        }
        if branches.is_empty() {
            return Err(self.unexpected());
        }
        let otherwise = if self.eat("ELSE") { Some(self.expr()?) } else { None };
        self.expect("END")?;
        let case = Case { operand, branches, otherwise };
        Ok(self.finish(start, ExprKind::Case(Box::new(case))))
    }

    pub(super) fn cast(&mut self, is_try: bool) -> Result<Expr> {
        let start = self.advance().span;
        self.expect_punct(Punct::LeftParen)?;
        let expr = Box::new(self.expr()?);
        self.expect("AS")?;
        let data_type = Box::new(self.data_type()?);
        self.expect_punct(Punct::RightParen)?;
        let kind = ExprKind::Cast { expr, data_type, is_try };
        Ok(self.finish(start, kind))
    }
}
