//! Text to tokens.
//!
//! The lexer never fails: what is no token becomes an error token, so that highlighting,
//! completion and statement splitting work on half-written input. Tokens cover the source in
//! order without overlap; only white space lies between them.

mod scan;
mod token;

pub use token::{LexError, Punct, Token, TokenKind};

use crate::Span;
use crate::keywords::Keyword;
use scan::Cursor;

/// All tokens of a text, comments included.
pub fn tokens(source: &str) -> Vec<Token> {
    Lexer::new(source).collect()
}

/// Lexes a text token by token.
#[derive(Debug, Clone)]
pub struct Lexer<'a> {
    cursor: Cursor<'a>,
    in_hint: bool,
}

impl<'a> Lexer<'a> {
    /// A lexer at the start of a text.
    pub fn new(source: &'a str) -> Self {
        Self { cursor: Cursor::new(source), in_hint: false }
    }

    fn token(&mut self, first: char) -> TokenKind {
        match first {
            '\'' => string_body(&mut self.cursor, TokenKind::String),
            '`' => self.quoted_identifier(),
            '0'..='9' => self.number(),
            '.' if self.cursor.second().is_some_and(|c| c.is_ascii_digit()) => self.number(),
            '-' if self.cursor.starts_with("--") => self.line_comment(),
            '/' if self.cursor.starts_with("/*+") => self.hint_start(),
            '/' if self.cursor.starts_with("/*") => self.block_comment(),
            '*' if self.in_hint && self.cursor.starts_with("*/") => self.hint_end(),
            c if is_identifier_start(c) => self.word(),
            _ => self.punct(),
        }
    }

    fn quoted_identifier(&mut self) -> TokenKind {
        let start = self.cursor.offset();
        self.cursor.bump();
        if !self.cursor.skip_quoted('`') {
            return TokenKind::Error(LexError::UnterminatedIdentifier);
        }
        if self.cursor.offset() - start == 2 {
            return TokenKind::Error(LexError::EmptyIdentifier);
        }
        TokenKind::QuotedIdentifier
    }

    fn number(&mut self) -> TokenKind {
        self.cursor.skip_while(|c| c.is_ascii_digit());
        if self.cursor.first() == Some('.') {
            self.cursor.bump();
            self.cursor.skip_while(|c| c.is_ascii_digit());
        }
        self.cursor.skip_exponent();
        TokenKind::Number
    }

    fn line_comment(&mut self) -> TokenKind {
        self.cursor.skip_while(|c| c != '\n');
        TokenKind::Comment
    }

    fn block_comment(&mut self) -> TokenKind {
        if self.cursor.skip_past("*/") { TokenKind::Comment } else { TokenKind::Error(LexError::UnterminatedComment) }
    }

    fn hint_start(&mut self) -> TokenKind {
        self.cursor.advance(3);
        self.in_hint = true;
        TokenKind::HintStart
    }

    fn hint_end(&mut self) -> TokenKind {
        self.cursor.advance(2);
        self.in_hint = false;
        TokenKind::HintEnd
    }

    fn word(&mut self) -> TokenKind {
        if self.cursor.starts_with_ignoring_case("x'") {
            self.cursor.bump();
            return string_body(&mut self.cursor, TokenKind::BinaryString);
        }
        if self.cursor.starts_with_ignoring_case("u&'") {
            self.cursor.advance(2);
            return string_body(&mut self.cursor, TokenKind::UnicodeString);
        }
        let word = self.cursor.skip_while(is_identifier_part);
        let is_charset_prefix = word.starts_with('_') || word.eq_ignore_ascii_case("n");
        if is_charset_prefix && self.cursor.first() == Some('\'') {
            return string_body(&mut self.cursor, TokenKind::String);
        }
        Keyword::lookup(word).map_or(TokenKind::Identifier, TokenKind::Keyword)
    }

    fn punct(&mut self) -> TokenKind {
        for (symbol, punct) in PUNCTUATION {
            if self.cursor.starts_with(symbol) {
                self.cursor.advance(symbol.len());
                return TokenKind::Punct(*punct);
            }
        }
        self.cursor.bump();
        TokenKind::Error(LexError::UnexpectedCharacter)
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.cursor.skip_while(char::is_whitespace);
        let first = self.cursor.first()?;
        let start = self.cursor.offset();
        let kind = self.token(first);
        let span = Span::new(start, self.cursor.offset());
        Some(Token { kind, span })
    }
}

/// Symbols, longest first where one is a prefix of another.
const PUNCTUATION: &[(&str, Punct)] = &[
    ("<>", Punct::NotEq),
    ("!=", Punct::NotEq),
    ("<=", Punct::LtEq),
    (">=", Punct::GtEq),
    ("=>", Punct::Arrow),
    ("||", Punct::Concat),
    ("(", Punct::LeftParen),
    (")", Punct::RightParen),
    ("[", Punct::LeftBracket),
    ("]", Punct::RightBracket),
    ("{", Punct::LeftBrace),
    ("}", Punct::RightBrace),
    (",", Punct::Comma),
    (".", Punct::Dot),
    (";", Punct::Semicolon),
    (":", Punct::Colon),
    ("?", Punct::Question),
    ("^", Punct::Caret),
    ("|", Punct::Pipe),
    ("+", Punct::Plus),
    ("-", Punct::Minus),
    ("*", Punct::Star),
    ("/", Punct::Slash),
    ("%", Punct::Percent),
    ("=", Punct::Eq),
    ("<", Punct::Lt),
    (">", Punct::Gt),
];

/// Lexes from the opening quote to the closing one.
fn string_body(cursor: &mut Cursor<'_>, kind: TokenKind) -> TokenKind {
    cursor.bump();
    if cursor.skip_quoted('\'') { kind } else { TokenKind::Error(LexError::UnterminatedString) }
}

/// Whether an unquoted identifier can start with this character.
pub(crate) fn is_identifier_start(c: char) -> bool {
    c == '_' || c == '$' || c.is_alphabetic()
}

/// Whether an unquoted identifier can go on with this character.
pub(crate) fn is_identifier_part(c: char) -> bool {
    is_identifier_start(c) || c.is_alphanumeric()
}
