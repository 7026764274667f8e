//! `FROM`: tables, joins, table functions.

use super::Result;
use super::cursor::Parser;
use crate::Span;
use crate::ast::{
    ExprKind, Function, Join, JoinConstraint, JoinKind, NamedTable, ObjectName, TableAlias, TableRef, TableRefKind,
};
use crate::keywords::KeywordClass;
use crate::lexer::Punct;

/// What stands before the right side of a join.
struct JoinOperator {
    kind: JoinKind,
    natural: bool,
    span: Span,
}

impl Parser<'_> {
    pub(super) fn optional_from(&mut self) -> Result<Vec<TableRef>> {
        if self.eat("FROM") { self.comma_list(Self::table_ref) } else { Ok(Vec::new()) }
    }

    /// A table with all its joins.
    fn table_ref(&mut self) -> Result<TableRef> {
        let mut left = self.table_factor()?;
        while let Some(operator) = self.join_operator()? {
            self.grow()?;
            left = self.join(left, operator)?;
        }
        Ok(left)
    }

    fn join_operator(&mut self) -> Result<Option<JoinOperator>> {
        let start = self.span();
        let natural = self.eat("NATURAL");
        let kind = match self.eat_any(&["JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS"]) {
            None if natural => return Err(self.unexpected()),
            None => return Ok(None),
            Some("JOIN") => {
                let kind = JoinKind::Inner;
                return Ok(Some(self.finish_operator(start, kind, natural)));
            }
            Some("INNER") => JoinKind::Inner,
            Some("CROSS") => JoinKind::Cross,
            Some(side) => {
                self.eat("OUTER");
                outer_join(side)
            }
        };
        self.expect("JOIN")?;
        Ok(Some(self.finish_operator(start, kind, natural)))
    }

    fn finish_operator(&self, start: Span, kind: JoinKind, natural: bool) -> JoinOperator {
        JoinOperator { kind, natural, span: self.span_from(start) }
    }

    fn join(&mut self, left: TableRef, operator: JoinOperator) -> Result<TableRef> {
        let right = self.table_factor()?;
        let constraint = if operator.natural { JoinConstraint::Natural } else { self.join_constraint()? };
        let span = self.span_from(left.span);
        let join = Join { left, right, kind: operator.kind, constraint, operator_span: operator.span };
        Ok(TableRef { kind: TableRefKind::Join(Box::new(join)), alias: None, span })
    }

    fn join_constraint(&mut self) -> Result<JoinConstraint> {
        if self.eat("ON") {
            return self.expr().map(JoinConstraint::On);
        }
        if self.eat("USING") {
            return self.paren_list(Self::ident).map(JoinConstraint::Using);
        }
        Ok(JoinConstraint::None)
    }

    /// One item: everything between two join operators.
    fn table_factor(&mut self) -> Result<TableRef> {
        self.nested(1, |parser| {
            let start = parser.span();
            if parser.at_punct(Punct::LeftParen) && !parser.at_parenthesised_query() {
                let inner = parser.parens(Self::table_ref)?;
                return parser.matched(inner);
            }
            let kind = parser.table_kind()?;
            let alias = parser.optional_table_alias()?;
            let table = TableRef { kind, alias, span: parser.span_from(start) };
            parser.matched(table)
        })
    }

    fn table_kind(&mut self) -> Result<TableRefKind> {
        let lateral = self.eat("LATERAL");
        if self.at_punct(Punct::LeftParen) {
            let query = Box::new(self.parens(Self::query)?);
            return Ok(TableRefKind::Derived { lateral, query });
        }
        if self.at("UNNEST") {
            return self.unnest();
        }
        if self.at("TABLE") && self.is_punct(1, Punct::LeftParen) {
            return self.wrapped_function(lateral);
        }
        let is_call = self.is_punct(1, Punct::LeftParen) && self.at_callable_keyword();
        let name = if is_call {
            ObjectName::from(self.any_word())
        } else {
            self.note_expected("table");
            self.object_name()?
        };
        if self.at_punct(Punct::LeftParen) {
            let call = Box::new(self.plain_call(name)?);
            return Ok(TableRefKind::Function { lateral, wrapped: false, call });
        }
        self.named_table(name)
    }

    fn at_callable_keyword(&self) -> bool {
        let class = self.keyword_at(0).map(|keyword| keyword.class());
        class == Some(KeywordClass::Function)
    }

    fn named_table(&mut self, name: ObjectName) -> Result<TableRefKind> {
        let hints = self.optional_hints()?;
        let system_time = if self.eat("FOR") {
            self.expect_all(&["SYSTEM_TIME", "AS", "OF"])?;
            Some(self.expr()?)
        } else {
            None
        };
        Ok(TableRefKind::Table(Box::new(NamedTable { name, hints, system_time })))
    }

    fn unnest(&mut self) -> Result<TableRefKind> {
        self.advance();
        let exprs = self.paren_list(Self::expr)?;
        let with_ordinality = self.eat_all(&["WITH", "ORDINALITY"]);
        Ok(TableRefKind::Unnest { exprs, with_ordinality })
    }

    /// `TABLE(f(…))`.
    fn wrapped_function(&mut self, lateral: bool) -> Result<TableRefKind> {
        self.advance();
        let call = self.parens(|parser| {
            if parser.at_callable_keyword() {
                let name = ObjectName::from(parser.any_word());
                parser.plain_call(name)
            } else {
                parser.table_function()
            }
        })?;
        Ok(TableRefKind::Function { lateral, wrapped: true, call: Box::new(call) })
    }

    fn table_function(&mut self) -> Result<Function> {
        let name = self.object_name()?;
        self.plain_call(name)
    }

    fn optional_table_alias(&mut self) -> Result<Option<TableAlias>> {
        let Some(name) = self.optional_alias()? else {
            return Ok(None);
        };
        let columns = self.optional_ident_list()?;
        Ok(Some(TableAlias { name, columns }))
    }

    /// `MATCH_RECOGNIZE (…) [AS alias]` behind a table, if it is there.
    fn matched(&mut self, input: TableRef) -> Result<TableRef> {
        if !self.at("MATCH_RECOGNIZE") {
            return Ok(input);
        }
        let start = input.span;
        let clause = Box::new(self.match_recognize()?);
        let alias = self.optional_table_alias()?;
        Ok(TableRef {
            kind: TableRefKind::MatchRecognize { input: Box::new(input), clause },
            alias,
            span: self.span_from(start),
        })
    }

    /// `procedure(…)` of `CALL`.
    pub(super) fn procedure_call(&mut self) -> Result<Function> {
        let expr = self.path_or_call()?;
        match expr.kind {
            ExprKind::Function(function) if function.is_plain() => Ok(*function),
            _ => Err(self.unexpected_wanting("(")),
        }
    }
}

fn outer_join(side: &str) -> JoinKind {
    match side {
        "LEFT" => JoinKind::Left,
        "RIGHT" => JoinKind::Right,
        _ => JoinKind::Full,
    }
}
