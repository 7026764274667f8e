//! The first rows of each partition: what is known of them without reading state, and the map of their rows.

use crate::numbers::Numbers;
use crate::order_key::{order_text, place_columns};
use crate::row_values::{all_state_columns, read_counts, state_columns, write_counts};
use hashbrown::HashMap;
use headwater_plan::graph::RowType;
use headwater_plan::operators::{RankEnd, RankFunction, RankSpec, RankStrategy};
use headwater_state::{Column, MapTable, Snapshot, StateContext, TableDescriptor, Ttl, ValueTable};
use headwater_types::{Result, TypeRoot};
use std::ops::{Bound, ControlFlow};

/// Partitions whose last kept place is remembered from batch to batch.
const REMEMBERED_MAX: usize = 64 * 1024;

/// The first rows of a partition.
#[derive(Debug, Clone, Default)]
pub(super) struct Top {
    /// How many there may be.
    pub(super) end: u64,
    /// How many there are.
    pub(super) len: u64,
    /// The place of the last one; empty when there is none.
    pub(super) last: Vec<u8>,
}

/// The rows of all partitions.
pub(super) struct Ranking {
    /// Place -> row.
    pub(super) rows: MapTable,
    /// Where the number of rows depends on the partition.
    ends: Option<ValueTable>,
    /// Of the rows of equal order.
    pub(super) numbers: Numbers,
    /// `None` when rows expire: then only state knows what there is.
    remembered: Option<HashMap<Box<[u8]>, Top>>,
}

impl Top {
    /// Whether a row that goes to this place is among the first.
    pub(super) fn takes(&self, place: &[u8]) -> bool {
        self.len < self.end || (self.end > 0 && place < self.last.as_slice())
    }

    /// Counts a row that was put in.
    pub(super) fn grow(&mut self, place: &[u8]) {
        self.len += 1;
        if place > self.last.as_slice() {
            self.last = place.to_vec();
        }
    }
}

/// Which rows are kept, and in which order: with others the stored ones would be too few, or not the first.
fn kept(spec: &RankSpec, input: &RowType) -> String {
    let order = order_text(&spec.order, input);
    let by = match spec.function {
        RankFunction::RowNumber => format!("in the order of {order}"),
        RankFunction::Rank => format!("by their RANK in the order of {order}"),
        RankFunction::DenseRank => format!("by their DENSE_RANK in the order of {order}"),
    };
    match (&spec.strategy, &spec.end) {
        (RankStrategy::Retract, _) => format!("all rows {by}"),
        (_, RankEnd::Constant(rows)) => format!("the first {rows} rows {by}"),
        (_, RankEnd::Column(_)) => format!("the first rows {by}"),
    }
}

impl Ranking {
    pub(super) fn open(spec: &RankSpec, input: &RowType, state: &StateContext) -> Result<Self> {
        let key = state_columns(input, &spec.keys);
        let ttl = Ttl::of_sql(spec.state_ttl_ms);
        let rows = TableDescriptor::map("rows", key.clone(), place_columns(), all_state_columns(input))
            .with_rows()
            .cut_by(kept(spec, input));
        let ends =
            TableDescriptor::value("rank-end", key, vec![Column::new("rank end", TypeRoot::BigInt.into())]).with_rows();
        Ok(Self {
            rows: state.map_table(rows.with_ttl(ttl))?,
            ends: match spec.end {
                RankEnd::Column(_) => Some(state.value_table(ends.with_ttl(ttl))?),
                RankEnd::Constant(_) => None,
            },
            numbers: Numbers::open(state)?,
            remembered: ttl.is_none().then(HashMap::new),
        })
    }

    pub(super) fn snapshot(&mut self, snapshot: &mut Snapshot) {
        self.rows.snapshot(snapshot);
        if let Some(ends) = &mut self.ends {
            ends.snapshot(snapshot);
        }
        self.numbers.snapshot(snapshot);
    }

    /// The first rows of a partition. `end` is their number as the partition's row at hand has it: where it depends
    /// on the partition, that of its first row holds.
    pub(super) fn top(&mut self, key: &[u8], mut end: u64) -> Result<Top> {
        if let Some(known) = self.remembered.as_mut().and_then(|known| known.remove(key)) {
            return Ok(known);
        }
        if let Some(ends) = &mut self.ends {
            let mut stored = [0];
            if let Some(bytes) = ends.get(key)? {
                read_counts(bytes, &mut stored);
                end = stored[0].max(0) as u64;
            } else {
                let mut bytes = vec![];
                write_counts(&[end as i64], &mut bytes);
                ends.put(key, &bytes)?;
            }
        }
        let mut top = Top { end, ..Top::default() };
        self.rows.scan(key, (Bound::Unbounded, Bound::Unbounded), false, &mut |place, _| {
            if top.len == end {
                return ControlFlow::Break(());
            }
            top.len += 1;
            top.last.clear();
            top.last.extend_from_slice(place);
            ControlFlow::Continue(())
        })?;
        Ok(top)
    }

    /// Remembers the first rows of a partition until its next batch.
    pub(super) fn remember(&mut self, key: &[u8], top: Top) {
        let Some(remembered) = &mut self.remembered else { return };
        if remembered.len() >= REMEMBERED_MAX {
            remembered.clear();
        }
        remembered.insert(key.into(), top);
    }

    /// The place before another; empty when there is none.
    pub(super) fn place_before(&mut self, key: &[u8], place: &[u8]) -> Result<Vec<u8>> {
        let mut found = vec![];
        self.rows.scan(key, (Bound::Unbounded, Bound::Excluded(place)), true, &mut |place, _| {
            found.extend_from_slice(place);
            ControlFlow::Break(())
        })?;
        Ok(found)
    }

    /// The place after another, with its row.
    pub(super) fn after(&mut self, key: &[u8], place: &[u8]) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        let mut found = None;
        self.rows.scan(key, (Bound::Excluded(place), Bound::Unbounded), false, &mut |place, row| {
            found = Some((place.to_vec(), row.to_vec()));
            ControlFlow::Break(())
        })?;
        Ok(found)
    }

    /// The oldest place of an order that holds this row.
    pub(super) fn find(&mut self, key: &[u8], order: &[u8], row: &[u8]) -> Result<Option<Vec<u8>>> {
        let mut found = None;
        self.rows.scan(key, (Bound::Included(order), Bound::Unbounded), false, &mut |place, known| {
            if !place.starts_with(order) {
                return ControlFlow::Break(());
            }
            if known == row {
                found = Some(place.to_vec());
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    /// The row at a place.
    pub(super) fn row(&mut self, key: &[u8], place: &[u8]) -> Result<Vec<u8>> {
        Ok(self.rows.get(key, place)?.unwrap_or_default().to_vec())
    }
}
