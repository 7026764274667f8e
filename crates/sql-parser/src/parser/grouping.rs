//! `GROUP BY`.

use super::Result;
use super::cursor::Parser;
use crate::ast::{Expr, ExprKind, GroupBy, GroupByItem, GroupByKind};
use crate::lexer::Punct;

impl Parser<'_> {
    pub(super) fn optional_group_by(&mut self) -> Result<Option<GroupBy>> {
        if !self.eat("GROUP") {
            return Ok(None);
        }
        self.expect("BY")?;
        let quantifier = self.set_quantifier();
        let items = self.comma_list(Self::group_by_item)?;
        Ok(Some(GroupBy { quantifier, items }))
    }

    fn group_by_item(&mut self) -> Result<GroupByItem> {
        self.nested(1, |parser| {
            let start = parser.span();
            let kind = parser.group_by_kind()?;
            let span = parser.span_from(start);
            Ok(GroupByItem { kind, span })
        })
    }

    fn group_by_kind(&mut self) -> Result<GroupByKind> {
        if self.at_all(&["GROUPING", "SETS"]) {
            self.expect_all(&["GROUPING", "SETS"])?;
            return self.group_by_items().map(GroupByKind::GroupingSets);
        }
        if self.eat("CUBE") {
            return self.group_by_items().map(GroupByKind::Cube);
        }
        if self.eat("ROLLUP") {
            return self.group_by_items().map(GroupByKind::Rollup);
        }
        if self.at_punct(Punct::LeftParen) && self.is_punct(1, Punct::RightParen) {
            self.advance();
            self.advance();
            return Ok(GroupByKind::Tuple(Vec::new()));
        }
        self.expr().map(grouping_of)
    }

    fn group_by_items(&mut self) -> Result<Vec<GroupByItem>> {
        self.paren_list_or_empty(Self::group_by_item)
    }
}

/// `(a, b)` reads as a row, but here it is a tuple of grouping expressions.
fn grouping_of(expr: Expr) -> GroupByKind {
    match expr.kind {
        ExprKind::Row { values, explicit: false } => GroupByKind::Tuple(values),
        _ => GroupByKind::Expr(expr),
    }
}
