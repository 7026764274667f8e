//! Entries stored for one descriptor, read as those of another.
//!
//! The runs of a table may be of different ages: those before a change of the query hold rows as they were then.
//! Whoever merges runs brings them to one descriptor first.

use crate::evolution::ValueMigrator;
use crate::row_codec::EncodedRows;
use crate::ttl::split_stored;
use crate::{EntryRef, EntryStream, RestoredTable, TableDescriptor};
use headwater_data::run::Entries;
use headwater_types::Result;

/// Entries that are rewritten at once.
const ENTRIES: usize = 1024;

/// Reads entries that were stored as `stored` as those of a table that is `wanted`. Deletions stay. Entries that get
/// a time to live live from `now_ms` on.
///
/// # Errors
/// `state-incompatible` when the descriptors are not compatible.
pub fn rewritten(
    stream: Box<dyn EntryStream + Send>,
    stored: &TableDescriptor,
    wanted: &TableDescriptor,
    now_ms: i64,
) -> Result<Box<dyn EntryStream + Send>> {
    let migrator = ValueMigrator::new(stored, wanted)?;
    let (had_ttl, has_ttl) = (stored.ttl.is_some(), wanted.ttl.is_some());
    if migrator.is_none() && had_ttl == has_ttl {
        return Ok(stream);
    }
    Ok(Box::new(Rewritten { stream, migrator, had_ttl, has_ttl, now_ms, batch: Entries::new(), next: 0 }))
}

/// A restored table's entries as those of the table that is `wanted`.
///
/// # Errors
/// `state-incompatible` when the descriptors are not compatible.
pub(crate) fn restored_as(
    stored: RestoredTable,
    wanted: &TableDescriptor,
    now_ms: i64,
) -> Result<Box<dyn EntryStream>> {
    let RestoredTable { descriptor, entries: stream } = stored;
    let migrator = ValueMigrator::new(&descriptor, wanted)?;
    let (had_ttl, has_ttl) = (descriptor.ttl.is_some(), wanted.ttl.is_some());
    if migrator.is_none() && had_ttl == has_ttl {
        return Ok(stream);
    }
    Ok(Box::new(Rewritten { stream, migrator, had_ttl, has_ttl, now_ms, batch: Entries::new(), next: 0 }))
}

struct Rewritten<S> {
    stream: S,
    migrator: Option<ValueMigrator>,
    had_ttl: bool,
    has_ttl: bool,
    now_ms: i64,
    /// Rewritten entries, of which the one before `next` is the current one.
    batch: Entries,
    next: usize,
}

impl<S: EntryStream> Rewritten<S> {
    fn refill(&mut self) -> Result<()> {
        let mut stored = Entries::new();
        while stored.len() < ENTRIES && self.stream.advance()? {
            stored.push(self.stream.entry());
        }
        let mut rows = EncodedRows::new();
        for value in stored.iter().filter_map(|entry| entry.value) {
            rows.push(split_stored(value, self.had_ttl)?.1);
        }
        let rows = match &self.migrator {
            None => rows,
            Some(migrator) => {
                let mut migrated = EncodedRows::new();
                migrator.migrate(&rows, &mut migrated)?;
                migrated
            }
        };
        self.batch.clear();
        self.next = 0;
        self.rebuild(&stored, &rows)
    }

    /// Puts rewritten rows behind their times.
    fn rebuild(&mut self, stored: &Entries, rows: &EncodedRows) -> Result<()> {
        let (now, mut rows, mut value) = (self.now_ms.to_le_bytes(), rows.iter(), vec![]);
        for entry in stored.iter() {
            let Some(before) = entry.value else {
                self.batch.push(entry);
                continue;
            };
            value.clear();
            match (self.had_ttl, self.has_ttl) {
                (true, true) => value.extend_from_slice(split_stored(before, true)?.0),
                (false, true) => value.extend_from_slice(&now),
                (_, false) => {}
            }
            value.extend_from_slice(rows.next().unwrap_or_default());
            self.batch.push(EntryRef { value: Some(&value), ..entry });
        }
        Ok(())
    }
}

impl<S: EntryStream> EntryStream for Rewritten<S> {
    fn advance(&mut self) -> Result<bool> {
        if self.next == self.batch.len() {
            self.refill()?;
        }
        let more = self.next < self.batch.len();
        self.next += usize::from(more);
        Ok(more)
    }

    fn entry(&self) -> EntryRef<'_> {
        self.batch.get(self.next.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row_codec::RowCodec;
    use crate::{Column, Ttl};
    use arrow::array::{ArrayRef, AsArray, Int32Array};
    use arrow::datatypes::{DataType, Int64Type};
    use headwater_types::{LogicalType, TypeRoot};
    use std::sync::Arc;

    fn table(columns: &[(&str, TypeRoot)], ttl_ms: i64) -> TableDescriptor {
        let column = |(name, root): &(&str, TypeRoot)| Column::new(*name, LogicalType::from(root.clone()));
        TableDescriptor::value("t", vec![], columns.iter().map(column).collect())
            .with_rows()
            .with_ttl(Ttl::of_sql(ttl_ms))
    }

    #[test]
    fn rows_are_widened_deletions_stay_and_times_appear() {
        let mut rows = EncodedRows::new();
        let column: ArrayRef = Arc::new(Int32Array::from_iter_values(0..3000));
        RowCodec::new(&[DataType::Int32]).unwrap().encode(&[column], 3000, &mut rows).unwrap();
        let mut entries = Entries::new();
        for (n, row) in rows.iter().enumerate() {
            let value = (n % 5 != 0).then_some(row);
            entries.push(EntryRef { group: 0, key: &(n as u32).to_be_bytes(), map_key: &[], value });
        }
        let (stored, wanted) = (table(&[("a", TypeRoot::Int)], 0), table(&[("a", TypeRoot::BigInt)], 1000));
        let mut stream = rewritten(Box::new(entries.into_stream()), &stored, &wanted, 77).unwrap();
        for n in 0..3000i64 {
            assert!(stream.advance().unwrap());
            let entry = stream.entry();
            assert_eq!(entry.key, (n as u32).to_be_bytes());
            let Some(value) = entry.value else {
                assert_eq!(n % 5, 0);
                continue;
            };
            let (time, row) = value.split_at(8);
            assert_eq!(time, 77i64.to_le_bytes());
            let decoded = RowCodec::new(&[DataType::Int64]).unwrap().decode_slices(&[row]).unwrap();
            assert_eq!(decoded[0].as_primitive::<Int64Type>().value(0), n);
        }
        assert!(!stream.advance().unwrap());
    }
}
