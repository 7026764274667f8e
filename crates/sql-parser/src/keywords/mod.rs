//! The keywords of the dialect.
//!
//! A reserved word is an identifier only between backticks. The list follows Calcite with
//! Flink's additions; where the two grew words only recently they are left unreserved here,
//! so that a script valid for any Flink release stays valid.

mod table;

use table::TABLE;

/// How a keyword may be used without backticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeywordClass {
    /// As an identifier, too.
    Plain,
    /// Only as a keyword.
    Reserved,
    /// As a keyword and as the name of a function that is called, `LEFT(a, 1)`.
    Function,
}

/// A keyword: an index into the sorted table of all keywords.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Keyword(u16);

impl Keyword {
    /// Finds a word regardless of case.
    pub fn lookup(word: &str) -> Option<Keyword> {
        let found = TABLE.binary_search_by(|(keyword, _)| compare_ignoring_case(keyword, word));
        found.ok().and_then(|index| u16::try_from(index).ok()).map(Keyword)
    }

    /// The keyword in upper case.
    pub fn as_str(self) -> &'static str {
        TABLE[usize::from(self.0)].0
    }

    /// How it may be used.
    pub fn class(self) -> KeywordClass {
        TABLE[usize::from(self.0)].1
    }

    /// Whether it must be quoted to serve as an identifier.
    pub fn is_reserved(self) -> bool {
        self.class() != KeywordClass::Plain
    }
}

impl std::fmt::Debug for Keyword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// All keywords in alphabetical order.
pub fn keywords() -> impl Iterator<Item = Keyword> {
    (0..).map(Keyword).take(TABLE.len())
}

/// Whether a word cannot be an identifier without backticks.
pub fn is_reserved(word: &str) -> bool {
    Keyword::lookup(word).is_some_and(Keyword::is_reserved)
}

fn compare_ignoring_case(upper: &str, word: &str) -> std::cmp::Ordering {
    let folded = word.bytes().map(|byte| byte.to_ascii_uppercase());
    upper.bytes().cmp(folded)
}
