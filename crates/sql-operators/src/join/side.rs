//! The rows of one side of a join, in state.
//!
//! | what is known of the rows | key | map key | value |
//! |---|---|---|---|
//! | one per join key | join key | | `matches` row |
//! | a unique key | join key | unique key | `matches` row |
//! | nothing | join key | row | `matches` count |
//!
//! `matches` is the number of rows of the other side that the row is joined with; it is kept only where the join
//! pads or filters rows of this side. Rows with a NULL key that equals nothing are not kept: they never match.

use crate::row_values::{KeyColumns, RowValues, StoredRows, all_state_columns, state_columns};
use arrow::array::RecordBatch;
use headwater_data::key_codec::EncodedKeys;
use headwater_plan::graph::RowType;
use headwater_plan::operators::JoinInputKey;
use headwater_state::{Column, EncodedRows, MapTable, Snapshot, StateContext, TableDescriptor, Ttl, ValueTable};
use headwater_types::{LogicalType, Result, TypeRoot};

/// How rows are told apart and kept.
enum Table {
    Single(ValueTable),
    Keyed(MapTable),
    Counted(MapTable),
}

/// What a side is made of; its tables are opened later.
pub(super) struct SideLayout {
    pub(super) name: &'static str,
    pub(super) row: RowType,
    pub(super) keys: Vec<usize>,
    pub(super) unique: JoinInputKey,
    pub(super) ttl_ms: i64,
    /// Whether the number of matches is kept with each row.
    pub(super) counts_matches: bool,
}

/// The rows of one side.
pub(super) struct Side {
    table: Table,
    /// Rows as map keys.
    rows: RowValues,
    /// Rows, or their counts, as values.
    values: StoredRows,
    /// The unique key of the rows, if they have one.
    unique: Option<KeyColumns>,
    counts_matches: bool,
    /// The batch at hand: map keys and values of its rows.
    map_keys: EncodedKeys,
    batch: EncodedRows,
    scratch: Vec<u8>,
}

/// A kept row as [`Side::scan`] shows it.
pub(super) struct Kept<'a> {
    /// The map key, or the value, that holds the row.
    pub(super) row: &'a [u8],
    pub(super) map_key: &'a [u8],
    /// How often the row is there.
    pub(super) count: u32,
    /// Rows of the other side it is joined with; 0 where that is not kept.
    pub(super) matches: u32,
}

impl Side {
    /// Opens the table of a side.
    pub(super) fn open(layout: &SideLayout, state: &StateContext) -> Result<Self> {
        let unique = match &layout.unique {
            JoinInputKey::Unique(columns) => Some(KeyColumns::new(&layout.row, columns)?),
            _ => None,
        };
        let numbers = usize::from(layout.counts_matches);
        let counted = vec![("count".to_owned(), LogicalType::from(TypeRoot::Int))];
        let value_row = if layout.unique == JoinInputKey::None { &counted } else { &layout.row };
        Ok(Self {
            table: layout.table(state)?,
            rows: RowValues::new(&layout.row)?,
            values: StoredRows::new(value_row, numbers)?,
            unique,
            counts_matches: layout.counts_matches,
            map_keys: EncodedKeys::new(),
            batch: EncodedRows::new(),
            scratch: vec![],
        })
    }

    /// Fetches the rows of these join keys.
    pub(super) fn prefetch(&mut self, keys: &EncodedKeys) -> Result<()> {
        match &mut self.table {
            Table::Single(table) => table.prefetch(keys),
            Table::Keyed(table) | Table::Counted(table) => table.prefetch(keys),
        }
    }

    /// Fetches what [`Side::add`] and [`Side::retract`] read for these join keys.
    pub(super) fn prefetch_for_update(&mut self, keys: &EncodedKeys) -> Result<()> {
        match &mut self.table {
            Table::Single(_) | Table::Keyed(_) => Ok(()),
            Table::Counted(table) => table.prefetch(keys),
        }
    }

    /// Shows the rows of a join key.
    pub(super) fn scan(&mut self, key: &[u8], visit: &mut dyn FnMut(Kept<'_>)) -> Result<()> {
        let (values, counts_matches) = (&self.values, self.counts_matches);
        let mut failed = Ok(());
        let mut show = |counted: bool, map_key: &[u8], value: &[u8]| {
            let read = || -> Result<(u32, u32)> {
                let matches = if counts_matches { values.number(value, 0)? } else { 0 };
                let count = if counted { values.number(value, usize::from(counts_matches))? } else { 1 };
                Ok((matches, count))
            };
            match read() {
                Ok((matches, count)) => {
                    visit(Kept { row: if counted { map_key } else { value }, map_key, count, matches });
                }
                Err(error) => failed = Err(error),
            }
        };
        match &mut self.table {
            Table::Single(table) => {
                if let Some(value) = table.get(key)? {
                    show(false, &[], value);
                }
            }
            Table::Keyed(table) => table.scan_all(key, &mut |map_key, value| show(false, map_key, value))?,
            Table::Counted(table) => table.scan_all(key, &mut |row, value| show(true, row, value))?,
        }
        failed
    }

    /// The batch of rows that [`Side::scan`] showed.
    pub(super) fn decode(&self, rows: &EncodedKeys) -> Result<RecordBatch> {
        match self.table {
            Table::Counted(_) => self.rows.decode(rows),
            _ => self.values.decode(&rows.iter().collect::<Vec<_>>()),
        }
    }

    /// Encodes the rows of a batch, which [`Side::add`] and [`Side::retract`] then name by position.
    pub(super) fn read(&mut self, rows: &RecordBatch) -> Result<()> {
        match (&self.table, &self.unique) {
            (Table::Counted(_), _) => return self.rows.encode(rows, &mut self.map_keys),
            (_, Some(unique)) => unique.encode(rows, &mut self.map_keys)?,
            (_, None) => {}
        }
        self.values.encode(rows, &mut self.batch)
    }

    /// Adds a row of the batch.
    pub(super) fn add(&mut self, key: &[u8], row: usize, matches: u32) -> Result<()> {
        if let Table::Counted(table) = &mut self.table {
            let map_key = self.map_keys.key(row);
            let count_at = usize::from(self.counts_matches);
            let known = table.get(key, map_key)?.map(|value| self.values.number(value, count_at)).transpose()?;
            let count = known.unwrap_or(0).saturating_add(1);
            write_count(&mut self.scratch, self.counts_matches, count, matches);
            return table.put(key, map_key, &self.scratch);
        }
        let bytes = self.batch.row(row);
        let value = match self.counts_matches {
            false => bytes,
            true => {
                self.scratch.clear();
                self.scratch.extend_from_slice(bytes);
                self.values.set_number(&mut self.scratch, 0, matches)?;
                &self.scratch
            }
        };
        match &mut self.table {
            Table::Single(table) => table.put(key, value),
            Table::Keyed(table) | Table::Counted(table) => table.put(key, self.map_keys.key(row), value),
        }
    }

    /// Takes a row of the batch back; one that is not there stays away.
    pub(super) fn retract(&mut self, key: &[u8], row: usize) -> Result<()> {
        let table = match &mut self.table {
            Table::Single(table) => return table.delete(key),
            Table::Keyed(table) => return table.delete(key, self.map_keys.key(row)),
            Table::Counted(table) => table,
        };
        let map_key = self.map_keys.key(row);
        let Some(value) = table.get(key, map_key)? else { return Ok(()) };
        let count_at = usize::from(self.counts_matches);
        let count = self.values.number(value, count_at)?;
        if count <= 1 {
            return table.delete(key, map_key);
        }
        self.scratch.clear();
        self.scratch.extend_from_slice(value);
        self.values.set_number(&mut self.scratch, count_at, count - 1)?;
        table.put(key, map_key, &self.scratch)
    }

    /// Writes the changed number of matches of a kept row.
    pub(super) fn set_matches(&mut self, key: &[u8], kept: &Kept<'_>) -> Result<()> {
        self.scratch.clear();
        match &mut self.table {
            Table::Counted(table) => {
                write_count(&mut self.scratch, self.counts_matches, kept.count, kept.matches);
                table.put(key, kept.map_key, &self.scratch)
            }
            Table::Single(table) => {
                self.scratch.extend_from_slice(kept.row);
                self.values.set_number(&mut self.scratch, 0, kept.matches)?;
                table.put(key, &self.scratch)
            }
            Table::Keyed(table) => {
                self.scratch.extend_from_slice(kept.row);
                self.values.set_number(&mut self.scratch, 0, kept.matches)?;
                table.put(key, kept.map_key, &self.scratch)
            }
        }
    }

    /// Hands what changed to a snapshot.
    pub(super) fn snapshot(&mut self, snapshot: &mut Snapshot) {
        match &mut self.table {
            Table::Single(table) => table.snapshot(snapshot),
            Table::Keyed(table) | Table::Counted(table) => table.snapshot(snapshot),
        }
    }
}

impl SideLayout {
    fn table(&self, state: &StateContext) -> Result<Table> {
        let key = state_columns(&self.row, &self.keys);
        // Rows that were stored without such a number cannot get one: the column cannot be added to state.
        let number = |name: &str| Column::new(name, LogicalType::from(TypeRoot::Int).not_null());
        let mut value = vec![];
        if self.counts_matches {
            value.push(number("matches"));
        }
        let ttl = Ttl::of_sql(self.ttl_ms);
        let rows = || all_state_columns(&self.row);
        Ok(match &self.unique {
            JoinInputKey::JoinKeyUnique => {
                value.extend(rows());
                Table::Single(
                    state.value_table(TableDescriptor::value(self.name, key, value).with_rows().with_ttl(ttl))?,
                )
            }
            JoinInputKey::Unique(columns) => {
                value.extend(rows());
                let map_key = state_columns(&self.row, columns);
                Table::Keyed(
                    state.map_table(TableDescriptor::map(self.name, key, map_key, value).with_rows().with_ttl(ttl))?,
                )
            }
            JoinInputKey::None => {
                value.push(number("count"));
                Table::Counted(
                    state.map_table(TableDescriptor::map(self.name, key, rows(), value).with_rows().with_ttl(ttl))?,
                )
            }
        })
    }
}

/// The value of a counted row: the row codec's bytes of its INT columns, none of them NULL.
fn write_count(value: &mut Vec<u8>, counts_matches: bool, count: u32, matches: u32) {
    value.clear();
    value.push(0);
    if counts_matches {
        value.extend_from_slice(&matches.to_le_bytes());
    }
    value.extend_from_slice(&count.to_le_bytes());
}
