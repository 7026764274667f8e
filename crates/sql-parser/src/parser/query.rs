//! Queries: `WITH`, set operations, `ORDER BY`, `LIMIT`.

use super::Result;
use super::cursor::Parser;
use crate::Span;
use crate::ast::{Cte, Expr, NullsOrder, OrderByExpr, Query, SetExpr, SetOperator, SortDirection, Values};
use crate::lexer::Punct;

/// How many nesting levels a query counts for: parsing one takes that much more stack than
/// parsing an expression.
const QUERY_LEVELS: usize = 4;

impl Parser<'_> {
    /// A query with everything that belongs to it.
    pub(super) fn query(&mut self) -> Result<Query> {
        self.nested(QUERY_LEVELS, |parser| {
            let start = parser.span();
            let with = parser.optional_with()?;
            let body = parser.set_expr()?;
            parser.query_tail(start, with, body)
        })
    }

    fn query_tail(&mut self, start: Span, with: Vec<Cte>, body: SetExpr) -> Result<Query> {
        let order_by = self.optional_order_by()?;
        let mut query = Query { with, body, order_by, offset: None, limit: None, span: start };
        self.limit_clauses(&mut query)?;
        query.span = self.span_from(start);
        Ok(without_parens(query))
    }

    fn optional_with(&mut self) -> Result<Vec<Cte>> {
        if !self.eat("WITH") {
            return Ok(Vec::new());
        }
        self.comma_list(|parser| {
            let name = parser.ident()?;
            let columns = parser.optional_ident_list()?;
            parser.expect("AS")?;
            let query = parser.parens(Self::query)?;
            Ok(Cte { name, columns, query })
        })
    }

    /// `LIMIT`, `OFFSET` and `FETCH`, in any order.
    fn limit_clauses(&mut self, query: &mut Query) -> Result<()> {
        while let Some(word) = self.eat_any(&["LIMIT", "OFFSET", "FETCH"]) {
            match word {
                "LIMIT" => self.limit(query)?,
                "OFFSET" => {
                    query.offset = Some(self.expr()?);
                    self.eat_any(&["ROW", "ROWS"]);
                }
                _ => query.limit = Some(self.fetch()?),
            }
        }
        Ok(())
    }

    /// Behind `LIMIT`: `ALL`, `count` or `start, count`.
    fn limit(&mut self, query: &mut Query) -> Result<()> {
        if self.eat("ALL") {
            return Ok(());
        }
        let first = self.expr()?;
        if self.eat_punct(Punct::Comma) {
            query.offset = Some(first);
            query.limit = Some(self.expr()?);
        } else {
            query.limit = Some(first);
        }
        Ok(())
    }

    /// Behind `FETCH`: `FIRST|NEXT [count] ROW|ROWS ONLY`.
    fn fetch(&mut self) -> Result<Expr> {
        self.expect_any(&["FIRST", "NEXT"])?;
        let count = if self.at("ROW") || self.at("ROWS") { one(self.span()) } else { self.expr()? };
        self.expect_any(&["ROWS", "ROW"])?;
        self.expect("ONLY")?;
        Ok(count)
    }

    /// `UNION` and `EXCEPT` over `INTERSECT` over terms, each left associative.
    pub(super) fn set_expr(&mut self) -> Result<SetExpr> {
        let mut left = self.intersection()?;
        while let Some(word) = self.eat_any(&["UNION", "EXCEPT", "MINUS"]) {
            let op = match word {
                "UNION" => SetOperator::Union,
                _ => SetOperator::Except,
            };
            left = self.set_operation(op, left, Self::intersection)?;
        }
        Ok(left)
    }

    fn intersection(&mut self) -> Result<SetExpr> {
        let mut left = self.set_term()?;
        while self.eat("INTERSECT") {
            left = self.set_operation(SetOperator::Intersect, left, Self::set_term)?;
        }
        Ok(left)
    }

    fn set_operation(
        &mut self,
        op: SetOperator,
        left: SetExpr,
        right: fn(&mut Self) -> Result<SetExpr>,
    ) -> Result<SetExpr> {
        self.grow()?;
        let quantifier = self.set_quantifier();
        let right = right(self)?;
        Ok(SetExpr::SetOperation { op, quantifier, left: Box::new(left), right: Box::new(right) })
    }

    fn set_term(&mut self) -> Result<SetExpr> {
        if self.at_punct(Punct::LeftParen) {
            let query = self.parens(Self::query)?;
            return Ok(SetExpr::Query(Box::new(query)));
        }
        if self.at("SELECT") {
            return Ok(SetExpr::Select(Box::new(self.select()?)));
        }
        if self.at("VALUES") {
            return self.values().map(SetExpr::Values);
        }
        if self.at("TABLE") {
            self.advance();
            return self.object_name().map(SetExpr::Table);
        }
        self.note_all(&["SELECT", "VALUES", "WITH"]);
        Err(self.unexpected())
    }

    fn values(&mut self) -> Result<Values> {
        let start = self.span();
        self.expect("VALUES")?;
        let rows = self.comma_list(Self::expr)?;
        Ok(Values { rows, span: self.span_from(start) })
    }

    /// Whether the next token opens a parenthesis around a query, however deep: decided
    /// by its first words and, for `((query) …`, by what follows the inner query.
    pub(super) fn at_parenthesised_query(&self) -> bool {
        let mut open = 0;
        while self.is_punct(open, Punct::LeftParen) {
            open += 1;
        }
        if open == 0 || !self.starts_query(open) {
            return false;
        }
        // From the inside out: `(query)` stays a query if only closed or combined further.
        (1..open).rev().all(|inner| {
            let behind = self.behind_closing(inner);
            self.is_punct(behind, Punct::RightParen) || self.continues_query(behind)
        })
    }

    fn starts_query(&self, ahead: usize) -> bool {
        let words = ["SELECT", "WITH", "VALUES", "TABLE"];
        words.iter().any(|word| self.is_keyword(ahead, word))
    }

    fn continues_query(&self, ahead: usize) -> bool {
        const WORDS: [&str; 8] = ["UNION", "EXCEPT", "MINUS", "INTERSECT", "ORDER", "LIMIT", "OFFSET", "FETCH"];
        WORDS.iter().any(|word| self.is_keyword(ahead, word))
    }

    /// `ORDER BY item, …`.
    pub(super) fn order_by(&mut self) -> Result<Vec<OrderByExpr>> {
        self.expect_all(&["ORDER", "BY"])?;
        self.comma_list(Self::order_by_item)
    }

    pub(super) fn order_by_item(&mut self) -> Result<OrderByExpr> {
        let expr = self.expr()?;
        let direction = self.eat_any(&["ASC", "DESC"]).map(|word| match word {
            "ASC" => SortDirection::Asc,
            _ => SortDirection::Desc,
        });
        let nulls = if self.eat("NULLS") {
            match self.expect_any(&["FIRST", "LAST"])? {
                "FIRST" => Some(NullsOrder::First),
                _ => Some(NullsOrder::Last),
            }
        } else {
            None
        };
        Ok(OrderByExpr { expr, direction, nulls })
    }
}

/// The query in the parentheses when there is nothing around them.
fn without_parens(query: Query) -> Query {
    let is_bare = query.with.is_empty() && query.order_by.is_empty() && query.limit.is_none() && query.offset.is_none();
    match query.body {
        SetExpr::Query(inner) if is_bare => *inner,
        _ => query,
    }
}

/// The count of `FETCH FIRST ROW ONLY`.
fn one(span: Span) -> Expr {
    let literal = crate::ast::Literal::Number("1".to_owned());
    let at = Span::new(span.start, span.start);
    Expr::new(crate::ast::ExprKind::Literal(literal), at)
}
