//! OVER ordered by columns that are no time attribute: an arriving row changes the results of the rows behind it.
//!
//! Rows are kept per partition in their order. A row that arrives behind all others gets its result from the
//! accumulators over them. For every other change the results of the partition are computed anew in one pass, and
//! rows whose results differ are updated. A row that arrives leaves with its own kind, a row that is taken back leaves
//! as `-D`, as in Flink. Also as there, the same average of more rows is another result.

use super::calls::OverCalls;
use super::frame::{OverRow, Script};
use crate::aggregate::Accumulator;
use crate::arrow_error;
use crate::columns::{record_batch, relabelled_changes, schema_of, types_of};
use crate::mirror::{Position, push_bigint};
use crate::order_key::order_text;
use crate::row_values::{KeyColumns, StoredRows, all_state_columns, state_columns};
use arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::{concat, concat_batches, take};
use arrow::datatypes::{DataType, SchemaRef};
use hashbrown::HashMap;
use headwater_data::key_codec::{EncodedKeys, KeyEncoder};
use headwater_data::{ChangeBatch, arrow_type};
use headwater_operator_api::{Collector, OpenContext, Operator};
use headwater_plan::OperatorNode;
use headwater_plan::graph::RowType;
use headwater_plan::operators::{AggregateCall, OverAggregateSpec, OverFrame};
use headwater_state::{Column, EncodedRows, MapTable, Snapshot, StateContext, TableDescriptor, Ttl};
use headwater_types::{Error, LogicalType, Result, RowKind, TypeRoot};

pub(super) struct ChangelogOver {
    spec: OverAggregateSpec,
    row: RowType,
    /// The calls, then counts of the rows that averages are made of, which are compared but not emitted.
    calls: OverCalls,
    keys: KeyColumns,
    rows: StoredRows,
    results: KeyEncoder,
    output: SchemaRef,
    table: Option<MapTable>,
    /// Number of the next row.
    next: u64,
    position: Position,
}

/// The rows of a partition, in order.
struct Partition {
    key: Box<[u8]>,
    entries: Vec<Entry>,
    /// The present results, unless rows were put behind the others since they were computed.
    results: Option<Vec<ArrayRef>>,
    /// What all rows have accumulated.
    tail: Vec<Box<dyn Accumulator>>,
}

struct Entry {
    /// The order columns, descending ones flipped, and the number of the row.
    map_key: Vec<u8>,
    /// Length of the order columns in the map key.
    order: usize,
    /// Position among the rows at hand.
    position: u32,
}

/// Rows to emit.
#[derive(Default)]
struct Emission {
    kinds: Vec<RowKind>,
    positions: Vec<u32>,
    /// Parts of every result column.
    results: Vec<Vec<ArrayRef>>,
}

/// Result columns, and the accumulators behind the last row.
type Computed = (Vec<ArrayRef>, Vec<Box<dyn Accumulator>>);

impl ChangelogOver {
    pub(super) fn new(spec: &OverAggregateSpec, node: &OperatorNode) -> Result<Self> {
        let row = node.inputs[0].clone();
        let output = schema_of(&node.output);
        let spec = &with_row_counts(spec);
        let result_types: Vec<DataType> = spec.calls.iter().map(|call| arrow_type(&call.ty)).collect();
        Ok(Self {
            calls: OverCalls::new(spec, &types_of(&row))?,
            keys: KeyColumns::new(&row, &spec.keys)?,
            rows: StoredRows::new(&row, 0)?,
            results: KeyEncoder::new(&result_types)?,
            output,
            row,
            table: None,
            next: 0,
            position: Position::default(),
            spec: spec.clone(),
        })
    }

    fn open_table(&self, state: &StateContext) -> Result<MapTable> {
        let bytes = |name: &str| Column::new(name, LogicalType::from(TypeRoot::VarBinary(i32::MAX as u32)));
        let number = Column::new("number", LogicalType::from(TypeRoot::BigInt));
        let key = state_columns(&self.row, &self.spec.keys);
        let map_key = vec![bytes("order"), number];
        let descriptor = TableDescriptor::map("rows", key, map_key, all_state_columns(&self.row))
            .with_rows()
            .cut_by(format!("all rows in the order of {}", order_text(&self.spec.order, &self.row)));
        state.map_table(descriptor.with_ttl(Ttl::of_sql(self.spec.state_ttl_ms)))
    }

    fn table(&mut self) -> Result<&mut MapTable> {
        self.table.as_mut().ok_or_else(|| Error::internal("an OVER operator was used before it was opened"))
    }

    /// Encodes the orders of rows such that bytes compare as the rows do.
    fn encode_order(&self, rows: &RecordBatch) -> Result<Vec<Vec<u8>>> {
        let mut orders = vec![vec![]; rows.num_rows()];
        for key in &self.spec.order {
            let column = rows.column(key.column);
            let mut encoded = EncodedKeys::new();
            KeyEncoder::new(&[column.data_type().clone()])?.encode(
                std::slice::from_ref(column),
                rows.num_rows(),
                &mut encoded,
            )?;
            for (row, bytes) in encoded.iter().enumerate() {
                // NULLs go where they are wanted, whatever the direction of the values.
                let null = column.is_null(row);
                orders[row].push(if null == key.nulls_first { 1 } else { 2 });
                if !null {
                    let flip = if key.ascending { 0 } else { u8::MAX };
                    orders[row].extend(bytes[1..].iter().map(|byte| byte ^ flip));
                }
            }
        }
        Ok(orders)
    }

    /// The partitions of a batch with the rows they hold, and all rows at hand: held ones, then the batch.
    fn partitions(
        &mut self,
        batch: &RecordBatch,
        keys: &EncodedKeys,
    ) -> Result<(Vec<Partition>, Vec<u32>, RecordBatch)> {
        let mut numbers: HashMap<&[u8], u32> = HashMap::new();
        let (mut partitions, mut of_row) = (vec![], vec![]);
        let mut bytes = EncodedRows::new();
        self.table()?.prefetch(keys)?;
        for key in keys.iter() {
            if let Some(number) = numbers.get(key) {
                of_row.push(*number);
                continue;
            }
            let mut entries = vec![];
            self.table()?.scan_all(key, &mut |map_key, value| {
                // The number is a BIGINT of the key codec.
                let order = map_key.len().saturating_sub(9);
                entries.push(Entry { map_key: map_key.to_vec(), order, position: bytes.len() as u32 });
                bytes.push(value);
            })?;
            numbers.insert(key, partitions.len() as u32);
            of_row.push(partitions.len() as u32);
            partitions.push(Partition { key: key.into(), entries, results: None, tail: vec![] });
        }
        let held = self.rows.decode(&bytes.iter().collect::<Vec<_>>())?;
        let rows = concat_batches(&held.schema(), [&held, batch]).map_err(arrow_error)?;
        for partition in &mut partitions {
            let (results, tail) = self.compute(&partition.entries, &rows)?;
            (partition.results, partition.tail) = (Some(results), tail);
        }
        Ok((partitions, of_row, rows))
    }

    /// The results of all rows of a partition, and what they have accumulated.
    fn compute(&self, entries: &[Entry], rows: &RecordBatch) -> Result<Computed> {
        let mut peer = 0;
        let mut ordered = Vec::with_capacity(entries.len());
        for (position, entry) in entries.iter().enumerate() {
            let before = position.checked_sub(1).map(|before| &entries[before]);
            if before.is_some_and(|before| before.map_key[..before.order] != entry.map_key[..entry.order]) {
                peer += 1;
            }
            ordered.push(OverRow { position: entry.position, time: 0, peer });
        }
        let mut accumulators = self.calls.accumulators(1)?;
        let results = self.accumulate(&mut accumulators, &ordered, rows, 0)?;
        Ok((results, accumulators))
    }

    /// Adds rows to accumulators over `before` others; the answer is their results.
    fn accumulate(
        &self,
        accumulators: &mut [Box<dyn Accumulator>],
        added: &[OverRow],
        rows: &RecordBatch,
        before: usize,
    ) -> Result<Vec<ArrayRef>> {
        let mut script = Script::default();
        script.partition(self.spec.frame, 0, added, 0, 0);
        Ok(self.calls.run(accumulators, &script, rows, before as u64)?.into_iter().flatten().collect())
    }

    /// Whether a row of this order goes behind all rows of a partition and leaves their results as they are.
    fn is_behind(&self, partition: &Partition, order: &[u8]) -> bool {
        let Some(last) = partition.entries.last() else { return true };
        let last = &last.map_key[..last.order];
        last < order || (last == order && self.spec.frame == OverFrame::RowsUnbounded)
    }

    /// Puts a row behind all others.
    fn append(
        &mut self,
        change: &Change<'_>,
        partition: &mut Partition,
        rows: &RecordBatch,
        bytes: &EncodedRows,
        emission: &mut Emission,
    ) -> Result<()> {
        let before = partition.entries.len();
        self.insert(partition, change.order, change.position, bytes.row(change.position as usize))?;
        let added = [OverRow { position: change.position, time: 0, peer: 0 }];
        let results = self.accumulate(&mut partition.tail, &added, rows, before)?;
        emission.push(change.kind, change.position, &results, 0);
        partition.results = None;
        Ok(())
    }

    fn encode_results(&self, results: &[ArrayRef], rows: usize) -> Result<EncodedKeys> {
        let mut encoded = EncodedKeys::new();
        self.results.encode(results, rows, &mut encoded)?;
        Ok(encoded)
    }

    /// Puts a row into its partition; the answer is where.
    fn insert(&mut self, partition: &mut Partition, order: &[u8], position: u32, row: &[u8]) -> Result<usize> {
        let mut map_key = order.to_vec();
        push_bigint(&mut map_key, self.next as i64);
        self.next += 1;
        self.table()?.put(&partition.key, &map_key, row)?;
        let at = partition.entries.partition_point(|entry| entry.map_key < map_key);
        partition.entries.insert(at, Entry { map_key, order: order.len(), position });
        Ok(at)
    }

    /// Takes the first equal row out of its partition; the answer is where it was.
    fn remove(
        &mut self,
        partition: &mut Partition,
        order: &[u8],
        row: &[u8],
        bytes: &EncodedRows,
    ) -> Result<Option<usize>> {
        let same = |entry: &Entry| entry.map_key[..entry.order] == *order && bytes.row(entry.position as usize) == row;
        let Some(at) = partition.entries.iter().position(same) else { return Ok(None) };
        let entry = partition.entries.remove(at);
        self.table()?.delete(&partition.key, &entry.map_key)?;
        Ok(Some(at))
    }

    /// Applies one change and records what it makes of the results.
    fn change(
        &mut self,
        change: &Change<'_>,
        partition: &mut Partition,
        rows: &RecordBatch,
        bytes: &EncodedRows,
        emission: &mut Emission,
    ) -> Result<()> {
        if change.kind.is_add() && self.is_behind(partition, change.order) {
            return self.append(change, partition, rows, bytes, emission);
        }
        let row = bytes.row(change.position as usize);
        let before = match partition.results.take() {
            Some(known) => known,
            None => self.compute(&partition.entries, rows)?.0,
        };
        let before_bytes = self.encode_results(&before, partition.entries.len())?;
        let at = match change.kind.is_add() {
            true => Some(self.insert(partition, change.order, change.position, row)?),
            false => self.remove(partition, change.order, row, bytes)?,
        };
        let Some(at) = at else {
            partition.results = Some(before);
            return Ok(());
        };
        let (after, tail) = self.compute(&partition.entries, rows)?;
        let after_bytes = self.encode_results(&after, partition.entries.len())?;
        if change.kind.is_add() {
            emission.push(change.kind, change.position, &after, at);
        } else {
            emission.push(RowKind::Delete, change.position, &before, at);
        }
        for (position, entry) in partition.entries.iter().enumerate() {
            let was = match change.kind.is_add() {
                true if position == at => continue,
                true => position - usize::from(position > at),
                false => position + usize::from(position >= at),
            };
            if before_bytes.key(was) != after_bytes.key(position) {
                if self.spec.emits_update_before {
                    emission.push(RowKind::UpdateBefore, entry.position, &before, was);
                }
                emission.push(RowKind::UpdateAfter, entry.position, &after, position);
            }
        }
        (partition.results, partition.tail) = (Some(after), tail);
        Ok(())
    }

    fn emit(&self, emission: Emission, rows: &RecordBatch, out: &mut dyn Collector) -> Result<()> {
        if emission.kinds.is_empty() {
            return Ok(());
        }
        let indices = UInt32Array::from(emission.positions);
        let pick = |column: &ArrayRef| take(column, &indices, None).map_err(arrow_error);
        let mut columns = rows.columns().iter().map(pick).collect::<Result<Vec<_>>>()?;
        for parts in emission.results.iter().take(self.output.fields().len() - rows.num_columns()) {
            let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
            columns.push(concat(&parts).map_err(arrow_error)?);
        }
        let batch = record_batch(&self.output, columns, emission.kinds.len())?;
        out.emit(ChangeBatch::from_kinds(batch, emission.kinds));
        Ok(())
    }
}

/// The specification with a count for every call whose accumulator counts rows.
fn with_row_counts(spec: &OverAggregateSpec) -> OverAggregateSpec {
    let counts_rows = |call: &&AggregateCall| {
        let function = call.function.as_str();
        function == "AVG" || function.starts_with("VAR") || function.starts_with("STDDEV")
    };
    let bigint = LogicalType::from(TypeRoot::BigInt);
    let count = |call: &AggregateCall| AggregateCall { function: "COUNT".into(), ty: bigint.clone(), ..call.clone() };
    let counts: Vec<_> = spec.calls.iter().filter(counts_rows).map(count).collect();
    OverAggregateSpec { calls: spec.calls.iter().cloned().chain(counts).collect(), ..spec.clone() }
}

/// A row that arrives or is taken back.
struct Change<'a> {
    kind: RowKind,
    order: &'a [u8],
    /// Position among the rows at hand.
    position: u32,
}

impl Emission {
    fn push(&mut self, kind: RowKind, position: u32, results: &[ArrayRef], row: usize) {
        self.kinds.push(kind);
        self.positions.push(position);
        self.results.resize_with(results.len(), Vec::new);
        for (parts, result) in self.results.iter_mut().zip(results) {
            parts.push(result.slice(row, 1));
        }
    }
}

impl Operator for ChangelogOver {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        (_, self.next) = self.position.open(&context.state)?;
        self.table = Some(self.open_table(&context.state)?);
        Ok(())
    }

    fn process(&mut self, _input: u8, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let batch = relabelled_changes(batch, self.rows.schema())?;
        let mut keys = EncodedKeys::new();
        self.keys.encode(batch.rows(), &mut keys)?;
        let orders = self.encode_order(batch.rows())?;
        let (mut partitions, of_row, rows) = self.partitions(batch.rows(), &keys)?;
        let mut bytes = EncodedRows::new();
        self.rows.encode(&rows, &mut bytes)?;
        let first = rows.num_rows() - batch.num_rows();
        let mut emission = Emission::default();
        for (row, order) in orders.iter().enumerate() {
            let change = Change { kind: batch.kind(row), order, position: (first + row) as u32 };
            let partition = &mut partitions[of_row[row] as usize];
            self.change(&change, partition, &rows, &bytes, &mut emission)?;
        }
        self.emit(emission, &rows, out)
    }

    fn snapshot(&mut self, snapshot: &mut Snapshot, _out: &mut dyn Collector) -> Result<()> {
        if let Some(table) = &mut self.table {
            table.snapshot(snapshot);
        }
        self.position.snapshot(0, self.next, snapshot);
        Ok(())
    }
}
