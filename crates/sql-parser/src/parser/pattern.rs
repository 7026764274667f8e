//! Row patterns.

use super::Result;
use super::cursor::Parser;
use crate::ParseError;
use crate::ast::PatternExpr;
use crate::lexer::{Punct, TokenKind};

impl Parser<'_> {
    /// `a b | c d`.
    pub(super) fn pattern_expr(&mut self) -> Result<PatternExpr> {
        self.nested(1, |parser| {
            let mut branches = vec![parser.pattern_concat()?];
            while parser.eat_punct(Punct::Pipe) {
                branches.push(parser.pattern_concat()?);
            }
            Ok(one_or(branches, PatternExpr::Alternation))
        })
    }

    fn pattern_concat(&mut self) -> Result<PatternExpr> {
        let mut terms = vec![self.pattern_term()?];
        while self.at_pattern_term() {
            terms.push(self.pattern_term()?);
        }
        Ok(one_or(terms, PatternExpr::Concat))
    }

    fn at_pattern_term(&self) -> bool {
        let is_variable = self.is_ident(0) && !self.at_pattern_end();
        is_variable || self.at_punct(Punct::LeftParen) || self.at_punct(Punct::LeftBrace) || self.at("PERMUTE")
    }

    fn at_pattern_end(&self) -> bool {
        let token = self.peek();
        token.kind == TokenKind::Identifier && self.text(token) == "$"
    }

    /// `$` if it is there; the lexer reads it as a word.
    pub(super) fn eat_pattern_end(&mut self) -> bool {
        let found = self.at_pattern_end();
        if found {
            self.advance();
        }
        found
    }

    fn pattern_term(&mut self) -> Result<PatternExpr> {
        let factor = self.pattern_factor()?;
        let Some((min, max)) = self.pattern_quantifier()? else {
            return Ok(factor);
        };
        let reluctant = self.eat_punct(Punct::Question);
        Ok(PatternExpr::Quantified { inner: Box::new(factor), min, max, reluctant })
    }

    fn pattern_factor(&mut self) -> Result<PatternExpr> {
        if self.at_punct(Punct::LeftParen) {
            return self.parens(Self::pattern_expr);
        }
        if self.eat("PERMUTE") {
            return self.paren_list(Self::pattern_expr).map(PatternExpr::Permute);
        }
        if self.at_punct(Punct::LeftBrace) {
            self.advance();
            self.expect_punct(Punct::Minus)?;
            let inner = Box::new(self.pattern_expr()?);
            self.expect_punct(Punct::Minus)?;
            self.expect_punct(Punct::RightBrace)?;
            return Ok(PatternExpr::Exclude(inner));
        }
        self.ident().map(PatternExpr::Variable)
    }

    fn pattern_quantifier(&mut self) -> Result<Option<(u32, Option<u32>)>> {
        if self.at_punct(Punct::LeftBrace) && !self.is_punct(1, Punct::Minus) {
            return self.counted_quantifier().map(Some);
        }
        for (punct, range) in [(Punct::Star, (0, None)), (Punct::Plus, (1, None)), (Punct::Question, (0, Some(1)))] {
            if self.eat_punct(punct) {
                return Ok(Some(range));
            }
        }
        Ok(None)
    }

    /// `{n}`, `{n,}`, `{,m}` or `{n,m}`.
    fn counted_quantifier(&mut self) -> Result<(u32, Option<u32>)> {
        let start = self.advance().span;
        let lower = self.optional_count()?;
        let (min, max) = if self.eat_punct(Punct::Comma) {
            (lower.unwrap_or(0), self.optional_count()?)
        } else {
            match lower {
                Some(count) => (count, Some(count)),
                None => return Err(self.unexpected_wanting("number")),
            }
        };
        self.expect_punct(Punct::RightBrace)?;
        if max.is_some_and(|max| max < min) {
            let message = "the upper bound is smaller than the lower bound";
            return Err(ParseError::new(message, self.span_from(start)));
        }
        Ok((min, max))
    }

    fn optional_count(&mut self) -> Result<Option<u32>> {
        if self.peek().kind == TokenKind::Number { self.unsigned().map(Some) } else { Ok(None) }
    }
}

fn one_or(mut items: Vec<PatternExpr>, many: fn(Vec<PatternExpr>) -> PatternExpr) -> PatternExpr {
    match items.pop() {
        Some(only) if items.is_empty() => only,
        Some(last) => {
            items.push(last);
            many(items)
        }
        None => many(items),
    }
}
