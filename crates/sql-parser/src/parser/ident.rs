//! Identifiers, names, string literals and option lists.

use super::Result;
use super::cursor::Parser;
use crate::ParseError;
use crate::ast::{Ident, ObjectName, SqlOption, StringLiteral};
use crate::keywords::KeywordClass;
use crate::lexer::{Punct, Token, TokenKind};

impl Parser<'_> {
    /// An identifier; reserved words need backticks.
    pub(super) fn ident(&mut self) -> Result<Ident> {
        if self.is_ident(0) {
            return Ok(self.any_word());
        }
        match self.peek().kind {
            TokenKind::Keyword(keyword) if keyword.class() != KeywordClass::Plain => Err(self.reserved_word()),
            _ => Err(self.unexpected_wanting("identifier")),
        }
    }

    /// Consumes the next word, whatever it is.
    pub(super) fn any_word(&mut self) -> Ident {
        let token = self.advance();
        let text = self.text(token);
        let quoted = token.kind == TokenKind::QuotedIdentifier;
        let value = if quoted { text[1..text.len() - 1].replace("``", "`") } else { text.to_owned() };
        Ident { value, quoted, span: token.span }
    }

    fn reserved_word(&mut self) -> ParseError {
        let token = self.peek();
        let text = self.text(token);
        let mut error = self.unexpected_wanting("identifier");
        if error.hint.is_none() {
            error.hint = Some(format!(
                "{} is a reserved word; to use it as a name, quote it with backticks: `{text}`",
                text.to_uppercase()
            ));
        }
        error
    }

    /// A part behind a dot, where no keyword can stand: reserved words are fine.
    pub(super) fn ident_after_dot(&mut self) -> Result<Ident> {
        match self.peek().kind {
            TokenKind::Keyword(_) => Ok(self.word_as_name()),
            _ => self.ident(),
        }
    }

    /// Consumes the next word where no keyword can stand. A reserved word counts as quoted,
    /// so that it prints as a name everywhere.
    pub(super) fn word_as_name(&mut self) -> Ident {
        let is_reserved = self.keyword_at(0).is_some_and(|word| word.is_reserved());
        let mut ident = self.any_word();
        ident.quoted |= is_reserved;
        ident
    }

    /// `a` or `a.b.c`.
    pub(super) fn object_name(&mut self) -> Result<ObjectName> {
        let mut parts = vec![self.ident()?];
        while self.at_punct(Punct::Dot) && !self.is_punct(1, Punct::Star) {
            self.advance();
            parts.push(self.ident_after_dot()?);
        }
        Ok(ObjectName(parts))
    }

    /// `(a, b)` if it is there.
    pub(super) fn optional_ident_list(&mut self) -> Result<Vec<Ident>> {
        if self.at_punct(Punct::LeftParen) { self.paren_list(Self::ident) } else { Ok(Vec::new()) }
    }

    /// A string literal, possibly in several parts.
    pub(super) fn string_literal(&mut self) -> Result<StringLiteral> {
        self.note_expected("string");
        if !self.at_string() {
            return Err(self.unexpected());
        }
        let start = self.span();
        let mut value = String::new();
        while self.at_string() {
            let token = self.advance();
            value.push_str(&self.decode_string(token)?);
        }
        Ok(StringLiteral { value, span: self.span_from(start) })
    }

    fn decode_string(&mut self, token: Token) -> Result<String> {
        let text = self.text(token);
        let open = text.find('\'').map_or(0, |at| at + 1);
        let body = text[open..text.len() - 1].replace("''", "'");
        if token.kind != TokenKind::UnicodeString {
            return Ok(body);
        }
        let escape = self.unicode_escape()?;
        decode_unicode(&body, escape)
            .ok_or_else(|| ParseError::new("invalid Unicode escape in this string", token.span))
    }

    /// `UESCAPE 'c'`.
    fn unicode_escape(&mut self) -> Result<char> {
        if !self.eat("UESCAPE") {
            return Ok('\\');
        }
        let literal = self.string_literal()?;
        let mut chars = literal.value.chars();
        match (chars.next(), chars.next()) {
            (Some(escape), None) if !escape.is_ascii_hexdigit() && escape != '+' => Ok(escape),
            _ => Err(ParseError::new(
                "the escape character must be one character and no hexadecimal digit",
                literal.span,
            )),
        }
    }

    /// `IF EXISTS`.
    pub(super) fn if_exists(&mut self) -> bool {
        self.eat_all(&["IF", "EXISTS"])
    }

    /// `IF NOT EXISTS`.
    pub(super) fn if_not_exists(&mut self) -> bool {
        self.eat_all(&["IF", "NOT", "EXISTS"])
    }

    /// `COMMENT '…'` if it is there.
    pub(super) fn optional_comment(&mut self) -> Result<Option<StringLiteral>> {
        if self.eat("COMMENT") { self.string_literal().map(Some) } else { Ok(None) }
    }

    /// `WITH (…)` if it is there.
    pub(super) fn optional_with_options(&mut self) -> Result<Vec<SqlOption>> {
        if self.eat("WITH") { self.options() } else { Ok(Vec::new()) }
    }

    /// `('k' = 'v', …)`.
    pub(super) fn options(&mut self) -> Result<Vec<SqlOption>> {
        self.paren_list_or_empty(Self::option)
    }

    /// `('k', …)`.
    pub(super) fn option_keys(&mut self) -> Result<Vec<StringLiteral>> {
        self.paren_list_or_empty(Self::string_literal)
    }

    /// `'k' = 'v'`.
    pub(super) fn option(&mut self) -> Result<SqlOption> {
        let key = self.option_text()?;
        self.expect_punct(Punct::Eq)?;
        let value = self.option_text()?;
        Ok(SqlOption { key, value })
    }

    fn option_text(&mut self) -> Result<StringLiteral> {
        self.string_literal().map_err(|mut error| {
            error.hint = Some("keys and values of options are strings: 'key' = 'value'".to_owned());
            error
        })
    }

    /// An unsigned integer that fits the type.
    pub(super) fn unsigned(&mut self) -> Result<u32> {
        self.note_expected("number");
        let token = self.peek();
        if token.kind != TokenKind::Number {
            return Err(self.unexpected());
        }
        let parsed = self.text(token).parse();
        let value = parsed.map_err(|_| {
            let message = format!("`{}` is not an integer in range", self.text(token));
            ParseError::new(message, token.span)
        })?;
        self.advance();
        Ok(value)
    }
}

/// Resolves `\XXXX`, `\+XXXXXX` and `\\`.
fn decode_unicode(text: &str, escape: char) -> Option<String> {
    let mut decoded = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != escape {
            decoded.push(c);
            continue;
        }
        match chars.clone().next()? {
            next if next == escape => {
                chars.next();
                decoded.push(escape);
            }
            '+' => {
                chars.next();
                decoded.push(take_hex(&mut chars, 6)?);
            }
            _ => decoded.push(take_hex(&mut chars, 4)?),
        }
    }
    Some(decoded)
}

fn take_hex(chars: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    let mut code = 0;
    for _ in 0..digits {
        code = code * 16 + chars.next()?.to_digit(16)?;
    }
    char::from_u32(code)
}
