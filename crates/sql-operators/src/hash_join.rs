//! Join of two finished sets of rows: a hash table over the keys of the right side, probed by the left rows.
//!
//! A residual condition decides over candidate pairs before a row counts as matched. Used where both sides are
//! complete when they are joined: windows that ended, and bounded input.

use crate::arrow_error;
use crate::joined::{Condition, PADDED, joined_batch};
use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use hashbrown::HashMap;
use headwater_data::ChangeBatch;
use headwater_data::key_codec::{EncodedKeys, KeyEncoder};
use headwater_operator_api::Collector;
use headwater_plan::operators::JoinKind;
use headwater_types::Result;

/// How two sides are joined.
pub(crate) struct HashJoin {
    pub(crate) kind: JoinKind,
    /// Key columns of the left side.
    pub(crate) left_keys: Vec<usize>,
    /// Key columns of the right side, pairwise.
    pub(crate) right_keys: Vec<usize>,
    /// For each key pair, whether NULL equals NULL.
    pub(crate) null_safe: Vec<bool>,
    pub(crate) condition: Option<Condition>,
    pub(crate) output: SchemaRef,
}

/// Two sides being joined.
pub(crate) struct Probing {
    left: RecordBatch,
    right: RecordBatch,
    left_keys: EncodedKeys,
    /// Right rows by key.
    table: HashMap<Box<[u8]>, Vec<u32>>,
    right_matched: Vec<bool>,
    /// Next left row to probe.
    next: usize,
    /// Right rows without a match and how many of them were emitted, once all left rows are through.
    lonely: Option<(Vec<u32>, usize)>,
}

impl HashJoin {
    /// Starts joining two sides.
    pub(crate) fn start(&self, left: RecordBatch, right: RecordBatch) -> Result<Probing> {
        let (left_keys, _) = encode_keys(&left, &self.left_keys, &self.null_safe)?;
        let (right_keys, right_nulls) = encode_keys(&right, &self.right_keys, &self.null_safe)?;
        let mut table: HashMap<Box<[u8]>, Vec<u32>> = HashMap::new();
        for (row, null) in right_nulls.iter().enumerate() {
            if !null {
                table.entry_ref(right_keys.key(row)).or_default().push(row as u32);
            }
        }
        let right_matched = vec![false; right.num_rows()];
        Ok(Probing { left, right, left_keys, table, right_matched, next: 0, lonely: None })
    }

    /// Emits the next results; `true` when more may follow.
    pub(crate) fn step(&self, probing: &mut Probing, batch_rows: usize, out: &mut dyn Collector) -> Result<bool> {
        if probing.next < probing.left.num_rows() {
            self.probe(probing, batch_rows, out)?;
            return Ok(true);
        }
        self.emit_lonely(probing, batch_rows, out)
    }

    /// Joins the next left rows.
    fn probe(&self, probing: &mut Probing, batch_rows: usize, out: &mut dyn Collector) -> Result<()> {
        let (mut lefts, mut rights) = (vec![], vec![]);
        let first = probing.next;
        while probing.next < probing.left.num_rows() && lefts.len() < batch_rows {
            for right in probing.table.get(probing.left_keys.key(probing.next)).into_iter().flatten() {
                lefts.push(probing.next as u32);
                rights.push(*right);
            }
            // Rows without partners are output, too.
            probing.next += 1;
            if probing.next - first >= batch_rows {
                break;
            }
        }
        let (mut lefts, mut rights) = self.matching(probing, lefts, rights)?;
        let mut matched = vec![false; probing.next - first];
        lefts.iter().for_each(|row| matched[*row as usize - first] = true);
        rights.iter().for_each(|row| probing.right_matched[*row as usize] = true);
        let rows_with = |wanted: bool| {
            let rows = matched.iter().enumerate().filter(move |(_, matched)| **matched == wanted);
            rows.map(|(row, _)| (row + first) as u32)
        };
        match self.kind {
            JoinKind::Semi => return self.emit(probing, rows_with(true).collect(), None, batch_rows, out),
            JoinKind::Anti => return self.emit(probing, rows_with(false).collect(), None, batch_rows, out),
            JoinKind::Left | JoinKind::Full => {
                lefts.extend(rows_with(false));
                rights.resize(lefts.len(), PADDED);
            }
            JoinKind::Inner | JoinKind::Right => {}
        }
        self.emit(probing, lefts, Some(rights), batch_rows, out)
    }

    /// The candidate pairs that satisfy the condition.
    fn matching(&self, probing: &Probing, lefts: Vec<u32>, rights: Vec<u32>) -> Result<(Vec<u32>, Vec<u32>)> {
        let Some(condition) = self.condition.as_ref().filter(|_| !lefts.is_empty()) else { return Ok((lefts, rights)) };
        let mask = condition.matching(&probing.left, &lefts, &probing.right, &rights)?;
        let keep = |rows: Vec<u32>| mask.set_indices().map(|i| rows[i]).collect();
        Ok((keep(lefts), keep(rights)))
    }

    /// Emits the next right rows without a match, where the kind asks for them.
    fn emit_lonely(&self, probing: &mut Probing, batch_rows: usize, out: &mut dyn Collector) -> Result<bool> {
        if !matches!(self.kind, JoinKind::Right | JoinKind::Full) {
            return Ok(false);
        }
        let unmatched = |matched: &[bool]| {
            let rows = matched.iter().enumerate().filter(|(_, matched)| !**matched);
            rows.map(|(row, _)| row as u32).collect()
        };
        let (lonely, next) = probing.lonely.take().unwrap_or_else(|| (unmatched(&probing.right_matched), 0));
        let end = lonely.len().min(next + batch_rows);
        let rows = lonely[next..end].to_vec();
        let more = end < lonely.len();
        probing.lonely = Some((lonely, end));
        self.emit(probing, vec![PADDED; rows.len()], Some(rows), batch_rows, out)?;
        Ok(more)
    }

    fn emit(
        &self,
        probing: &Probing,
        lefts: Vec<u32>,
        rights: Option<Vec<u32>>,
        batch_rows: usize,
        out: &mut dyn Collector,
    ) -> Result<()> {
        for start in (0..lefts.len()).step_by(batch_rows.max(1)) {
            let range = start..lefts.len().min(start + batch_rows.max(1));
            let right = rights.as_ref().map(|rights| (&probing.right, &rights[range.clone()]));
            let rows = joined_batch(&self.output, (&probing.left, &lefts[range]), right)?;
            out.emit(ChangeBatch::append(rows));
        }
        Ok(())
    }
}

/// One batch of all of some batches.
pub(crate) fn concatenated(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<RecordBatch> {
    concat_batches(schema, batches).map_err(arrow_error)
}

/// Encodes the key columns; the second part tells which rows have a NULL key that equals nothing.
fn encode_keys(rows: &RecordBatch, keys: &[usize], null_safe: &[bool]) -> Result<(EncodedKeys, Vec<bool>)> {
    let columns: Vec<ArrayRef> = keys.iter().map(|key| rows.column(*key).clone()).collect();
    let types: Vec<_> = columns.iter().map(|c| c.data_type().clone()).collect();
    let mut encoded = EncodedKeys::new();
    KeyEncoder::new(&types)?.encode(&columns, rows.num_rows(), &mut encoded)?;
    Ok((encoded, null_keys(&columns, null_safe, rows.num_rows())))
}

/// Which rows have a NULL in a key column where NULL equals nothing.
pub(crate) fn null_keys(columns: &[ArrayRef], null_safe: &[bool], rows: usize) -> Vec<bool> {
    let mut null = vec![false; rows];
    for (position, column) in columns.iter().enumerate() {
        let safe = null_safe.get(position).copied().unwrap_or(false);
        if let Some(nulls) = column.logical_nulls().filter(|nulls| !safe && nulls.null_count() > 0) {
            null.iter_mut().enumerate().for_each(|(row, null)| *null |= nulls.is_null(row));
        }
    }
    null
}
