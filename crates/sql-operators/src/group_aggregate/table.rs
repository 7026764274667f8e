//! The table of accumulators: one row per key, with the number of rows of its group where rows may be taken back, and
//! one accumulator per call under the call's text as its name.

use super::calls::binary;
use crate::row_values::StoredRows;
use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, Int64Array, RecordBatch};
use arrow::datatypes::Int64Type;
use headwater_data::key_codec::EncodedKeys;
use headwater_plan::graph::RowType;
use headwater_state::{Column, EncodedRows, Snapshot, StateContext, TableDescriptor, Ttl, ValueTable};
use headwater_types::{LogicalType, Result, TypeRoot};
use std::sync::Arc;

pub(super) struct AccumulatorTable {
    descriptor: TableDescriptor,
    table: Option<ValueTable>,
    codec: StoredRows,
    /// Whether rows per group are stored.
    counted: bool,
    /// Whether a write renews the life of an entry.
    expires: bool,
}

/// What the table holds for the keys of a batch.
pub(super) struct Loaded {
    /// The groups that it holds, in ascending order.
    pub(super) groups: Vec<u32>,
    /// Rows of every group of the batch; where they are not counted, 1 for a group that exists.
    pub(super) counts: Vec<i64>,
    rows: RecordBatch,
    bytes: EncodedRows,
    first_accumulator: usize,
}

impl AccumulatorTable {
    /// A table with these columns for accumulators.
    pub(super) fn new(accumulators: Vec<Column>, key: &[Column], counted: bool, ttl_ms: i64) -> Result<Self> {
        // Where rows were not counted, nobody knows how many there were: the column cannot be added to state.
        let count = counted.then(|| Column::new("rows", LogicalType::from(TypeRoot::BigInt).not_null()));
        let columns: Vec<Column> = count.into_iter().chain(accumulators).collect();
        let row: RowType = columns.iter().map(|column| (column.name.clone(), column.ty.clone())).collect();
        let descriptor = TableDescriptor::value("accumulators", key.to_vec(), columns);
        let descriptor = descriptor.with_rows().with_ttl(Ttl::of_sql(ttl_ms));
        Ok(Self { descriptor, table: None, codec: StoredRows::new(&row, 0)?, counted, expires: ttl_ms > 0 })
    }

    pub(super) fn open(&mut self, state: &StateContext) -> Result<()> {
        self.table = Some(state.value_table(self.descriptor.clone())?);
        Ok(())
    }

    pub(super) fn snapshot(&mut self, snapshot: &mut Snapshot) {
        if let Some(table) = &mut self.table {
            table.snapshot(snapshot);
        }
    }

    /// Reads the rows of these keys.
    pub(super) fn load(&mut self, keys: &EncodedKeys) -> Result<Loaded> {
        let table = self.table.as_mut().expect("the operator was opened");
        table.prefetch(keys)?;
        let (mut groups, mut bytes) = (vec![], EncodedRows::new());
        for (group, key) in keys.iter().enumerate() {
            if let Some(value) = table.get(key)? {
                groups.push(group as u32);
                bytes.push(value);
            }
        }
        let rows = self.codec.decode(&bytes.iter().collect::<Vec<_>>())?;
        let mut counts = vec![0; keys.len()];
        let stored = self.counted.then(|| rows.column(0).as_primitive::<Int64Type>());
        for (position, group) in groups.iter().enumerate() {
            counts[*group as usize] =
                stored.filter(|stored| stored.is_valid(position)).map_or(1, |stored| stored.value(position));
        }
        Ok(Loaded { groups, counts, rows, bytes, first_accumulator: usize::from(self.counted) })
    }

    /// Writes the rows of groups that exist and deletes those of groups that do no more.
    pub(super) fn store(
        &mut self,
        keys: &EncodedKeys,
        loaded: &Loaded,
        counts: &[i64],
        accumulators: Vec<ArrayRef>,
    ) -> Result<()> {
        let count = self.counted.then(|| Arc::new(Int64Array::from(counts.to_vec())) as ArrayRef);
        let columns = count.into_iter().chain(accumulators).collect();
        let rows = crate::columns::record_batch(self.codec.schema(), columns, keys.len())?;
        let mut bytes = EncodedRows::new();
        self.codec.encode(&rows, &mut bytes)?;
        let table = self.table.as_mut().expect("the operator was opened");
        let mut before = loaded.groups.iter().zip(loaded.bytes.iter()).peekable();
        for (group, key) in keys.iter().enumerate() {
            let known = before.next_if(|(known, _)| **known == group as u32).map(|(_, bytes)| bytes);
            let value = bytes.row(group);
            match known {
                _ if counts[group] > 0 && (self.expires || known != Some(value)) => table.put(key, value)?,
                Some(_) if counts[group] <= 0 => table.delete(key)?,
                _ => {}
            }
        }
        Ok(())
    }
}

impl Loaded {
    /// The stored accumulators, one column per call.
    pub(super) fn accumulators(&self) -> Result<Vec<&BinaryArray>> {
        self.rows.columns()[self.first_accumulator..].iter().map(binary).collect()
    }
}
