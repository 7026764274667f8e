//! Functions of the rows before a row that are no aggregates: ranks and LAG. They see the whole partition whatever
//! the frame, so rows that leave the frame change nothing.

use crate::aggregate::encoding::{Reader, write_bytes};
use crate::aggregate::{Accumulator, Input};
use arrow::array::{ArrayRef, Int64Array, new_empty_array};
use arrow::datatypes::DataType;
use headwater_data::arrow_type;
use headwater_data::key_codec::{EncodedKeys, KeyEncoder};
use headwater_expressions::value::array_from_values;
use headwater_plan::Value;
use headwater_plan::operators::{AggregateCall, RankFunction};
use headwater_types::{Error, LogicalType, Result};
use std::collections::VecDeque;
use std::sync::Arc;

/// ROW_NUMBER, RANK and DENSE_RANK by the order columns.
#[derive(Clone)]
pub(super) struct Ranking {
    function: RankFunction,
    encoder: KeyEncoder,
    groups: Vec<Ranks>,
}

#[derive(Clone, Default)]
struct Ranks {
    rows: i64,
    rank: i64,
    dense: i64,
    /// The order columns of the last row.
    last: Vec<u8>,
}

impl Ranking {
    pub(super) fn new(function: &str, order: &[DataType]) -> Result<Self> {
        let function = match function {
            "RANK" => RankFunction::Rank,
            "DENSE_RANK" => RankFunction::DenseRank,
            _ => RankFunction::RowNumber,
        };
        Ok(Self { function, encoder: KeyEncoder::new(order)?, groups: vec![] })
    }

    pub(super) fn empty(&self) -> Self {
        Self { groups: vec![], ..self.clone() }
    }

    fn value(&self, ranks: &Ranks) -> i64 {
        match self.function {
            RankFunction::RowNumber => ranks.rows,
            RankFunction::Rank => ranks.rank,
            RankFunction::DenseRank => ranks.dense,
        }
    }
}

impl Accumulator for Ranking {
    fn grow(&mut self, groups: usize) {
        self.groups.resize(groups.max(self.groups.len()), Ranks::default());
    }

    fn update(&mut self, groups: &[u32], input: &Input<'_>) -> Result<()> {
        self.scan(groups, input, None).map(drop)
    }

    fn scan(&mut self, groups: &[u32], input: &Input<'_>, resets: Option<&[bool]>) -> Result<ArrayRef> {
        let mut keys = EncodedKeys::new();
        self.encoder.encode(input.args, groups.len(), &mut keys)?;
        let mut results = Vec::with_capacity(groups.len());
        for (row, group) in groups.iter().enumerate() {
            let ranks = &mut self.groups[*group as usize];
            if resets.is_some_and(|resets| resets[row]) {
                *ranks = Ranks::default();
            }
            if input.signs.is_none_or(|signs| signs[row] > 0) {
                ranks.rows += 1;
                if ranks.rows == 1 || ranks.last != keys.key(row) {
                    ranks.rank = ranks.rows;
                    ranks.dense += 1;
                    ranks.last.clear();
                    ranks.last.extend_from_slice(keys.key(row));
                }
            }
            results.push(self.value(&self.groups[*group as usize]));
        }
        Ok(Arc::new(Int64Array::from(results)))
    }

    fn merge(&mut self, _other: &dyn Accumulator, _groups: &[u32]) -> Result<()> {
        Err(not_mergeable())
    }

    fn evaluate(&self, groups: &[u32]) -> Result<ArrayRef> {
        let values = groups.iter().map(|group| self.value(&self.groups[*group as usize]));
        Ok(Arc::new(Int64Array::from_iter_values(values)))
    }

    fn encode(&self, group: u32, bytes: &mut Vec<u8>) {
        let ranks = &self.groups[group as usize];
        [ranks.rows, ranks.rank, ranks.dense].iter().for_each(|n| bytes.extend_from_slice(&n.to_le_bytes()));
        write_bytes(bytes, &ranks.last);
    }

    fn merge_encoded(&mut self, group: u32, bytes: &[u8]) -> Result<()> {
        let mut reader = Reader::new(bytes);
        let (rows, rank, dense) = (reader.i64()?, reader.i64()?, reader.i64()?);
        self.groups[group as usize] = Ranks { rows, rank, dense, last: reader.bytes()?.to_vec() };
        Ok(())
    }

    fn clear(&mut self, group: u32) {
        self.groups[group as usize] = Ranks::default();
    }
}

/// LAG: the value some rows before.
#[derive(Clone)]
pub(super) struct Shift {
    encoder: KeyEncoder,
    offset: usize,
    default: Vec<u8>,
    /// The last `offset + 1` values of every group.
    groups: Vec<VecDeque<Box<[u8]>>>,
}

impl Shift {
    pub(super) fn new(call: &AggregateCall, input: &[LogicalType]) -> Result<Self> {
        let ty = call.args.first().and_then(|arg| input.get(*arg));
        let ty = ty.ok_or_else(|| Error::internal("LAG needs a value"))?;
        let encoder = KeyEncoder::new(&[arrow_type(ty)])?;
        let default = [call.parameters.get(1).cloned().unwrap_or(Value::Null)];
        let mut keys = EncodedKeys::new();
        encoder.encode(&[array_from_values(&default, ty)?], 1, &mut keys)?;
        Ok(Self { encoder, offset: shift_offset(call), default: keys.key(0).to_vec(), groups: vec![] })
    }

    pub(super) fn empty(&self) -> Self {
        Self { groups: vec![], ..self.clone() }
    }

    fn value(&self, group: u32) -> &[u8] {
        let values = &self.groups[group as usize];
        let position = values.len().checked_sub(self.offset + 1);
        position.and_then(|position| values.get(position)).map_or(&self.default, AsRef::as_ref)
    }

    fn decode(&self, keys: &EncodedKeys) -> Result<ArrayRef> {
        if keys.is_empty() {
            return Ok(new_empty_array(&self.encoder.types()[0]));
        }
        Ok(self.encoder.decode(keys)?.remove(0))
    }
}

/// The offset of LAG or LEAD.
pub(super) fn shift_offset(call: &AggregateCall) -> usize {
    match call.parameters.first() {
        Some(Value::Int(offset)) => usize::try_from(*offset).unwrap_or(0),
        _ => 1,
    }
}

impl Accumulator for Shift {
    fn grow(&mut self, groups: usize) {
        self.groups.resize_with(groups.max(self.groups.len()), VecDeque::new);
    }

    fn update(&mut self, groups: &[u32], input: &Input<'_>) -> Result<()> {
        self.scan(groups, input, None).map(drop)
    }

    fn scan(&mut self, groups: &[u32], input: &Input<'_>, resets: Option<&[bool]>) -> Result<ArrayRef> {
        let mut keys = EncodedKeys::new();
        self.encoder.encode(&input.args[..1], groups.len(), &mut keys)?;
        let mut results = EncodedKeys::new();
        for (row, group) in groups.iter().enumerate() {
            let values = &mut self.groups[*group as usize];
            if resets.is_some_and(|resets| resets[row]) {
                values.clear();
            }
            if input.signs.is_none_or(|signs| signs[row] > 0) {
                if values.len() > self.offset {
                    values.pop_front();
                }
                values.push_back(keys.key(row).into());
            }
            results.push(self.value(*group));
        }
        self.decode(&results)
    }

    fn merge(&mut self, _other: &dyn Accumulator, _groups: &[u32]) -> Result<()> {
        Err(not_mergeable())
    }

    fn evaluate(&self, groups: &[u32]) -> Result<ArrayRef> {
        let mut results = EncodedKeys::new();
        groups.iter().for_each(|group| results.push(self.value(*group)));
        self.decode(&results)
    }

    fn encode(&self, group: u32, bytes: &mut Vec<u8>) {
        self.groups[group as usize].iter().for_each(|value| write_bytes(bytes, value));
    }

    fn merge_encoded(&mut self, group: u32, bytes: &[u8]) -> Result<()> {
        let mut reader = Reader::new(bytes);
        while !reader.is_empty() {
            self.groups[group as usize].push_back(reader.bytes()?.into());
        }
        Ok(())
    }

    fn clear(&mut self, group: u32) {
        self.groups[group as usize].clear();
    }
}

fn not_mergeable() -> Error {
    Error::internal("functions of the order of rows cannot be merged")
}
