//! The operator: rows in, changes of the first rows out.

use super::shift::{RankRules, Shift, shift};
use super::top::{Ranking, Top};
use super::unique::UniquePlaces;
use crate::arrow_error;
use crate::batch_keys::{BatchKeys, KeyGrouper};
use crate::change_rows::{ChangeRows, RowRef};
use crate::columns::schema_of;
use crate::order_key::{OrderEncoder, is_of_order, write_place};
use crate::row_values::StoredRows;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, SchemaRef};
use headwater_data::ChangeBatch;
use headwater_data::key_codec::EncodedKeys;
use headwater_operator_api::{Collector, OpenContext, Operator};
use headwater_plan::OperatorNode;
use headwater_plan::graph::RowType;
use headwater_plan::operators::{RankEnd, RankSpec, RankStrategy};
use headwater_state::{EncodedRows, Snapshot};
use headwater_types::{Error, Result, RowKind};
use std::ops::{Bound, ControlFlow};

pub(super) struct Rank {
    spec: RankSpec,
    rules: RankRules,
    input: RowType,
    grouper: KeyGrouper,
    order: OrderEncoder,
    codec: StoredRows,
    output: SchemaRef,
    state: Option<State>,
}

/// What is opened.
struct State {
    ranking: Ranking,
    unique: Option<UniquePlaces>,
    /// Whether rows behind the first ones are kept, because they may move up.
    keeps_all: bool,
    /// The partitions of the batch.
    tops: Vec<Top>,
    /// What it makes the operator emit.
    changes: ChangeRows,
}

/// One row to process.
struct RankRow<'a> {
    group: u32,
    key: &'a [u8],
    order: &'a [u8],
    /// Its number in the batch.
    row: u32,
    bytes: &'a [u8],
}

impl Rank {
    pub(super) fn new(spec: &RankSpec, node: &OperatorNode) -> Result<Self> {
        let input = node.inputs[0].clone();
        Ok(Self {
            rules: RankRules { start: spec.start, with_rank: spec.with_rank, update_before: spec.emits_update_before },
            grouper: KeyGrouper::new(&input, &spec.keys)?,
            order: OrderEncoder::new(&input, &spec.order)?,
            codec: StoredRows::new(&input, 0)?,
            output: schema_of(&node.output),
            state: None,
            spec: spec.clone(),
            input,
        })
    }

    /// How many rows the partition of a row may show.
    fn end(&self, rows: &RecordBatch, row: u32) -> Result<u64> {
        match self.spec.end {
            RankEnd::Constant(end) => Ok(end),
            RankEnd::Column(column) => {
                let bad = || Error::user("bad-rank-end", "the last rank of a Top-N query must be a BIGINT");
                let ends = rows.column(column).as_primitive_opt::<Int64Type>().ok_or_else(bad)?;
                // No rank is at most NULL.
                let end = ends.is_valid(row as usize).then(|| ends.value(row as usize));
                Ok(end.unwrap_or(0).max(0) as u64)
            }
        }
    }

    fn load_tops(&self, state: &mut State, keys: &BatchKeys, rows: &RecordBatch) -> Result<()> {
        state.ranking.rows.prefetch(&keys.keys)?;
        state.tops.clear();
        for (key, row) in keys.keys.iter().zip(keys.first_rows()) {
            let end = self.end(rows, row)?;
            state.tops.push(state.ranking.top(key, end)?);
        }
        Ok(())
    }

    fn run(&self, state: &mut State, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        let keys = self.grouper.read(batch.rows())?;
        let orders = self.order.encode(batch.rows())?;
        self.load_tops(state, &keys, batch.rows())?;
        let candidates = state.candidates(&keys, &orders);
        let rows = match candidates.len() == batch.num_rows() {
            true => batch.clone(),
            false => batch.take(&candidates.clone().into()).map_err(arrow_error)?,
        };
        let mut bytes = EncodedRows::new();
        self.codec.encode(rows.rows(), &mut bytes)?;
        let mut uniques = EncodedKeys::new();
        if let Some(unique) = &state.unique {
            unique.columns.encode(rows.rows(), &mut uniques)?;
        }
        let mut changes = std::mem::take(&mut state.changes);
        for (row, original) in candidates.iter().enumerate() {
            let group = keys.groups[*original as usize];
            let (key, order) = (keys.keys.key(group as usize), orders.key(*original as usize));
            let rank_row = RankRow { group, key, order, row: row as u32, bytes: bytes.row(row) };
            let kind = rows.kind(row);
            match state.unique.is_some() {
                true => state.upsert(&rank_row, kind, uniques.key(row), &self.rules, &mut changes)?,
                false if kind.is_add() => drop(state.add(&rank_row, &self.rules, &mut changes)?),
                false => state.take_back(&rank_row, &self.rules, &mut changes)?,
            }
        }
        state.finish(&keys.keys, &self.codec)?;
        changes.emit(rows.rows(), &self.codec, &self.output, out)?;
        state.changes = changes;
        Ok(())
    }
}

impl State {
    /// The rows that may change something: others are behind the first rows already.
    fn candidates(&self, keys: &BatchKeys, orders: &EncodedKeys) -> Vec<u32> {
        let rows = 0..keys.groups.len() as u32;
        if self.keeps_all || self.unique.is_some() {
            return rows.collect();
        }
        let may_enter = |row: &u32| self.tops[keys.groups[*row as usize] as usize].takes(orders.key(*row as usize));
        rows.filter(may_enter).collect()
    }

    /// Adds a row; the answer is its place if it is among the first.
    fn add(&mut self, row: &RankRow<'_>, rules: &RankRules, changes: &mut ChangeRows) -> Result<Option<Vec<u8>>> {
        let mut place = vec![];
        write_place(row.order, self.ranking.numbers.next(), &mut place);
        let takes = self.tops[row.group as usize].takes(&place);
        if takes || self.keeps_all {
            self.ranking.rows.put(row.key, &place, row.bytes)?;
        }
        if !takes {
            return Ok(None);
        }
        let top = &mut self.tops[row.group as usize];
        let full = top.len == top.end;
        let end = top.end;
        if rules.shifts() {
            shift(&mut self.ranking, row.key, &place, Shift::Enter, end, rules, changes)?;
        }
        if full {
            self.push_out(row, rules, changes)?;
        } else {
            self.tops[row.group as usize].grow(&place);
        }
        if !rules.shifts() {
            changes.push(RowKind::Insert, RowRef::Input(row.row));
        }
        Ok(Some(place))
    }

    /// The last of the first rows is one too many.
    fn push_out(&mut self, row: &RankRow<'_>, rules: &RankRules, changes: &mut ChangeRows) -> Result<()> {
        let top = &mut self.tops[row.group as usize];
        let last = std::mem::take(&mut top.last);
        top.last = self.ranking.place_before(row.key, &last)?;
        if rules.shifts() && self.keeps_all {
            return Ok(());
        }
        let bytes = self.ranking.row(row.key, &last)?;
        if !rules.shifts() {
            changes.push(RowKind::Delete, RowRef::Stored(&bytes));
        }
        if !self.keeps_all {
            self.ranking.rows.delete(row.key, &last)?;
        }
        if let Some(unique) = &mut self.unique {
            unique.push_out(row.group, last, &bytes);
        }
        Ok(())
    }

    /// Takes a row back; one that is not there was never counted.
    fn take_back(&mut self, row: &RankRow<'_>, rules: &RankRules, changes: &mut ChangeRows) -> Result<()> {
        match self.ranking.find(row.key, row.order, row.bytes)? {
            Some(place) => self.remove(row, &place, row.bytes, rules, changes),
            None => Ok(()),
        }
    }

    /// Removes the row at a place.
    fn remove(
        &mut self,
        row: &RankRow<'_>,
        place: &[u8],
        bytes: &[u8],
        rules: &RankRules,
        changes: &mut ChangeRows,
    ) -> Result<()> {
        let top = &self.tops[row.group as usize];
        let (end, last) = (top.end, top.last.clone());
        if place > last.as_slice() {
            return self.ranking.rows.delete(row.key, place);
        }
        if rules.shifts() {
            shift(&mut self.ranking, row.key, place, Shift::Leave, end, rules, changes)?;
        } else {
            changes.push(RowKind::Delete, RowRef::Stored(bytes));
        }
        let next = self.ranking.after(row.key, &last)?;
        self.ranking.rows.delete(row.key, place)?;
        let top = &mut self.tops[row.group as usize];
        match next {
            Some((next, bytes)) => {
                top.last = next;
                if !rules.shifts() {
                    changes.push(RowKind::Insert, RowRef::Stored(&bytes));
                }
            }
            None => {
                top.len -= 1;
                if place == last.as_slice() {
                    top.last = self.ranking.place_before(row.key, place)?;
                }
            }
        }
        Ok(())
    }

    /// Adds or replaces the row of a unique key, or removes it.
    fn upsert(
        &mut self,
        row: &RankRow<'_>,
        kind: RowKind,
        unique: &[u8],
        rules: &RankRules,
        changes: &mut ChangeRows,
    ) -> Result<()> {
        let Some(places) = &mut self.unique else { return Ok(()) };
        let known = places.place(row.key, unique)?;
        let known = match known {
            Some(place) => self.ranking.rows.get(row.key, &place)?.map(|bytes| (place, bytes.to_vec())),
            None => None,
        };
        match (known, kind) {
            (_, RowKind::UpdateBefore) | (None, RowKind::Delete) => Ok(()),
            (Some((place, bytes)), RowKind::Delete) => {
                places.delete(row.key, unique)?;
                self.remove(row, &place, &bytes, rules, changes)
            }
            (Some((place, bytes)), _) => self.replace(row, unique, &place, &bytes, rules, changes),
            (None, _) => {
                let place = self.add(row, rules, changes)?;
                match (place, &mut self.unique) {
                    (Some(place), Some(places)) => places.put(row.key, unique, &place),
                    _ => Ok(()),
                }
            }
        }
    }

    /// Replaces one of the first rows by one with the same unique key.
    fn replace(
        &mut self,
        row: &RankRow<'_>,
        unique: &[u8],
        place: &[u8],
        bytes: &[u8],
        rules: &RankRules,
        changes: &mut ChangeRows,
    ) -> Result<()> {
        let before = if rules.shifts() { self.all_rows(row.key)? } else { vec![] };
        let mut new_place = place.to_vec();
        if !is_of_order(place, row.order) {
            write_place(row.order, self.ranking.numbers.next(), &mut new_place);
            self.ranking.rows.delete(row.key, place)?;
            if let Some(places) = &mut self.unique {
                places.put(row.key, unique, &new_place)?;
            }
        }
        self.ranking.rows.put(row.key, &new_place, row.bytes)?;
        self.tops[row.group as usize].last = self.last_place(row.key)?;
        if !rules.shifts() {
            rules.update(RowRef::Stored(bytes), RowRef::Input(row.row), 1, changes);
            return Ok(());
        }
        let after = self.all_rows(row.key)?;
        let at =
            |rows: &[(Vec<u8>, Vec<u8>)], place: &[u8]| rows.partition_point(|(known, _)| known.as_slice() < place);
        let (from, to) = (at(&before, place), at(&after, &new_place));
        for rank in from.min(to)..=from.max(to) {
            let (old, new) = (RowRef::Stored(&before[rank].1), RowRef::Stored(&after[rank].1));
            rules.update(old, new, rank as u64 + 1, changes);
        }
        Ok(())
    }

    fn last_place(&mut self, key: &[u8]) -> Result<Vec<u8>> {
        let mut last = vec![];
        self.ranking.rows.scan(key, (Bound::Unbounded, Bound::Unbounded), true, &mut |place, _| {
            last.extend_from_slice(place);
            ControlFlow::Break(())
        })?;
        Ok(last)
    }

    fn all_rows(&mut self, key: &[u8]) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let mut rows = vec![];
        self.ranking.rows.scan_all(key, &mut |place, row| rows.push((place.to_vec(), row.to_vec())))?;
        Ok(rows)
    }

    /// Ends a batch.
    fn finish(&mut self, keys: &EncodedKeys, codec: &StoredRows) -> Result<()> {
        if let Some(unique) = &mut self.unique {
            unique.forget_pushed_out(keys, codec)?;
        }
        for (key, top) in keys.iter().zip(self.tops.drain(..)) {
            self.ranking.remember(key, top);
        }
        Ok(())
    }
}

impl Operator for Rank {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        let (spec, input) = (&self.spec, &self.input);
        let unique = match &spec.strategy {
            RankStrategy::Update(unique) => {
                Some(UniquePlaces::open(unique, &spec.keys, input, spec.state_ttl_ms, &context.state)?)
            }
            RankStrategy::Append | RankStrategy::Retract => None,
        };
        let ranking = Ranking::open(spec, input, &context.state)?;
        let keeps_all = spec.strategy == RankStrategy::Retract;
        self.state = Some(State { ranking, unique, keeps_all, tops: vec![], changes: ChangeRows::default() });
        Ok(())
    }

    fn process(&mut self, _input: u8, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        let mut state =
            self.state.take().ok_or_else(|| Error::internal("a rank processes rows before it is opened"))?;
        let done = self.run(&mut state, batch, out);
        self.state = Some(state);
        done
    }

    fn snapshot(&mut self, snapshot: &mut Snapshot, _out: &mut dyn Collector) -> Result<()> {
        if let Some(state) = &mut self.state {
            state.ranking.snapshot(snapshot);
            if let Some(unique) = &mut state.unique {
                unique.snapshot(snapshot);
            }
        }
        Ok(())
    }
}
