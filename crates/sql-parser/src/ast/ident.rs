//! Names.

use crate::Span;

/// One identifier. Identifiers are case sensitive, quoted or not.
#[derive(Debug, Clone, PartialEq)]
pub struct Ident {
    /// The name without quotes, escapes resolved.
    pub value: String,
    /// Whether it was written in backticks, or is a reserved word in a place where the
    /// backticks may be left out.
    pub quoted: bool,
    /// Where it stands.
    pub span: Span,
}

impl Ident {
    /// An unquoted identifier without a position, for generated trees.
    pub fn generated(value: impl Into<String>) -> Self {
        Self { value: value.into(), quoted: false, span: Span::default() }
    }
}

/// A dotted name, `a`, `db.t` or `cat.db.t`; never empty.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectName(pub Vec<Ident>);

impl ObjectName {
    /// The span from the first to the last part.
    pub fn span(&self) -> Span {
        match (self.0.first(), self.0.last()) {
            (Some(first), Some(last)) => first.span.to(last.span),
            _ => Span::default(),
        }
    }

    /// The last part.
    pub fn last(&self) -> Option<&Ident> {
        self.0.last()
    }

    /// The parts as strings.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|ident| ident.value.as_str())
    }

    /// The only part, when there is exactly one.
    pub fn as_single(&self) -> Option<&Ident> {
        match self.0.as_slice() {
            [ident] => Some(ident),
            _ => None,
        }
    }
}

impl From<Ident> for ObjectName {
    fn from(ident: Ident) -> Self {
        Self(vec![ident])
    }
}

/// The value of a string literal in a place where the grammar asks for one.
#[derive(Debug, Clone, PartialEq)]
pub struct StringLiteral {
    /// The text, escapes resolved.
    pub value: String,
    /// Where it stands, quotes included.
    pub span: Span,
}

/// One `'key' = 'value'` of a `WITH`, `SET` or hint list.
#[derive(Debug, Clone, PartialEq)]
pub struct SqlOption {
    /// The option key.
    pub key: StringLiteral,
    /// The option value, always text.
    pub value: StringLiteral,
}

impl SqlOption {
    /// The span from key to value.
    pub fn span(&self) -> Span {
        self.key.span.to(self.value.span)
    }
}
