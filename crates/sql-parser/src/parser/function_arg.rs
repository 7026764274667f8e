//! Arguments: expressions, tables, descriptors, models.

use super::Result;
use super::cursor::Parser;
use crate::Span;
use crate::ast::{FunctionArg, FunctionArgValue, TableArg, TableArgSource};
use crate::lexer::{Punct, TokenKind};

impl Parser<'_> {
    pub(super) fn function_arg(&mut self) -> Result<FunctionArg> {
        let start = self.span();
        let is_word =
            matches!(self.peek().kind, TokenKind::Identifier | TokenKind::QuotedIdentifier | TokenKind::Keyword(_));
        let name = if is_word && self.is_punct(1, Punct::Arrow) {
            let name = self.word_as_name();
            self.advance();
            Some(name)
        } else {
            None
        };
        let value = self.arg_value()?;
        Ok(FunctionArg { name, value, span: self.span_from(start) })
    }

    fn arg_value(&mut self) -> Result<FunctionArgValue> {
        if self.at_punct(Punct::Star) {
            self.advance();
            return Ok(FunctionArgValue::Star);
        }
        if self.at_parenthesised_query() {
            return self.query_arg();
        }
        match self.keyword_at(0).map_or("", |keyword| keyword.as_str()) {
            "TABLE" => self.table_arg(),
            "SELECT" | "WITH" | "VALUES" => self.bare_query_arg(),
            "DESCRIPTOR" if self.is_punct(1, Punct::LeftParen) => {
                self.advance();
                let columns = self.paren_list_or_empty(Self::ident)?;
                Ok(FunctionArgValue::Descriptor(columns))
            }
            "MODEL" if self.is_ident(1) => {
                self.advance();
                self.object_name().map(FunctionArgValue::Model)
            }
            "DEFAULT" => {
                self.advance();
                Ok(FunctionArgValue::Default)
            }
            _ => self.expr().map(FunctionArgValue::Expr),
        }
    }

    /// `TABLE t …` or `TABLE (query) …`.
    fn table_arg(&mut self) -> Result<FunctionArgValue> {
        let start = self.advance().span;
        if self.at_punct(Punct::LeftParen) {
            let query = Box::new(self.parens(Self::query)?);
            return self.finish_table_arg(start, TableArgSource::Query(query));
        }
        let name = self.object_name()?;
        self.finish_table_arg(start, TableArgSource::Name(name))
    }

    /// `(query)`: a scalar subquery, unless partitioned or ordered as only a table can be.
    fn query_arg(&mut self) -> Result<FunctionArgValue> {
        let behind = self.behind_closing(0);
        let is_table = self.is_keyword(behind, "PARTITION") || self.is_keyword(behind, "ORDER");
        if !is_table {
            return self.expr().map(FunctionArgValue::Expr);
        }
        let start = self.span();
        let query = Box::new(self.parens(Self::query)?);
        self.finish_table_arg(start, TableArgSource::Query(query))
    }

    /// A query without parentheses of its own, `f(SELECT …)`.
    fn bare_query_arg(&mut self) -> Result<FunctionArgValue> {
        let start = self.span();
        let query = Box::new(self.query()?);
        self.finish_table_arg(start, TableArgSource::Query(query))
    }

    fn finish_table_arg(&mut self, start: Span, source: TableArgSource) -> Result<FunctionArgValue> {
        let hints = self.optional_hints()?;
        let partition_by = self.optional_partition_by()?;
        let order_by = self.table_arg_order()?;
        Ok(FunctionArgValue::Table(Box::new(TableArg {
            source,
            hints,
            partition_by,
            order_by,
            span: self.span_from(start),
        })))
    }

    /// `ORDER BY key` or `ORDER BY (key, key)`: a comma would end the argument.
    fn table_arg_order(&mut self) -> Result<Vec<crate::ast::OrderByExpr>> {
        if !self.eat_all(&["ORDER", "BY"]) {
            return Ok(Vec::new());
        }
        if self.at_punct(Punct::LeftParen) {
            return self.paren_list(Self::order_by_item);
        }
        Ok(vec![self.order_by_item()?])
    }

    /// `PARTITION BY key` or `PARTITION BY (key, key)` if it is there.
    fn optional_partition_by(&mut self) -> Result<Vec<crate::ast::Expr>> {
        if !self.eat_all(&["PARTITION", "BY"]) {
            return Ok(Vec::new());
        }
        if self.at_punct(Punct::LeftParen) {
            return self.paren_list(Self::expr);
        }
        Ok(vec![self.expr()?])
    }
}
