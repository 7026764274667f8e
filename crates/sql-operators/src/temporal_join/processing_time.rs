//! Temporal join by processing time: every left row is joined with the version that is the latest when it arrives.

use super::Lookup;
use crate::columns::{relabelled_changes, schema_of};
use crate::hash_join::null_keys;
use crate::joined::PADDED;
use crate::row_values::{KeyColumns, StoredRows, all_state_columns, state_columns};
use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;
use hashbrown::HashMap;
use headwater_data::ChangeBatch;
use headwater_data::key_codec::EncodedKeys;
use headwater_operator_api::{Collector, OpenContext, Operator};
use headwater_plan::graph::RowType;
use headwater_plan::operators::TemporalJoinSpec;
use headwater_state::{EncodedRows, Snapshot, TableDescriptor, Ttl, TtlUpdate, ValueTable};
use headwater_types::{Error, Result};

pub(super) struct ProcessingTimeJoin {
    lookup: Lookup,
    left: SchemaRef,
    right: RowType,
    keys: [KeyColumns; 2],
    values: StoredRows,
    ttl_ms: i64,
    versions: Option<ValueTable>,
    batch_rows: usize,
}

impl ProcessingTimeJoin {
    pub(super) fn new(spec: &TemporalJoinSpec, (left, right): (&RowType, &RowType), lookup: Lookup) -> Result<Self> {
        Ok(Self {
            lookup,
            left: schema_of(left),
            right: right.clone(),
            keys: [KeyColumns::new(left, &spec.left_keys)?, KeyColumns::new(right, &spec.right_keys)?],
            values: StoredRows::new(right, 0)?,
            ttl_ms: spec.state_ttl_ms,
            versions: None,
            batch_rows: 4096,
        })
    }

    fn read_keys(&self, batch: &ChangeBatch, side: usize) -> Result<(EncodedKeys, Vec<bool>)> {
        let (rows, columns) = (batch.rows(), &self.keys[side]);
        let mut keys = EncodedKeys::new();
        columns.encode(rows, &mut keys)?;
        let key_columns: Vec<ArrayRef> = columns.columns().iter().map(|c| rows.column(*c).clone()).collect();
        Ok((keys, null_keys(&key_columns, &[], rows.num_rows())))
    }

    fn keep_right(&mut self, batch: &ChangeBatch) -> Result<()> {
        let (keys, null) = self.read_keys(batch, 1)?;
        let mut bytes = EncodedRows::new();
        self.values.encode(batch.rows(), &mut bytes)?;
        let versions = self.versions.as_mut().ok_or_else(unopened)?;
        for row in (0..batch.num_rows()).filter(|row| !null[*row]) {
            match batch.kind(row).is_add() {
                true => versions.put(keys.key(row), bytes.row(row))?,
                false => versions.delete(keys.key(row))?,
            }
        }
        Ok(())
    }

    fn join_left(&mut self, batch: &ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        let (keys, null) = self.read_keys(batch, 0)?;
        let table = self.versions.as_mut().ok_or_else(unopened)?;
        table.prefetch(&keys)?;
        let mut found: HashMap<&[u8], u32> = HashMap::new();
        let mut rows = EncodedRows::new();
        let mut versions = Vec::with_capacity(batch.num_rows());
        for (row, key) in keys.iter().enumerate() {
            let known = if null[row] { Some(PADDED) } else { found.get(key).copied() };
            let version = match known {
                Some(version) => version,
                None => {
                    let version = table.get(key)?.map_or(PADDED, |bytes| {
                        rows.push(bytes);
                        rows.len() as u32 - 1
                    });
                    found.insert(key, version);
                    version
                }
            };
            versions.push(version);
        }
        let right = self.values.decode(&rows.iter().collect::<Vec<_>>())?;
        let kinds: Vec<i8> = (0..batch.num_rows()).map(|row| batch.kind(row) as i8).collect();
        self.lookup.emit(batch.rows(), &kinds, &right, versions, self.batch_rows, out)
    }
}

fn unopened() -> Error {
    Error::internal("a temporal join was used before it was opened")
}

impl Operator for ProcessingTimeJoin {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.batch_rows = context.batch_rows.max(1);
        let key = state_columns(&self.right, self.keys[1].columns());
        let descriptor = TableDescriptor::value("versions", key, all_state_columns(&self.right)).with_rows();
        // A version that is still looked up is not idle.
        let ttl = Ttl::of_sql(self.ttl_ms).map(|ttl| Ttl { update: TtlUpdate::OnReadAndWrite, ..ttl });
        self.versions = Some(context.state.value_table(descriptor.with_ttl(ttl))?);
        Ok(())
    }

    fn process(&mut self, input: u8, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        let schema = if input == 0 { &self.left } else { self.values.schema() };
        let batch = relabelled_changes(batch, schema)?;
        if input == 0 { self.join_left(&batch, out) } else { self.keep_right(&batch) }
    }

    fn snapshot(&mut self, snapshot: &mut Snapshot, _out: &mut dyn Collector) -> Result<()> {
        if let Some(versions) = &mut self.versions {
            versions.snapshot(snapshot);
        }
        Ok(())
    }
}
