//! Hints, `/*+ NAME(args) */`.

use super::Result;
use super::cursor::Parser;
use crate::ast::{Hint, HintArg, Ident, Literal, StringLiteral};
use crate::lexer::{Punct, TokenKind};

impl Parser<'_> {
    /// The hints of a hint comment, if one is there.
    pub(super) fn optional_hints(&mut self) -> Result<Vec<Hint>> {
        let mut hints = Vec::new();
        while self.peek().kind == TokenKind::HintStart {
            self.advance();
            while self.peek().kind != TokenKind::HintEnd {
                hints.push(self.hint()?);
                self.eat_punct(Punct::Comma);
            }
            self.advance();
        }
        Ok(hints)
    }

    fn hint(&mut self) -> Result<Hint> {
        let start = self.span();
        let name = self.hint_name()?;
        let args = if self.at_punct(Punct::LeftParen) { self.paren_list_or_empty(Self::hint_arg)? } else { Vec::new() };
        Ok(Hint { name, args, span: self.span_from(start) })
    }

    fn hint_name(&mut self) -> Result<Ident> {
        match self.peek().kind {
            TokenKind::Keyword(_) => Ok(self.any_word()),
            TokenKind::Identifier | TokenKind::QuotedIdentifier => self.ident(),
            _ => Err(self.unexpected_wanting("hint name")),
        }
    }

    fn hint_arg(&mut self) -> Result<HintArg> {
        let start = self.span();
        if self.peek().kind == TokenKind::Number {
            let token = self.advance();
            let number = Literal::Number(self.text(token).to_owned());
            return Ok(HintArg::Literal(number, start));
        }
        if self.at_string() {
            let text = self.string_literal()?;
            return self.hint_value(text, |text| HintArg::Literal(Literal::String(text.value), start));
        }
        let name = self.object_name()?;
        let text = name.parts().collect::<Vec<_>>().join(".");
        let span = name.span();
        self.hint_value(StringLiteral { value: text, span }, |_| HintArg::Name(name))
    }

    fn hint_value(&mut self, key: StringLiteral, alone: impl FnOnce(StringLiteral) -> HintArg) -> Result<HintArg> {
        if !self.eat_punct(Punct::Eq) {
            return Ok(alone(key));
        }
        let value = self.string_literal()?;
        Ok(HintArg::KeyValue { key, value })
    }
}
