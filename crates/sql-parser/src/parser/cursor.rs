//! The token cursor every grammar rule builds on.

use super::{MAX_HEIGHT, MAX_NESTING, Result};
use crate::keywords::{Keyword, KeywordClass};
use crate::lexer::{Lexer, Punct, Token, TokenKind};
use crate::suggest::nearest;
use crate::{ParseError, Span};

/// Parser state. Grammar rules are `impl Parser` blocks, one file per group.
pub(super) struct Parser<'a> {
    pub(super) source: &'a str,
    tokens: Vec<Token>,
    position: usize,
    depth: usize,
    /// Height of what has been parsed in the current scope, see [`Parser::nested`].
    height: usize,
    expected: Expected,
}

/// What would have been accepted at one position, the furthest that was asked about.
#[derive(Default)]
struct Expected {
    position: usize,
    tokens: Vec<&'static str>,
}

impl Expected {
    fn note(&mut self, position: usize, token: &'static str) {
        if position > self.position {
            self.position = position;
            self.tokens.clear();
        }
        if position == self.position && !self.tokens.contains(&token) {
            self.tokens.push(token);
        }
    }

    fn at(&self, position: usize) -> &[&'static str] {
        if self.position == position { &self.tokens } else { &[] }
    }
}

impl<'a> Parser<'a> {
    pub(super) fn new(source: &'a str) -> Result<Self> {
        let Ok(length) = u32::try_from(source.len()) else {
            return Err(ParseError::new("the text is too long", Span::default()));
        };
        let mut tokens: Vec<Token> = Lexer::new(source).filter(|token| token.kind != TokenKind::Comment).collect();
        tokens.push(Token { kind: TokenKind::End, span: end_of_text(source, length) });
        Ok(Self { source, tokens, position: 0, depth: 0, height: 0, expected: Expected::default() })
    }

    // ---- looking ----

    pub(super) fn peek(&self) -> Token {
        self.peek_at(0)
    }

    pub(super) fn peek_at(&self, ahead: usize) -> Token {
        let last = self.tokens.len() - 1;
        self.tokens[(self.position + ahead).min(last)]
    }

    pub(super) fn span(&self) -> Span {
        self.peek().span
    }

    /// The span from `start` to the last consumed token.
    pub(super) fn span_from(&self, start: Span) -> Span {
        let previous = self.position.checked_sub(1).map(|at| self.tokens[at].span);
        match previous {
            Some(previous) if previous.end > start.start => start.to(previous),
            _ => Span::new(start.start, start.start),
        }
    }

    pub(super) fn text(&self, token: Token) -> &'a str {
        token.span.text(self.source)
    }

    pub(super) fn keyword_at(&self, ahead: usize) -> Option<Keyword> {
        match self.peek_at(ahead).kind {
            TokenKind::Keyword(keyword) => Some(keyword),
            _ => None,
        }
    }

    /// Whether the next token is this keyword; does not note it as expected.
    pub(super) fn at(&self, word: &'static str) -> bool {
        self.is_keyword(0, word)
    }

    pub(super) fn is_keyword(&self, ahead: usize, word: &'static str) -> bool {
        debug_assert!(Keyword::lookup(word).is_some(), "{word} is not a keyword");
        self.keyword_at(ahead).is_some_and(|keyword| keyword.as_str() == word)
    }

    /// Whether the next tokens are these keywords.
    pub(super) fn at_all(&self, words: &[&'static str]) -> bool {
        let mut words = words.iter().enumerate();
        words.all(|(ahead, word)| self.is_keyword(ahead, word))
    }

    pub(super) fn at_punct(&self, punct: Punct) -> bool {
        self.is_punct(0, punct)
    }

    pub(super) fn is_punct(&self, ahead: usize, punct: Punct) -> bool {
        self.peek_at(ahead).kind == TokenKind::Punct(punct)
    }

    pub(super) fn at_string(&self) -> bool {
        self.is_string(0)
    }

    pub(super) fn is_string(&self, ahead: usize) -> bool {
        matches!(self.peek_at(ahead).kind, TokenKind::String | TokenKind::UnicodeString)
    }

    /// Whether the token can be an identifier.
    pub(super) fn is_ident(&self, ahead: usize) -> bool {
        match self.peek_at(ahead).kind {
            TokenKind::Identifier | TokenKind::QuotedIdentifier => true,
            TokenKind::Keyword(keyword) => keyword.class() == KeywordClass::Plain,
            _ => false,
        }
    }

    pub(super) fn at_end(&self) -> bool {
        self.peek().kind == TokenKind::End
    }

    /// The position behind the parenthesis that closes the one at `ahead`.
    pub(super) fn behind_closing(&self, ahead: usize) -> usize {
        let mut open = 0usize;
        let mut at = ahead;
        loop {
            match self.peek_at(at).kind {
                TokenKind::Punct(Punct::LeftParen) => open += 1,
                TokenKind::Punct(Punct::RightParen) => open = open.saturating_sub(1),
                TokenKind::End => return at,
                _ => {}
            }
            at += 1;
            if open == 0 {
                return at;
            }
        }
    }

    // ---- moving ----

    pub(super) fn advance(&mut self) -> Token {
        let token = self.peek();
        if token.kind != TokenKind::End {
            self.position += 1;
        }
        token
    }

    /// Notes that a token would have been accepted here.
    pub(super) fn note_expected(&mut self, token: &'static str) {
        self.expected.note(self.position, token);
    }

    pub(super) fn note_all(&mut self, tokens: &[&'static str]) {
        tokens.iter().for_each(|token| self.note_expected(token));
    }

    pub(super) fn eat(&mut self, word: &'static str) -> bool {
        self.eat_all(&[word])
    }

    /// Consumes these keywords if all of them follow.
    pub(super) fn eat_all(&mut self, words: &[&'static str]) -> bool {
        if let Some(first) = words.first() {
            self.note_expected(first);
        }
        let found = self.at_all(words);
        if found {
            self.position += words.len();
        }
        found
    }

    /// Consumes one of these keywords and tells which.
    pub(super) fn eat_any(&mut self, words: &[&'static str]) -> Option<&'static str> {
        words.iter().copied().find(|word| self.eat(word))
    }

    pub(super) fn eat_punct(&mut self, punct: Punct) -> bool {
        self.note_expected(punct.symbol());
        let found = self.at_punct(punct);
        if found {
            self.position += 1;
        }
        found
    }

    pub(super) fn expect(&mut self, word: &'static str) -> Result<()> {
        if self.eat(word) { Ok(()) } else { Err(self.unexpected()) }
    }

    pub(super) fn expect_all(&mut self, words: &[&'static str]) -> Result<()> {
        words.iter().try_for_each(|word| self.expect(word))
    }

    pub(super) fn expect_any(&mut self, words: &[&'static str]) -> Result<&'static str> {
        self.eat_any(words).ok_or_else(|| self.unexpected())
    }

    pub(super) fn expect_punct(&mut self, punct: Punct) -> Result<()> {
        if self.eat_punct(punct) { Ok(()) } else { Err(self.unexpected()) }
    }

    pub(super) fn expect_end(&mut self) -> Result<()> {
        self.note_expected("end of input");
        if self.at_end() { Ok(()) } else { Err(self.unexpected()) }
    }

    // ---- lists ----

    /// `item, item, …`, at least one.
    pub(super) fn comma_list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.eat_punct(Punct::Comma) {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// `(item, item, …)`, at least one.
    pub(super) fn paren_list<T>(&mut self, item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        self.parens(|parser| parser.comma_list(item))
    }

    /// `(item, …)` or `()`.
    pub(super) fn paren_list_or_empty<T>(&mut self, item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        self.expect_punct(Punct::LeftParen)?;
        if self.eat_punct(Punct::RightParen) {
            return Ok(Vec::new());
        }
        let items = self.comma_list(item)?;
        self.expect_punct(Punct::RightParen)?;
        Ok(items)
    }

    /// `(inner)`.
    pub(super) fn parens<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.expect_punct(Punct::LeftParen)?;
        let value = inner(self)?;
        self.expect_punct(Punct::RightParen)?;
        Ok(value)
    }

    // ---- bounds ----

    /// Runs a rule one nesting level deeper. Everything that recurses goes through here.
    pub(super) fn nested<T>(&mut self, levels: usize, rule: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += levels;
        if self.depth > MAX_NESTING {
            return Err(self.too_complex());
        }
        let outer_height = std::mem::take(&mut self.height);
        let result = rule(self);
        self.depth -= levels;
        let inner_height = std::mem::replace(&mut self.height, outer_height);
        self.raise_height(inner_height + 1)?;
        result
    }

    /// Records that the tree under construction got one level higher, as every further term
    /// of a left-deep chain makes it.
    pub(super) fn grow(&mut self) -> Result<()> {
        self.raise_height(self.height + 1)
    }

    fn raise_height(&mut self, height: usize) -> Result<()> {
        self.height = self.height.max(height);
        if self.height > MAX_HEIGHT {
            return Err(self.too_complex());
        }
        Ok(())
    }

    fn too_complex(&self) -> ParseError {
        let message = format!(
            "the statement is too deeply nested here (limits: {MAX_NESTING} levels of nesting, \
             {MAX_HEIGHT} levels including chains of operators)"
        );
        ParseError::new(message, self.span()).with_hint("split it up with views or common table expressions")
    }

    // ---- errors ----

    /// The error that the next token does not fit.
    pub(super) fn unexpected(&self) -> ParseError {
        let token = self.peek();
        if let TokenKind::Error(error) = token.kind {
            return ParseError::new(error.message(), first_char(self.source, token.span));
        }
        let mut error = ParseError::new(format!("unexpected {}", self.token_words(token)), token.span);
        let expected = self.expected.at(self.position);
        error.expected = expected.iter().map(|token| quote_symbol(token)).collect();
        error.hint = self.near_miss(token, expected);
        error
    }

    /// The error that the next token does not fit, with what would.
    pub(super) fn unexpected_wanting(&mut self, wanted: &'static str) -> ParseError {
        self.note_expected(wanted);
        self.unexpected()
    }

    fn token_words(&self, token: Token) -> String {
        match token.kind {
            TokenKind::End => "end of input".to_owned(),
            TokenKind::Keyword(keyword) if keyword.is_reserved() => {
                format!("keyword `{}`", self.text(token))
            }
            TokenKind::String | TokenKind::UnicodeString => {
                format!("string {}", shortened(self.text(token)))
            }
            _ => format!("`{}`", shortened(self.text(token))),
        }
    }

    fn near_miss(&self, token: Token, expected: &[&'static str]) -> Option<String> {
        let words = || expected.iter().copied().filter(|word| is_word(word));
        if matches!(token.kind, TokenKind::Identifier | TokenKind::Keyword(_))
            && let Some(word) = nearest(self.text(token), words())
        {
            return Some(format!("did you mean {word}?"));
        }
        let previous = self.tokens[self.position.checked_sub(1)?];
        if previous.kind == TokenKind::Identifier {
            let text = self.text(previous);
            let word = nearest(text, CLAUSE_KEYWORDS.iter().copied())?;
            return Some(format!("did you mean {word} instead of `{text}`?"));
        }
        None
    }
}

/// Words whose misspelling is read as an alias, so that the error shows only at the token
/// behind.
const CLAUSE_KEYWORDS: &[&str] = &[
    "FROM",
    "WHERE",
    "GROUP",
    "HAVING",
    "ORDER",
    "LIMIT",
    "UNION",
    "JOIN",
    "LEFT",
    "INNER",
    "WINDOW",
    "QUALIFY",
    "VALUES",
    "SELECT",
    "EXCEPT",
    "INTERSECT",
    "OFFSET",
    "PARTITION",
];

fn is_word(token: &str) -> bool {
    token.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}

fn quote_symbol(token: &str) -> String {
    if token.chars().any(char::is_alphabetic) { token.to_owned() } else { format!("`{token}`") }
}

fn shortened(text: &str) -> String {
    const CHARS_MAX: usize = 40;
    if text.chars().count() <= CHARS_MAX {
        return text.to_owned();
    }
    let start: String = text.chars().take(CHARS_MAX).collect();
    format!("{start}…")
}

/// The first character under a span: an unterminated string is best shown at its quote.
fn first_char(source: &str, span: Span) -> Span {
    let length = span.text(source).chars().next().map_or(0, char::len_utf8);
    Span::new(span.start, span.start + u32::try_from(length).unwrap_or(0))
}

/// An empty span behind the last visible character.
fn end_of_text(source: &str, length: u32) -> Span {
    let end = u32::try_from(source.trim_end().len()).unwrap_or(length);
    Span::new(end, end)
}
