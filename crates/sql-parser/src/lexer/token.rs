//! Tokens.

use crate::Span;
use crate::keywords::Keyword;

/// A token with its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it stands.
    pub span: Span,
}

/// Kinds of tokens. The text is looked up in the source by span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// An unquoted word that is no keyword.
    Identifier,
    /// An identifier in backticks.
    QuotedIdentifier,
    /// A keyword, reserved or not.
    Keyword(Keyword),
    /// An unsigned number.
    Number,
    /// A string, possibly with a character set prefix.
    String,
    /// `U&'…'`.
    UnicodeString,
    /// `x'…'`.
    BinaryString,
    /// An operator or punctuation.
    Punct(Punct),
    /// `/*+`.
    HintStart,
    /// The `*/` that closes a hint.
    HintEnd,
    /// A comment; the parser does not see it.
    Comment,
    /// Text that is no token.
    Error(LexError),
    /// The end of the source; only the parser sees it.
    End,
}

/// Operators and punctuation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the symbols below say it
pub enum Punct {
    LeftParen,
    RightParen,
    LeftBracket,
    RightBracket,
    LeftBrace,
    RightBrace,
    Comma,
    Dot,
    Semicolon,
    Colon,
    Question,
    Caret,
    Pipe,
    Concat,
    Plus,
    Minus,
    Star,
    Slash,
    Percent,
    Eq,
    NotEq,
    Lt,
    LtEq,
    Gt,
    GtEq,
    Arrow,
}

impl Punct {
    /// The symbol (`<>` for both spellings of not equal).
    pub fn symbol(self) -> &'static str {
        match self {
            Punct::LeftParen => "(",
            Punct::RightParen => ")",
            Punct::LeftBracket => "[",
            Punct::RightBracket => "]",
            Punct::LeftBrace => "{",
            Punct::RightBrace => "}",
            Punct::Comma => ",",
            Punct::Dot => ".",
            Punct::Semicolon => ";",
            Punct::Colon => ":",
            Punct::Question => "?",
            Punct::Caret => "^",
            Punct::Pipe => "|",
            Punct::Concat => "||",
            Punct::Plus => "+",
            Punct::Minus => "-",
            Punct::Star => "*",
            Punct::Slash => "/",
            Punct::Percent => "%",
            Punct::Eq => "=",
            Punct::NotEq => "<>",
            Punct::Lt => "<",
            Punct::LtEq => "<=",
            Punct::Gt => ">",
            Punct::GtEq => ">=",
            Punct::Arrow => "=>",
        }
    }
}

/// Why text is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LexError {
    /// A string without its closing quote.
    UnterminatedString,
    /// A quoted identifier without its closing backtick.
    UnterminatedIdentifier,
    /// An empty pair of backticks.
    EmptyIdentifier,
    /// A comment without `*/`.
    UnterminatedComment,
    /// A character that starts no token.
    UnexpectedCharacter,
}

impl LexError {
    /// The message for users.
    pub fn message(self) -> &'static str {
        match self {
            LexError::UnterminatedString => "this string has no closing quote",
            LexError::UnterminatedIdentifier => "this identifier has no closing backtick",
            LexError::EmptyIdentifier => "an identifier must not be empty",
            LexError::UnterminatedComment => "this comment has no closing `*/`",
            LexError::UnexpectedCharacter => "unexpected character",
        }
    }
}
