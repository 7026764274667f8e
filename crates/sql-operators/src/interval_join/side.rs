//! The rows of one side of an interval join: per key, by time and number. The value is the row, behind whether it
//! found a partner where that matters.

use crate::mirror::{push_bigint, take_bigint};
use crate::row_values::{StoredRows, all_state_columns, state_columns};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use hashbrown::HashMap;
use headwater_data::key_codec::EncodedKeys;
use headwater_plan::graph::RowType;
use headwater_state::{Column, EncodedRows, MapTable, Snapshot, StateContext, TableDescriptor, TimerTable};
use headwater_types::{LogicalType, Result, TypeRoot};
use std::ops::{Bound, ControlFlow, Range};

/// What a side is made of.
pub(super) struct Layout {
    pub(super) name: &'static str,
    pub(super) row: RowType,
    pub(super) keys: Vec<usize>,
    /// How long after its time a row may find a partner.
    pub(super) wait_ms: i64,
    /// Rows are cleaned up at multiples of this.
    pub(super) slack_ms: i64,
    /// Whether it matters if a row found a partner.
    pub(super) tracks_matches: bool,
}

pub(super) struct Side {
    rows: MapTable,
    timers: TimerTable,
    values: StoredRows,
    wait_ms: i64,
    slack_ms: i64,
    tracks_matches: bool,
    /// Number of the next row: rows of one time stay apart.
    next: u64,
    /// The batch at hand.
    batch: EncodedRows,
    scratch: Vec<u8>,
    map_key: Vec<u8>,
}

/// Rows that expired.
pub(super) struct Expired {
    /// Those that never found a partner, if that matters.
    pub(super) unmatched: RecordBatch,
    /// Whether more rows are due.
    pub(super) more: bool,
}

impl Side {
    pub(super) fn open(layout: &Layout, state: &StateContext, numbered: u64) -> Result<Self> {
        let key = state_columns(&layout.row, &layout.keys);
        let bigint = |name: &str| Column::new(name, LogicalType::from(TypeRoot::BigInt));
        let mut value = vec![];
        if layout.tracks_matches {
            // Rows that were stored without it cannot get it.
            value.push(Column::new("matched", LogicalType::from(TypeRoot::Int).not_null()));
        }
        value.extend(all_state_columns(&layout.row));
        let map_key = vec![bigint("time"), bigint("number")];
        let rows = TableDescriptor::map(format!("{}-rows", layout.name), key.clone(), map_key, value).with_rows();
        let timers = TableDescriptor::timers(format!("{}-timers", layout.name), key);
        Ok(Self {
            rows: state.map_table(rows)?,
            timers: state.timer_table(timers)?,
            values: StoredRows::new(&layout.row, usize::from(layout.tracks_matches))?,
            wait_ms: layout.wait_ms,
            slack_ms: layout.slack_ms,
            tracks_matches: layout.tracks_matches,
            next: numbered,
            batch: EncodedRows::new(),
            scratch: vec![],
            map_key: vec![],
        })
    }

    /// The schema of the rows.
    pub(super) fn schema(&self) -> &SchemaRef {
        self.values.schema()
    }

    /// Rows numbered so far.
    pub(super) fn numbered(&self) -> u64 {
        self.next
    }

    /// Encodes the rows of a batch, which [`Side::keep`] then names by position.
    pub(super) fn read(&mut self, rows: &RecordBatch) -> Result<()> {
        self.values.encode(rows, &mut self.batch)
    }

    /// Whether a row may still find a partner.
    pub(super) fn waits(&self, time: i64, progress: i64) -> bool {
        progress < time.saturating_add(self.wait_ms)
    }

    /// Keeps a row of the batch.
    pub(super) fn keep(&mut self, key: &[u8], time: i64, row: usize, matched: bool) -> Result<()> {
        self.map_key.clear();
        push_bigint(&mut self.map_key, time);
        push_bigint(&mut self.map_key, self.next as i64);
        self.next += 1;
        let due = time.saturating_add(self.wait_ms).saturating_add(1);
        self.timers.register(round_up(due, self.slack_ms), key);
        if !matched || !self.tracks_matches {
            return self.rows.put(key, &self.map_key, self.batch.row(row));
        }
        self.scratch.clear();
        self.scratch.extend_from_slice(self.batch.row(row));
        self.values.set_number(&mut self.scratch, 0, 1)?;
        self.rows.put(key, &self.map_key, &self.scratch)
    }

    /// When the next rows may expire.
    pub(super) fn next_expiry_ms(&self) -> Option<i64> {
        self.timers.first_ms()
    }

    /// Takes out rows that expired, about `rows_max` of them.
    pub(super) fn expire(&mut self, progress: i64, rows_max: usize) -> Result<Expired> {
        let mut unmatched = EncodedRows::new();
        let mut dropped = 0;
        let mut more = false;
        while let Some((_, key)) = self.timers.pop_due(progress) {
            dropped += self.expire_key(&key, progress, &mut unmatched)?;
            if dropped >= rows_max {
                more = self.timers.first_ms().is_some_and(|first| first <= progress);
                break;
            }
        }
        let unmatched = self.values.decode(&unmatched.iter().collect::<Vec<_>>())?;
        Ok(Expired { unmatched, more })
    }

    fn expire_key(&mut self, key: &[u8], progress: i64, unmatched: &mut EncodedRows) -> Result<usize> {
        // A row of time `t` expires when the progress passes `t + wait`.
        let end = progress.saturating_sub(self.wait_ms);
        self.map_key.clear();
        push_bigint(&mut self.map_key, end);
        let mut expired = EncodedKeys::new();
        let (values, tracks) = (&self.values, self.tracks_matches);
        let mut failed = Ok(());
        let bounds = (Bound::Unbounded, Bound::Excluded(self.map_key.as_slice()));
        self.rows.scan(key, bounds, false, &mut |map_key, value| {
            expired.push(map_key);
            if tracks {
                match values.number(value, 0) {
                    Ok(0) => unmatched.push(value),
                    Ok(_) => {}
                    Err(error) => failed = Err(error),
                }
            }
            ControlFlow::Continue(())
        })?;
        failed?;
        for map_key in expired.iter() {
            self.rows.delete(key, map_key)?;
        }
        Ok(expired.len())
    }

    /// Hands what changed to a snapshot.
    pub(super) fn snapshot(&mut self, snapshot: &mut Snapshot) {
        self.rows.snapshot(snapshot);
        self.timers.snapshot(snapshot);
    }
}

fn round_up(time: i64, unit: i64) -> i64 {
    match time.rem_euclid(unit) {
        0 => time,
        rest => time.saturating_add(unit - rest),
    }
}

/// The kept rows of the other side that a batch may be joined with.
pub(super) struct Partners {
    keys: EncodedKeys,
    /// The distinct key of every row of the batch.
    groups: Vec<u32>,
    /// The partners of every distinct key, by time.
    of_key: Vec<Range<u32>>,
    key_of: Vec<u32>,
    times: Vec<i64>,
    map_keys: EncodedKeys,
    bytes: EncodedRows,
    matched: Vec<bool>,
    changed: Vec<bool>,
    pub(super) rows: RecordBatch,
}

impl Partners {
    /// Fetches the rows of the keys of a batch whose times lie within the bounds of its rows.
    pub(super) fn fetch(
        keys: &EncodedKeys,
        null: &[bool],
        bounds: impl Fn(usize) -> (i64, i64),
        other: &mut Side,
    ) -> Result<Self> {
        let (distinct, groups, spans) = spans(keys, null, bounds);
        other.rows.prefetch(&distinct)?;
        let mut partners = Self {
            keys: distinct,
            groups,
            of_key: vec![],
            key_of: vec![],
            times: vec![],
            map_keys: EncodedKeys::new(),
            bytes: EncodedRows::new(),
            matched: vec![],
            changed: vec![],
            rows: RecordBatch::new_empty(other.schema().clone()),
        };
        for (group, (from, to)) in spans.into_iter().enumerate() {
            partners.fetch_key(group, from, to, other)?;
        }
        partners.rows = other.values.decode(&partners.bytes.iter().collect::<Vec<_>>())?;
        partners.changed = vec![false; partners.times.len()];
        Ok(partners)
    }

    fn fetch_key(&mut self, group: usize, from: i64, to: i64, other: &mut Side) -> Result<()> {
        let first = self.times.len() as u32;
        let (mut low, mut high) = (vec![], vec![]);
        push_bigint(&mut low, from);
        // The number follows the time, so everything that starts with the bound is within.
        push_bigint(&mut high, to);
        high.push(u8::MAX);
        let mut failed = Ok(());
        let (values, tracks) = (&other.values, other.tracks_matches);
        let Self { keys, times, map_keys, bytes, matched, key_of, .. } = self;
        let bounds = (Bound::Included(low.as_slice()), Bound::Excluded(high.as_slice()));
        other.rows.scan(keys.key(group), bounds, false, &mut |map_key, value| {
            let mut rest = map_key;
            let number = if tracks { values.number(value, 0) } else { Ok(0) };
            match (take_bigint(&mut rest), number) {
                (Ok(time), Ok(number)) => {
                    times.push(time);
                    matched.push(number != 0);
                    map_keys.push(map_key);
                    bytes.push(value);
                    key_of.push(group as u32);
                }
                (Err(error), _) | (_, Err(error)) => failed = Err(error),
            }
            ControlFlow::Continue(())
        })?;
        self.of_key.push(first..self.times.len() as u32);
        failed
    }

    /// The partners of a row of the batch with times in `[from, to]`.
    pub(super) fn between(&self, row: usize, from: i64, to: i64) -> Range<u32> {
        let all = self.of_key[self.groups[row] as usize].clone();
        let times = &self.times[all.start as usize..all.end as usize];
        let first = times.partition_point(|time| *time < from);
        let end = times.partition_point(|time| *time <= to).max(first);
        all.start + first as u32..all.start + end as u32
    }

    /// Notes that a partner was joined; whether for the first time.
    pub(super) fn mark(&mut self, partner: u32) -> bool {
        let first = !std::mem::replace(&mut self.matched[partner as usize], true);
        self.changed[partner as usize] |= first;
        first
    }

    /// Writes back which partners were joined for the first time.
    pub(super) fn store(&self, other: &mut Side) -> Result<()> {
        if !other.tracks_matches {
            return Ok(());
        }
        for (partner, _) in self.changed.iter().enumerate().filter(|(_, changed)| **changed) {
            other.scratch.clear();
            other.scratch.extend_from_slice(self.bytes.row(partner));
            other.values.set_number(&mut other.scratch, 0, 1)?;
            let key = self.keys.key(self.key_of[partner] as usize);
            other.rows.put(key, self.map_keys.key(partner), &other.scratch)?;
        }
        Ok(())
    }
}

/// The distinct keys of a batch, the one of every row, and the widest bounds of each.
fn spans(
    keys: &EncodedKeys,
    null: &[bool],
    bounds: impl Fn(usize) -> (i64, i64),
) -> (EncodedKeys, Vec<u32>, Vec<(i64, i64)>) {
    let mut distinct = EncodedKeys::new();
    let mut numbers: HashMap<&[u8], u32> = HashMap::new();
    let mut spans: Vec<(i64, i64)> = vec![];
    let mut groups = Vec::with_capacity(keys.len());
    for (row, key) in keys.iter().enumerate() {
        if null[row] {
            groups.push(u32::MAX);
            continue;
        }
        let (from, to) = bounds(row);
        let group = *numbers.entry(key).or_insert_with(|| {
            distinct.push(key);
            spans.push((from, to));
            spans.len() as u32 - 1
        });
        let span = &mut spans[group as usize];
        *span = (span.0.min(from), span.1.max(to));
        groups.push(group);
    }
    (distinct, groups, spans)
}
