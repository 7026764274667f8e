//! Paths, subscripts and field access.

use super::Result;
use super::cursor::Parser;
use crate::ast::{Expr, ExprKind, ObjectName};
use crate::keywords::KeywordClass;
use crate::lexer::Punct;

/// How many more nesting levels calls with special syntax count for, as parsing their
/// clauses takes more stack.
const SPECIAL_LEVELS: usize = 2;

impl Parser<'_> {
    /// `a.b.c` or `db.f(…)`.
    pub(super) fn path_or_call(&mut self) -> Result<Expr> {
        let name = self.object_name()?;
        if self.at_punct(Punct::LeftParen) {
            return self.call(name);
        }
        let span = name.span();
        Ok(Expr::new(ExprKind::Column(name), span))
    }

    /// An expression that starts with a keyword without a rule of its own.
    pub(super) fn keyword_call(&mut self, keyword: &'static str) -> Result<Expr> {
        if self.is_punct(1, Punct::LeftParen)
            && let Some(special) = self.nested(SPECIAL_LEVELS, |parser| parser.special_call(keyword))?
        {
            return Ok(special);
        }
        let class = self.keyword_at(0).map(|keyword| keyword.class());
        if class == Some(KeywordClass::Plain) {
            return self.path_or_call();
        }
        if is_datetime_value(keyword) && !self.is_punct(1, Punct::LeftParen) {
            return Ok(self.niladic_call());
        }
        let is_call = class == Some(KeywordClass::Function) && self.is_punct(1, Punct::LeftParen);
        if is_call {
            let name = ObjectName::from(self.any_word());
            return self.call(name);
        }
        if is_context_value(keyword) {
            let name = ObjectName::from(self.any_word());
            let span = name.span();
            return Ok(Expr::new(ExprKind::Column(name), span));
        }
        self.note_expected("expression");
        self.ident()?;
        Err(self.unexpected())
    }

    /// Subscripts and fields behind a primary.
    pub(super) fn postfix(&mut self, mut base: Expr) -> Result<Expr> {
        loop {
            let start = base.span;
            let kind = if self.at_punct(Punct::LeftBracket) {
                self.subscript(base)?
            } else if self.at_punct(Punct::Dot) && !self.is_punct(1, Punct::Star) {
                self.advance();
                ExprKind::FieldAccess { base: Box::new(base), field: self.ident_after_dot()? }
            } else {
                return Ok(base);
            };
            self.grow()?;
            base = self.finish(start, kind);
        }
    }

    fn subscript(&mut self, base: Expr) -> Result<ExprKind> {
        self.expect_punct(Punct::LeftBracket)?;
        let index = Box::new(self.expr()?);
        self.expect_punct(Punct::RightBracket)?;
        Ok(ExprKind::Subscript { base: Box::new(base), index })
    }
}

/// Values of time that are written without parentheses.
pub(crate) fn is_datetime_value(keyword: &str) -> bool {
    matches!(keyword, "CURRENT_DATE" | "CURRENT_TIME" | "CURRENT_TIMESTAMP" | "LOCALTIME" | "LOCALTIMESTAMP")
}

/// Reserved words that may stand for themselves as a value. No function of the dialect has
/// these names, so a column of that name is found: `SELECT user FROM t`.
pub(crate) fn is_context_value(keyword: &str) -> bool {
    matches!(
        keyword,
        "CURRENT_CATALOG"
            | "CURRENT_DEFAULT_TRANSFORM_GROUP"
            | "CURRENT_PATH"
            | "CURRENT_ROLE"
            | "CURRENT_SCHEMA"
            | "CURRENT_USER"
            | "SESSION_USER"
            | "SYSTEM_USER"
            | "USER"
    )
}
