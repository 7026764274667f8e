//! The join of two streams: both sides are kept, and every arriving row is joined with what the other side holds.
//!
//! A batch is joined as a whole. Rows of one side do not see each other, so the partners of all its rows are
//! fetched once per distinct key, decoded once, and the condition is evaluated over all candidate pairs together.
//! Only the bookkeeping of what is padded goes row by row. With `n` partners an arriving row emits
//!
//! | arrives | partners | this side padded | emitted |
//! |---|---|---|---|
//! | `+` | none | yes | `+I[row, NULL]` |
//! | `+` | some | | `-D[NULL, partner]` for each that was padded, then the pairs |
//! | `-` | none | yes | `-D[row, NULL]` |
//! | `-` | some | | the pairs, then `+I[NULL, partner]` for each that lost its last match |
//!
//! Pairs have the kind of the arriving row where no side is padded; otherwise `+I` and, when this side is padded,
//! `-D`. These are the kinds that Flink emits.

use super::changes::{Changes, Sources};
use super::side::{Kept, Side, SideLayout};
use crate::columns::{relabelled_changes, schema_of};
use crate::hash_join::null_keys;
use crate::joined::Condition;
use crate::keys::{KeyIndex, Keys};
use crate::row_values::KeyColumns;
use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;
use hashbrown::HashTable;
use headwater_data::ChangeBatch;
use headwater_data::key_codec::EncodedKeys;
use headwater_expressions::ExprContext;
use headwater_operator_api::{Collector, OpenContext, Operator};
use headwater_plan::OperatorNode;
use headwater_plan::operators::{JoinKind, JoinSpec};
use headwater_state::Snapshot;
use headwater_types::{Error, Result, RowKind};
use std::ops::Range;

/// Candidate pairs that are judged together.
const PAIRS_MAX: usize = 1 << 16;

pub(super) struct StreamingJoin {
    kind: JoinKind,
    keys: [KeyColumns; 2],
    null_safe: Vec<bool>,
    condition: Option<Condition>,
    inputs: [SchemaRef; 2],
    output: SchemaRef,
    layouts: [SideLayout; 2],
    sides: Option<[Side; 2]>,
    changes: Changes,
    batch_rows: usize,
}

/// The rows of the other side that a batch may be joined with.
struct Partners {
    /// Distinct keys of the batch.
    keys: EncodedKeys,
    /// The partners of every distinct key.
    of_key: Vec<Range<u32>>,
    /// The distinct key of every partner.
    key_of: Vec<u32>,
    bytes: EncodedKeys,
    map_keys: EncodedKeys,
    counts: Vec<u32>,
    matches: Vec<u32>,
    /// Which numbers of matches changed.
    changed: Vec<bool>,
    rows: RecordBatch,
}

/// The arriving batch.
struct Arriving<'a> {
    rows: &'a RecordBatch,
    kinds: &'a ChangeBatch,
    /// The encoded join key of every row.
    keys: &'a EncodedKeys,
    /// The distinct key of every row.
    groups: &'a [u32],
    /// Whether the row has a NULL key that equals nothing.
    null: &'a [bool],
    from_left: bool,
}

impl StreamingJoin {
    pub(super) fn new(spec: &JoinSpec, node: &OperatorNode, context: &ExprContext) -> Result<Self> {
        let [left, right] = node.inputs.as_slice() else {
            return Err(Error::internal("a join has two inputs"));
        };
        let filters = matches!(spec.kind, JoinKind::Semi | JoinKind::Anti);
        let (pads_left, pads_right) = padded_sides(spec.kind);
        let condition = spec.condition.as_ref().map(|expr| Condition::new(expr, left, right, context));
        let left_layout = SideLayout {
            name: "left-rows",
            row: left.clone(),
            keys: spec.left_keys.clone(),
            unique: spec.left_unique.clone(),
            ttl_ms: spec.left_ttl_ms,
            counts_matches: pads_left || filters,
        };
        let right_layout = SideLayout {
            name: "right-rows",
            row: right.clone(),
            keys: spec.right_keys.clone(),
            unique: spec.right_unique.clone(),
            ttl_ms: spec.right_ttl_ms,
            counts_matches: pads_right,
        };
        Ok(Self {
            kind: spec.kind,
            keys: [KeyColumns::new(left, &spec.left_keys)?, KeyColumns::new(right, &spec.right_keys)?],
            null_safe: spec.null_safe.clone(),
            condition: condition.transpose()?,
            inputs: [schema_of(left), schema_of(right)],
            output: schema_of(&node.output),
            layouts: [left_layout, right_layout],
            sides: None,
            changes: Changes::default(),
            batch_rows: 4096,
        })
    }

    fn filters(&self) -> bool {
        matches!(self.kind, JoinKind::Semi | JoinKind::Anti)
    }

    /// Joins the rows of a batch, in pieces of a bounded number of candidate pairs.
    fn join(
        &mut self,
        arriving: &Arriving<'_>,
        partners: &mut Partners,
        own: &mut Side,
        out: &mut dyn Collector,
    ) -> Result<()> {
        let mut start = 0;
        while start < arriving.rows.num_rows() {
            let (candidates, end) = candidates(arriving, partners, start);
            let matched = self.matched(arriving, partners, start, candidates)?;
            for (row, found) in (start..end).zip(&matched.rows) {
                self.join_row(arriving, partners, own, row, &matched.partners[found.clone()])?;
            }
            let sources = Sources {
                output: &self.output,
                arriving: arriving.rows,
                kept: &partners.rows,
                from_left: arriving.from_left,
                both_sides: !self.filters(),
            };
            self.changes.emit(&sources, self.batch_rows, out)?;
            start = end;
        }
        Ok(())
    }

    /// The candidates that satisfy the condition.
    fn matched(
        &self,
        arriving: &Arriving<'_>,
        partners: &Partners,
        start: usize,
        candidates: Candidates,
    ) -> Result<Candidates> {
        let Some(condition) = self.condition.as_ref().filter(|_| !candidates.partners.is_empty()) else {
            return Ok(candidates);
        };
        let mut arriving_rows = Vec::with_capacity(candidates.partners.len());
        for (position, range) in candidates.rows.iter().enumerate() {
            arriving_rows.extend(std::iter::repeat_n((start + position) as u32, range.len()));
        }
        let mask = match arriving.from_left {
            true => condition.matching(arriving.rows, &arriving_rows, &partners.rows, &candidates.partners)?,
            false => condition.matching(&partners.rows, &candidates.partners, arriving.rows, &arriving_rows)?,
        };
        let mut kept = Candidates::default();
        for range in candidates.rows {
            let first = kept.partners.len();
            kept.partners.extend(range.filter(|i| mask.value(*i)).map(|i| candidates.partners[i]));
            kept.rows.push(first..kept.partners.len());
        }
        Ok(kept)
    }

    /// Records what an arriving row changes, and keeps or forgets the row.
    fn join_row(
        &mut self,
        arriving: &Arriving<'_>,
        partners: &mut Partners,
        own: &mut Side,
        row: usize,
        found: &[u32],
    ) -> Result<()> {
        let kind = arriving.kinds.kind(row);
        match (self.filters(), arriving.from_left) {
            (true, true) => self.filter_row(kind, row as u32, found),
            (true, false) => self.refilter(kind, partners, found),
            _ if kind.is_add() => self.add_row(arriving.from_left, kind, row as u32, partners, found),
            _ => self.retract_row(arriving.from_left, kind, row as u32, partners, found),
        }
        if arriving.null[row] {
            return Ok(());
        }
        let key = arriving.keys.key(row);
        if !kind.is_add() {
            return own.retract(key, row);
        }
        let matches = found.iter().map(|partner| partners.counts[*partner as usize]).sum();
        own.add(key, row, matches)
    }

    /// A left row of a semi or anti join.
    fn filter_row(&mut self, kind: RowKind, row: u32, found: &[u32]) {
        if found.is_empty() == (self.kind == JoinKind::Anti) {
            self.changes.arriving(kind, row);
        }
    }

    /// A right row of a semi or anti join: left rows get their first match or lose their last.
    fn refilter(&mut self, kind: RowKind, partners: &mut Partners, found: &[u32]) {
        let turning_point = if kind.is_add() { 0 } else { 1 };
        let emitted = match (self.kind, kind.is_add()) {
            (JoinKind::Semi, _) => kind,
            (_, true) => RowKind::Delete,
            (_, false) => RowKind::Insert,
        };
        for partner in found {
            if partners.matches[*partner as usize] == turning_point {
                self.changes.kept(emitted, *partner, partners.counts[*partner as usize]);
            }
            partners.step(*partner, kind.is_add());
        }
    }

    fn add_row(&mut self, from_left: bool, kind: RowKind, row: u32, partners: &mut Partners, found: &[u32]) {
        let (own_padded, other_padded) = self.padded(from_left);
        if found.is_empty() {
            if own_padded {
                self.changes.arriving(RowKind::Insert, row);
            }
            return;
        }
        if other_padded {
            for partner in found {
                if partners.matches[*partner as usize] == 0 {
                    self.changes.kept(RowKind::Delete, *partner, partners.counts[*partner as usize]);
                }
                partners.step(*partner, true);
            }
        }
        let kind = if own_padded || other_padded { RowKind::Insert } else { kind };
        self.pairs(kind, row, partners, found);
    }

    fn retract_row(&mut self, from_left: bool, kind: RowKind, row: u32, partners: &mut Partners, found: &[u32]) {
        let (own_padded, other_padded) = self.padded(from_left);
        if found.is_empty() {
            if own_padded {
                self.changes.arriving(RowKind::Delete, row);
            }
            return;
        }
        self.pairs(if own_padded { RowKind::Delete } else { kind }, row, partners, found);
        if !other_padded {
            return;
        }
        for partner in found {
            if partners.matches[*partner as usize] == 1 {
                self.changes.kept(RowKind::Insert, *partner, partners.counts[*partner as usize]);
            }
            partners.step(*partner, false);
        }
    }

    fn pairs(&mut self, kind: RowKind, row: u32, partners: &Partners, found: &[u32]) {
        for partner in found {
            (0..partners.counts[*partner as usize]).for_each(|_| self.changes.pair(kind, row, *partner));
        }
    }

    /// Whether rows of the arriving side are padded, and those of the other.
    fn padded(&self, from_left: bool) -> (bool, bool) {
        let (left, right) = padded_sides(self.kind);
        if from_left { (left, right) } else { (right, left) }
    }
}

/// Whether left rows are padded, and right rows.
fn padded_sides(kind: JoinKind) -> (bool, bool) {
    match kind {
        JoinKind::Left => (true, false),
        JoinKind::Right => (false, true),
        JoinKind::Full => (true, true),
        JoinKind::Inner | JoinKind::Semi | JoinKind::Anti => (false, false),
    }
}

/// Pairs of rows: for some rows of the batch the positions of their partners.
#[derive(Default)]
struct Candidates {
    partners: Vec<u32>,
    /// The part of `partners` of each row.
    rows: Vec<Range<usize>>,
}

/// The partners of the rows from `start` on, until there are enough; and the row after the last.
fn candidates(arriving: &Arriving<'_>, partners: &Partners, start: usize) -> (Candidates, usize) {
    let mut candidates = Candidates::default();
    let mut row = start;
    while row < arriving.rows.num_rows() && candidates.partners.len() < PAIRS_MAX {
        let first = candidates.partners.len();
        candidates.partners.extend(partners.of_key[arriving.groups[row] as usize].clone());
        candidates.rows.push(first..candidates.partners.len());
        row += 1;
    }
    (candidates, row)
}

impl Partners {
    /// Fetches the partners of distinct keys.
    fn fetch(keys: EncodedKeys, other: &mut Side) -> Result<Self> {
        other.prefetch(&keys)?;
        let (mut bytes, mut map_keys) = (EncodedKeys::new(), EncodedKeys::new());
        let (mut counts, mut matches, mut key_of) = (vec![], vec![], vec![]);
        let mut of_key = Vec::with_capacity(keys.len());
        for (number, key) in keys.iter().enumerate() {
            let first = counts.len() as u32;
            other.scan(key, &mut |kept: Kept<'_>| {
                bytes.push(kept.row);
                map_keys.push(kept.map_key);
                counts.push(kept.count);
                matches.push(kept.matches);
                key_of.push(number as u32);
            })?;
            of_key.push(first..counts.len() as u32);
        }
        let rows = other.decode(&bytes)?;
        let changed = vec![false; counts.len()];
        Ok(Self { keys, of_key, key_of, bytes, map_keys, counts, matches, changed, rows })
    }

    /// One match more or less.
    fn step(&mut self, partner: u32, more: bool) {
        let matches = &mut self.matches[partner as usize];
        *matches = if more { matches.saturating_add(1) } else { matches.saturating_sub(1) };
        self.changed[partner as usize] = true;
    }

    /// Writes changed numbers of matches back.
    fn store(&self, other: &mut Side) -> Result<()> {
        for (partner, _) in self.changed.iter().enumerate().filter(|(_, changed)| **changed) {
            let kept = Kept {
                row: self.bytes.key(partner),
                map_key: self.map_keys.key(partner),
                count: self.counts[partner],
                matches: self.matches[partner],
            };
            other.set_matches(self.keys.key(self.key_of[partner] as usize), &kept)?;
        }
        Ok(())
    }
}

/// Numbers the distinct keys of a batch; the number of every row and the keys.
fn distinct(keys: EncodedKeys) -> (Keys, Vec<u32>, EncodedKeys) {
    let mut hashes = Vec::with_capacity(keys.len());
    keys.hash_into(&mut hashes);
    let mut index = KeyIndex::Bytes { table: HashTable::with_capacity(keys.len()), keys: EncodedKeys::new() };
    let rows = 0..keys.len();
    let keys = Keys::Bytes { encoded: keys, hashes };
    let mut groups = vec![];
    index.intern(&keys, rows, &mut groups);
    match index {
        KeyIndex::Bytes { keys: distinct, .. } => (keys, groups, distinct),
        _ => unreachable!("the index was made of bytes"),
    }
}

impl Operator for StreamingJoin {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.batch_rows = context.batch_rows.max(1);
        let [left, right] = &self.layouts;
        self.sides = Some([Side::open(left, &context.state)?, Side::open(right, &context.state)?]);
        Ok(())
    }

    fn process(&mut self, input: u8, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let from_left = input == 0;
        let batch = relabelled_changes(batch, &self.inputs[usize::from(!from_left)])?;
        let columns = &self.keys[usize::from(!from_left)];
        let rows = batch.rows();
        let mut encoded = EncodedKeys::new();
        columns.encode(rows, &mut encoded)?;
        let key_columns: Vec<ArrayRef> = columns.columns().iter().map(|c| rows.column(*c).clone()).collect();
        let null = null_keys(&key_columns, &self.null_safe, rows.num_rows());
        let (keys, groups, distinct) = distinct(encoded);
        let Keys::Bytes { encoded, .. } = &keys else { return Err(Error::internal("join keys are bytes")) };
        let Some([mut left, mut right]) = self.sides.take() else {
            return Err(Error::internal("a join was used before it was opened"));
        };
        let (own, other) = if from_left { (&mut left, &mut right) } else { (&mut right, &mut left) };
        let mut partners = Partners::fetch(distinct, other)?;
        own.prefetch_for_update(&partners.keys)?;
        own.read(rows)?;
        let arriving = Arriving { rows, kinds: &batch, keys: encoded, groups: &groups, null: &null, from_left };
        self.join(&arriving, &mut partners, own, out)?;
        partners.store(other)?;
        self.sides = Some([left, right]);
        Ok(())
    }

    fn snapshot(&mut self, snapshot: &mut Snapshot, _out: &mut dyn Collector) -> Result<()> {
        for side in self.sides.iter_mut().flatten() {
            side.snapshot(snapshot);
        }
        Ok(())
    }
}
