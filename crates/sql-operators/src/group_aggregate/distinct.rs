//! Distinct values of groups, in state: how often each value occurs, shared by all DISTINCT calls over the same
//! columns whatever their filters.
//!
//! A call over distinct values sees a row only when its value appears in the group for the first time, or leaves it:
//! the view turns the signs of a batch's rows into the signs that such calls see.

use super::names::{column_name, filter_text};
use crate::aggregate::factory::filter_signs;
use crate::keys::hash_integer;
use crate::row_values::{read_counts, write_counts};
use arrow::array::ArrayRef;
use hashbrown::HashTable;
use headwater_data::key_codec::{EncodedKeys, KeyEncoder};
use headwater_data::{arrow_type, stable_hash};
use headwater_plan::graph::RowType;
use headwater_state::{Column, MapTable, Snapshot, StateContext, TableDescriptor, Ttl};
use headwater_types::{Result, TypeRoot};

/// The distinct values of some columns.
pub(super) struct DistinctView {
    args: Vec<usize>,
    /// The filters of the calls that share the view, each once.
    filters: Vec<Option<usize>>,
    encoder: KeyEncoder,
    descriptor: TableDescriptor,
    table: Option<MapTable>,
    /// Whether occurrences are counted, because they may be taken back; otherwise it is known only that a value
    /// was there.
    counted: bool,
}

/// The values of a batch with their occurrences: one entry per group and value.
#[derive(Default)]
struct Pairs {
    index: HashTable<(u64, u32)>,
    /// Group and first row of the value.
    places: Vec<(u32, u32)>,
    /// One count per filter.
    counts: Vec<i64>,
    dirty: Vec<bool>,
}

/// The pair of a row that does not count.
const NO_PAIR: u32 = u32::MAX;

/// The input of a view: the rows of a batch.
pub(super) struct DistinctInput<'a> {
    /// Key of every group.
    pub(super) keys: &'a EncodedKeys,
    /// Group of every row.
    pub(super) groups: &'a [u32],
    /// All input columns.
    pub(super) columns: &'a [ArrayRef],
    /// Sign of every row; all `+1` when absent.
    pub(super) signs: Option<&'a [i8]>,
}

impl DistinctView {
    pub(super) fn new(args: &[usize], input: &RowType, key: &[Column], counted: bool, ttl_ms: i64) -> Result<Self> {
        let types: Vec<_> = args.iter().map(|arg| arrow_type(&input[*arg].1)).collect();
        let columns: Vec<_> = args.iter().map(|arg| Column::new(&input[*arg].0, input[*arg].1.clone())).collect();
        let names: Vec<_> = args.iter().map(|arg| column_name(input, *arg)).collect();
        let name = format!("distinct {}", names.join(", "));
        let descriptor = TableDescriptor::map(name, key.to_vec(), columns, vec![]).with_rows().detachable();
        let descriptor = descriptor.with_ttl(Ttl::of_sql(ttl_ms));
        let encoder = KeyEncoder::new(&types)?;
        Ok(Self { args: args.to_vec(), filters: vec![], encoder, descriptor, table: None, counted })
    }

    /// Whether the view is over these columns.
    pub(super) fn is_over(&self, args: &[usize]) -> bool {
        self.args == args
    }

    /// The number of a filter among those of the view, which it joins if it is new.
    pub(super) fn slot(&mut self, filter: Option<usize>, input: &RowType) -> usize {
        if let Some(slot) = self.filters.iter().position(|known| *known == filter) {
            return slot;
        }
        let name = format!("occurrences{}", filter_text(filter, input));
        self.descriptor.value.push(Column::new(name, TypeRoot::BigInt.into()));
        self.filters.push(filter);
        self.filters.len() - 1
    }

    pub(super) fn open(&mut self, state: &StateContext) -> Result<()> {
        self.table = Some(state.map_table(self.descriptor.clone())?);
        Ok(())
    }

    pub(super) fn snapshot(&mut self, snapshot: &mut Snapshot) {
        if let Some(table) = &mut self.table {
            table.snapshot(snapshot);
        }
    }

    /// Forgets the values of a key.
    pub(super) fn forget(&mut self, key: &[u8]) -> Result<()> {
        self.table.as_mut().map_or(Ok(()), |table| table.clear(key))
    }

    /// Counts the rows of a batch; the answer holds for every filter the signs that its calls see.
    pub(super) fn signs(&mut self, input: &DistinctInput<'_>) -> Result<Vec<Vec<i8>>> {
        let rows = input.groups.len();
        let args: Vec<_> = self.args.iter().map(|arg| input.columns[*arg].clone()).collect();
        let mut values = EncodedKeys::new();
        self.encoder.encode(&args, rows, &mut values)?;
        let passing = self.filters.iter().map(|filter| match filter {
            Some(column) => filter_signs(&input.columns[*column], input.signs),
            None => Ok(input.signs.map_or_else(|| vec![1; rows], <[i8]>::to_vec)),
        });
        let mut signs = passing.collect::<Result<Vec<_>>>()?;
        let (mut pairs, of_rows) = Pairs::of(input, &values, |row| signs.iter().any(|signs| signs[row] != 0));
        self.load(&mut pairs, input.keys, &values)?;
        for (row, pair) in of_rows.into_iter().enumerate().filter(|(_, pair)| *pair != NO_PAIR) {
            let pair = pair as usize;
            for (slot, signs) in signs.iter_mut().enumerate() {
                signs[row] = pairs.count(pair * self.filters.len() + slot, pair, signs[row], self.counted);
            }
        }
        self.store(&pairs, input.keys, &values)?;
        Ok(signs)
    }

    /// Reads what state holds of the values of a batch.
    fn load(&mut self, pairs: &mut Pairs, keys: &EncodedKeys, values: &EncodedKeys) -> Result<()> {
        let filters = self.filters.len();
        pairs.counts.resize(pairs.places.len() * filters, 0);
        pairs.dirty.resize(pairs.places.len(), false);
        let table = self.table.as_mut().expect("the operator was opened");
        let entry = |(group, row): &(u32, u32)| (keys.key(*group as usize), values.key(*row as usize));
        table.prefetch_entries(pairs.places.iter().map(entry))?;
        for ((key, value), counts) in pairs.places.iter().map(entry).zip(pairs.counts.chunks_exact_mut(filters)) {
            if let Some(stored) = table.get(key, value)? {
                read_counts(stored, counts);
            }
        }
        Ok(())
    }

    fn store(&mut self, pairs: &Pairs, keys: &EncodedKeys, values: &EncodedKeys) -> Result<()> {
        let table = self.table.as_mut().expect("the operator was opened");
        let mut bytes = vec![];
        for (pair, (group, row)) in pairs.places.iter().enumerate().filter(|(pair, _)| pairs.dirty[*pair]) {
            let counts = &pairs.counts[pair * self.filters.len()..][..self.filters.len()];
            let (key, value) = (keys.key(*group as usize), values.key(*row as usize));
            if counts.iter().all(|count| *count == 0) {
                table.delete(key, value)?;
                continue;
            }
            bytes.clear();
            write_counts(counts, &mut bytes);
            table.put(key, value, &bytes)?;
        }
        Ok(())
    }
}

impl Pairs {
    /// The values of the rows that count, and the number of the value of every row.
    fn of(input: &DistinctInput<'_>, values: &EncodedKeys, counts: impl Fn(usize) -> bool) -> (Self, Vec<u32>) {
        let rows = input.groups.len();
        let mut pairs = Self { index: HashTable::with_capacity(rows), ..Self::default() };
        let of_row = |row| if counts(row) { pairs.intern(input.groups[row], row as u32, values) } else { NO_PAIR };
        let of_rows = (0..rows).map(of_row).collect();
        (pairs, of_rows)
    }

    fn intern(&mut self, group: u32, row: u32, values: &EncodedKeys) -> u32 {
        let value = values.key(row as usize);
        let hash = stable_hash(value) ^ hash_integer(i64::from(group));
        let places = &mut self.places;
        let same = |entry: &(u64, u32)| {
            let (known_group, first) = places[entry.1 as usize];
            entry.0 == hash && known_group == group && values.key(first as usize) == value
        };
        if let Some((_, pair)) = self.index.find(hash, same) {
            return *pair;
        }
        let pair = places.len() as u32;
        self.index.insert_unique(hash, (hash, pair), |entry| entry.0);
        places.push((group, row));
        pair
    }

    /// Counts one occurrence; the answer is the sign with which a call sees the row.
    fn count(&mut self, place: usize, pair: usize, sign: i8, counted: bool) -> i8 {
        let before = self.counts[place];
        if sign == 0 || (!counted && before > 0) {
            return 0;
        }
        let after = before + i64::from(sign);
        self.counts[place] = after;
        self.dirty[pair] = true;
        i8::from(after > 0) - i8::from(before > 0)
    }
}
