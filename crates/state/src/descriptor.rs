//! What a table is: its name, its columns, how long entries live.

use crate::ttl::split_stored;
use headwater_types::{Error, ErrorKind, LogicalType, Result};
use serde::{Deserialize, Serialize};

/// Names and types a table. The name is unique within the operator and survives changes of the query; the
/// columns say what the bytes of keys and values mean, so that state can be inspected and migrated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableDescriptor {
    /// Name within the operator, such as `accumulators` or `left-rows`.
    pub name: String,
    /// What kind of table it is.
    pub kind: TableKind,
    /// Key columns, as the key codec encodes them.
    pub key: Vec<Column>,
    /// Map-key columns; empty for [`TableKind::Value`].
    pub map_key: Vec<Column>,
    /// Value columns.
    pub value: Vec<Column>,
    /// How long entries live; forever when absent.
    pub ttl: Option<Ttl>,
    /// What the bytes of values are.
    #[serde(default)]
    pub encoding: ValueEncoding,
    /// Whether the operator keeps its sense when the table alone is gone or empty: a table of one aggregate call, which
    /// may come and go with the query.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub detachable: bool,
    /// What decides which entries there are besides the columns, such as the windows that rows are aggregated in; empty
    /// when nothing does, and in state that was stored before it was said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cut_by: String,
}

/// What the bytes of values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ValueEncoding {
    /// The operator's own: can be restored only into the same columns.
    #[default]
    Opaque,
    /// [`RowCodec`](crate::RowCodec) rows of the value columns: can be migrated, column by column.
    Rows,
}

/// A named, typed column of state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Its name: of the query's column, or of the aggregate as text.
    pub name: String,
    /// Its type. Opaque bytes (an accumulator) are `BYTES`.
    pub ty: LogicalType,
    /// What the bytes of an accumulator are; absent in other columns, and in state that was stored before it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accumulator: Option<AccumulatorLayout>,
}

/// What the bytes of an accumulator are: they can be read again only by one that is made alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccumulatorLayout {
    /// What it does, such as `MAX`.
    pub function: String,
    /// The type of what it accumulates; absent when it does not matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<LogicalType>,
    /// Whether an accumulator of a wider number reads the bytes of one of a narrower number.
    #[serde(default)]
    pub widens: bool,
}

/// Kinds of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TableKind {
    /// One value per key.
    Value,
    /// An ordered map per key.
    Map,
    /// Event-time or processing-time timers.
    Timers,
}

/// How long entries live after they were written or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ttl {
    /// Life of an entry, milliseconds, above 0.
    pub ttl_ms: i64,
    /// What renews it.
    pub update: TtlUpdate,
    /// Whether an expired entry that still exists is seen.
    pub visibility: TtlVisibility,
}

/// What renews the life of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TtlUpdate {
    /// Creating and writing it.
    OnCreateAndWrite,
    /// Reading it too.
    OnReadAndWrite,
}

/// Whether expired entries are seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TtlVisibility {
    /// Never.
    NeverReturnExpired,
    /// Until they are cleaned up.
    ReturnExpiredIfNotCleanedUp,
}

impl Ttl {
    /// The rules of SQL operators: renewed by writes, never seen after expiry. `None` for 0, which is forever.
    pub fn of_sql(ttl_ms: i64) -> Option<Self> {
        let (update, visibility) = (TtlUpdate::OnCreateAndWrite, TtlVisibility::NeverReturnExpired);
        (ttl_ms > 0).then_some(Self { ttl_ms, update, visibility })
    }
}

impl TableDescriptor {
    /// A table of one value per key that lives forever.
    pub fn value(name: impl Into<String>, key: Vec<Column>, value: Vec<Column>) -> Self {
        Self {
            name: name.into(),
            kind: TableKind::Value,
            key,
            map_key: vec![],
            value,
            ttl: None,
            encoding: ValueEncoding::Opaque,
            detachable: false,
            cut_by: String::new(),
        }
    }

    /// A table of an ordered map per key that lives forever.
    pub fn map(name: impl Into<String>, key: Vec<Column>, map_key: Vec<Column>, value: Vec<Column>) -> Self {
        Self {
            name: name.into(),
            kind: TableKind::Map,
            key,
            map_key,
            value,
            ttl: None,
            encoding: ValueEncoding::Opaque,
            detachable: false,
            cut_by: String::new(),
        }
    }

    /// A table of timers, by key.
    pub fn timers(name: impl Into<String>, key: Vec<Column>) -> Self {
        Self {
            name: name.into(),
            kind: TableKind::Timers,
            key,
            map_key: vec![],
            value: vec![],
            ttl: None,
            encoding: ValueEncoding::Opaque,
            detachable: false,
            cut_by: String::new(),
        }
    }

    /// The same table with entries that live this long.
    #[must_use]
    pub fn with_ttl(mut self, ttl: Option<Ttl>) -> Self {
        self.ttl = ttl;
        self
    }

    /// The same table, whose values are [`RowCodec`](crate::RowCodec) rows of the value columns.
    #[must_use]
    pub fn with_rows(mut self) -> Self {
        self.encoding = ValueEncoding::Rows;
        self
    }

    /// The same table, whose entries make sense with this cut of the input only.
    #[must_use]
    pub fn cut_by(mut self, cut: impl Into<String>) -> Self {
        self.cut_by = cut.into();
        self
    }

    /// The same table, without which the operator keeps its sense.
    #[must_use]
    pub fn detachable(mut self) -> Self {
        self.detachable = true;
        self
    }

    /// Takes a stored value apart: the time it was written, in tables with a time to live, and the value itself.
    ///
    /// # Errors
    /// `Corruption` when a value that should have a time has none.
    pub fn split_value<'a>(&self, stored: &'a [u8]) -> Result<(Option<i64>, &'a [u8])> {
        let (time, value) = split_stored(stored, self.ttl.is_some())?;
        Ok((time.first_chunk().map(|time| i64::from_le_bytes(*time)), value))
    }

    /// Whether a stored value is expired at a time, so that a compaction may drop it.
    pub fn is_expired(&self, stored: &[u8], now_ms: i64) -> bool {
        let (Some(ttl), Ok((Some(time), _))) = (self.ttl, self.split_value(stored)) else { return false };
        time.saturating_add(ttl.ttl_ms) <= now_ms
    }

    /// The descriptor as the header of a run: JSON.
    ///
    /// # Errors
    /// Never for descriptors made of logical types.
    pub fn to_header(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(|e| Error::internal(format!("table '{}': {e}", self.name)))
    }

    /// The descriptor in the header of a run.
    ///
    /// # Errors
    /// `Corruption` when it is none.
    pub fn from_header(header: &[u8]) -> Result<Self> {
        serde_json::from_slice(header).map_err(|e| {
            Error::new(ErrorKind::Corruption, "bad-run-header", format!("a run does not say what table it holds: {e}"))
        })
    }
}

impl Column {
    /// A column.
    pub fn new(name: impl Into<String>, ty: LogicalType) -> Self {
        Self { name: name.into(), ty, accumulator: None }
    }
}
