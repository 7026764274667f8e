//! The four kinds of a changelog row.

use serde::{Deserialize, Serialize};

/// What a row of a changelog does to the table it describes. The discriminants are the bytes of
/// the sidecar buffer of a mixed change batch, and are persisted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(i8)]
pub enum RowKind {
    /// `+I`: the row is added.
    Insert = 0,
    /// `-U`: the row is taken back because its successor follows.
    UpdateBefore = 1,
    /// `+U`: the row replaces the one taken back before it.
    UpdateAfter = 2,
    /// `-D`: the row is removed.
    Delete = 3,
}

impl RowKind {
    /// The kind of a sidecar byte; `None` for a byte no writer produces.
    pub fn from_byte(byte: i8) -> Option<Self> {
        match byte {
            0 => Some(Self::Insert),
            1 => Some(Self::UpdateBefore),
            2 => Some(Self::UpdateAfter),
            3 => Some(Self::Delete),
            _ => None,
        }
    }

    /// Flink's two-character notation.
    pub fn short(self) -> &'static str {
        match self {
            Self::Insert => "+I",
            Self::UpdateBefore => "-U",
            Self::UpdateAfter => "+U",
            Self::Delete => "-D",
        }
    }

    /// Parses Flink's two-character notation.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "+I" => Some(Self::Insert),
            "-U" => Some(Self::UpdateBefore),
            "+U" => Some(Self::UpdateAfter),
            "-D" => Some(Self::Delete),
            _ => None,
        }
    }

    /// Whether the row adds to the table (`+I`, `+U`) rather than takes away.
    pub fn is_add(self) -> bool {
        matches!(self, Self::Insert | Self::UpdateAfter)
    }
}
