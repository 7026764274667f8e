//! `SELECT`.

use super::Result;
use super::cursor::Parser;
use crate::ast::{Ident, NamedWindow, Select, SelectItem};
use crate::lexer::Punct;

impl Parser<'_> {
    pub(super) fn select(&mut self) -> Result<Select> {
        let start = self.span();
        self.expect("SELECT")?;
        let mut hints = self.optional_hints()?;
        let quantifier = self.set_quantifier();
        hints.extend(self.optional_hints()?);
        let projection = self.comma_list(Self::select_item)?;
        let from = self.optional_from()?;
        let mut select = Select {
            hints,
            quantifier,
            projection,
            from,
            selection: None,
            group_by: None,
            having: None,
            windows: Vec::new(),
            qualify: None,
            span: start,
        };
        self.select_clauses(&mut select)?;
        select.span = self.span_from(start);
        Ok(select)
    }

    fn select_clauses(&mut self, select: &mut Select) -> Result<()> {
        if self.eat("WHERE") {
            select.selection = Some(self.expr()?);
        }
        select.group_by = self.optional_group_by()?;
        if self.eat("HAVING") {
            select.having = Some(self.expr()?);
        }
        if self.eat("WINDOW") {
            select.windows = self.comma_list(Self::named_window)?;
        }
        if self.eat("QUALIFY") {
            select.qualify = Some(self.expr()?);
        }
        Ok(())
    }

    fn named_window(&mut self) -> Result<NamedWindow> {
        let name = self.ident()?;
        self.expect("AS")?;
        let spec = self.window_spec()?;
        Ok(NamedWindow { name, spec })
    }

    fn select_item(&mut self) -> Result<SelectItem> {
        let start = self.span();
        if self.eat_punct(Punct::Star) {
            return Ok(SelectItem::Wildcard(start));
        }
        let expr = self.expr()?;
        if self.at_punct(Punct::Dot) && self.is_punct(1, Punct::Star) {
            self.advance();
            self.advance();
            let span = self.span_from(start);
            return Ok(SelectItem::QualifiedWildcard { prefix: expr, span });
        }
        let alias = self.optional_alias()?;
        Ok(SelectItem::Expr { expr, alias })
    }

    /// `AS name`, or `name` alone.
    pub(super) fn optional_alias(&mut self) -> Result<Option<Ident>> {
        if self.eat("AS") {
            return self.alias_behind_as().map(Some);
        }
        if self.is_ident(0) && !self.at_all(&["COMPATIBLE", "WITH"]) {
            return self.ident().map(Some);
        }
        Ok(None)
    }

    /// Behind `AS`, where a string gets a better message than "unexpected".
    fn alias_behind_as(&mut self) -> Result<Ident> {
        if self.at_string() {
            let error = self.unexpected_wanting("identifier");
            return Err(error.with_hint("names are quoted with backticks, not with quotes"));
        }
        self.ident()
    }
}
