//! The aggregate calls of a changelog aggregation: their accumulators for the groups of a batch.
//!
//! Accumulators are filled from state when a batch begins and written back when it ends; in between everything is
//! columnar. What a call needs beyond its accumulator (distinct values, the values behind a MIN) is in tables.

use super::distinct::{DistinctInput, DistinctView};
use super::extreme::Extreme;
use super::kept::KeptCall;
use super::names::call_texts;
use super::ordered::Ordered;
use crate::aggregate::factory::{counts_distinct, filter_signs, plain_accumulator};
use crate::aggregate::{Accumulator, Input};
use crate::columns::types_of;
use arrow::array::{Array, ArrayRef, BinaryArray, BinaryBuilder};
use headwater_data::arrow_type;
use headwater_data::key_codec::EncodedKeys;
use headwater_plan::graph::RowType;
use headwater_plan::operators::AggregateCall;
use headwater_state::{Column, Snapshot, StateContext, TableDescriptor, Ttl};
use headwater_types::{Error, LogicalType, Result, TypeRoot};
use std::sync::Arc;

pub(super) struct Calls {
    calls: Vec<Call>,
    views: Vec<DistinctView>,
    input: Vec<LogicalType>,
    retract: bool,
}

struct Call {
    spec: AggregateCall,
    /// The view of a DISTINCT call and the filter within it.
    distinct: Option<(usize, usize)>,
    state: CallState,
}

enum CallState {
    Plain(Box<dyn Accumulator>),
    Kept(Box<dyn KeptCall>),
}

/// What tables of calls have in common.
pub(super) struct TableOptions<'a> {
    /// Key columns.
    pub(super) key: &'a [Column],
    /// Life of entries, milliseconds; 0 is for ever.
    pub(super) ttl_ms: i64,
}

/// The rows of a batch.
pub(super) struct BatchRows<'a> {
    /// Key of every group.
    pub(super) keys: &'a EncodedKeys,
    /// Group of every row.
    pub(super) groups: &'a [u32],
    /// All input columns.
    pub(super) columns: &'a [ArrayRef],
    /// Sign of every row; all `+1` when absent.
    pub(super) signs: Option<&'a [i8]>,
    /// Where a group starts anew.
    pub(super) resets: Option<&'a [bool]>,
    /// Arrival number of the first row.
    pub(super) sequence: u64,
}

impl Calls {
    /// `retract` when the input is a changelog.
    pub(super) fn new(
        specs: &[AggregateCall],
        input: &RowType,
        retract: bool,
        options: &TableOptions<'_>,
    ) -> Result<Self> {
        let mut calls = Self { calls: vec![], views: vec![], input: types_of(input), retract };
        for (spec, text) in specs.iter().zip(call_texts(specs, input)) {
            let distinct = calls.distinct(spec, input, options)?;
            let state = calls.state(spec, &text, options)?;
            calls.calls.push(Call { spec: spec.clone(), distinct, state });
        }
        Ok(calls)
    }

    fn distinct(
        &mut self,
        spec: &AggregateCall,
        input: &RowType,
        options: &TableOptions<'_>,
    ) -> Result<Option<(usize, usize)>> {
        if !counts_distinct(spec) {
            return Ok(None);
        }
        let known = self.views.iter().position(|view| view.is_over(&spec.args));
        let view = known.unwrap_or(self.views.len());
        if known.is_none() {
            self.views.push(DistinctView::new(&spec.args, input, options.key, self.retract, options.ttl_ms)?);
        }
        Ok(Some((view, self.views[view].slot(spec.filter, input))))
    }

    fn state(&self, spec: &AggregateCall, text: &str, options: &TableOptions<'_>) -> Result<CallState> {
        let kept = self.retract && matches!(spec.function.as_str(), "MIN" | "MAX" | "FIRST_VALUE" | "LAST_VALUE");
        let Some(argument) = spec.args.first().and_then(|arg| self.input.get(*arg)).filter(|_| kept) else {
            return Ok(CallState::Plain(plain_accumulator(spec, &self.input, self.retract)?));
        };
        let (value, number) = (Column::new("value", argument.clone()), Column::new("number", TypeRoot::BigInt.into()));
        let table = |map_key, value| {
            let name = format!("values of {text}");
            TableDescriptor::map(name, options.key.to_vec(), map_key, value)
                .with_ttl(Ttl::of_sql(options.ttl_ms))
                .detachable()
        };
        let ty = arrow_type(argument);
        Ok(CallState::Kept(match spec.function.as_str() {
            "MIN" | "MAX" => {
                let count = Column::new("count", TypeRoot::BigInt.into());
                let descriptor = table(vec![value], vec![count]).with_rows();
                Box::new(Extreme::new(spec.function == "MAX", &ty, descriptor)?)
            }
            function => {
                let descriptor = table(vec![value.clone(), number], vec![value]);
                Box::new(Ordered::new(function == "LAST_VALUE", &ty, descriptor)?)
            }
        }))
    }

    pub(super) fn open(&mut self, state: &StateContext) -> Result<()> {
        self.views.iter_mut().try_for_each(|view| view.open(state))?;
        self.kept().try_for_each(|call| call.open(state))
    }

    pub(super) fn snapshot(&mut self, snapshot: &mut Snapshot) {
        self.views.iter_mut().for_each(|view| view.snapshot(snapshot));
        self.kept().for_each(|call| call.snapshot(snapshot));
    }

    fn kept(&mut self) -> impl Iterator<Item = &mut Box<dyn KeptCall>> {
        self.calls.iter_mut().filter_map(|call| match &mut call.state {
            CallState::Kept(kept) => Some(kept),
            CallState::Plain(_) => None,
        })
    }

    /// Starts a batch: empty accumulators for the groups of these keys.
    pub(super) fn begin(&mut self, keys: &Arc<EncodedKeys>) -> Result<()> {
        for call in &mut self.calls {
            match &mut call.state {
                CallState::Plain(plain) => *plain = plain_accumulator(&call.spec, &self.input, self.retract)?,
                CallState::Kept(kept) => kept.begin(keys.clone()),
            }
            call.state.accumulator_mut().grow(keys.len());
        }
        Ok(())
    }

    /// Fills accumulators from state: `states[call]` has one value per group in `groups`.
    pub(super) fn load(&mut self, groups: &[u32], states: &[&BinaryArray]) -> Result<()> {
        for (call, states) in self.calls.iter_mut().zip(states) {
            let accumulator = call.state.accumulator_mut();
            for (position, group) in groups.iter().enumerate().filter(|(position, _)| states.is_valid(*position)) {
                accumulator.load(*group, states.value(position))?;
            }
        }
        Ok(())
    }

    /// The accumulators of all groups, to be stored.
    pub(super) fn states(&self, groups: usize) -> Vec<ArrayRef> {
        let mut state = vec![];
        let mut encode = |call: &Call| -> ArrayRef {
            let mut builder = BinaryBuilder::with_capacity(groups, groups * 24);
            for group in 0..groups as u32 {
                state.clear();
                call.state.accumulator().encode(group, &mut state);
                builder.append_value(&state);
            }
            Arc::new(builder.finish())
        };
        self.calls.iter().map(&mut encode).collect()
    }

    /// The results of all groups.
    pub(super) fn results(&self, groups: usize) -> Result<Vec<ArrayRef>> {
        let groups: Vec<u32> = (0..groups as u32).collect();
        self.calls.iter().map(|call| call.state.accumulator().evaluate(&groups)).collect()
    }

    /// Adds rows; the answer holds for every row the results of its group right after it.
    pub(super) fn scan(&mut self, rows: &BatchRows<'_>) -> Result<Vec<ArrayRef>> {
        let mut results = Vec::with_capacity(self.calls.len());
        self.apply(rows, |accumulator, input| {
            results.push(accumulator.scan(rows.groups, input, rows.resets)?);
            Ok(())
        })?;
        Ok(results)
    }

    /// Adds rows.
    pub(super) fn update(&mut self, rows: &BatchRows<'_>) -> Result<()> {
        self.apply(rows, |accumulator, input| accumulator.update(rows.groups, input))
    }

    fn apply(
        &mut self,
        rows: &BatchRows<'_>,
        mut apply: impl FnMut(&mut dyn Accumulator, &Input<'_>) -> Result<()>,
    ) -> Result<()> {
        let BatchRows { keys, groups, columns, signs, .. } = *rows;
        let distinct = DistinctInput { keys, groups, columns, signs };
        let views = self.views.iter_mut().map(|view| view.signs(&distinct)).collect::<Result<Vec<_>>>()?;
        for call in &mut self.calls {
            let args: Vec<ArrayRef> = call.spec.args.iter().map(|arg| columns[*arg].clone()).collect();
            let filtered = match (call.distinct, call.spec.filter) {
                (None, Some(filter)) => Some(filter_signs(&columns[filter], signs)?),
                _ => None,
            };
            let of_view = call.distinct.map(|(view, slot)| views[view][slot].as_slice());
            let signs = of_view.or(filtered.as_deref()).or(signs);
            apply(call.state.accumulator_mut(), &Input { args: &args, signs, sequence: rows.sequence })?;
        }
        Ok(())
    }

    /// Forgets what is kept for a key whose group is gone.
    pub(super) fn forget(&mut self, key: &[u8]) -> Result<()> {
        self.views.iter_mut().try_for_each(|view| view.forget(key))?;
        self.kept().try_for_each(|call| call.forget(key))
    }
}

impl CallState {
    fn accumulator(&self) -> &dyn Accumulator {
        match self {
            Self::Plain(plain) => plain.as_ref(),
            Self::Kept(kept) => kept.as_ref(),
        }
    }

    fn accumulator_mut(&mut self) -> &mut dyn Accumulator {
        match self {
            Self::Plain(plain) => plain.as_mut(),
            Self::Kept(kept) => kept.as_mut(),
        }
    }
}

/// A stored accumulator column.
pub(super) fn binary(column: &ArrayRef) -> Result<&BinaryArray> {
    let unexpected = || Error::internal(format!("a stored accumulator has Arrow type {}", column.data_type()));
    column.as_any().downcast_ref().ok_or_else(unexpected)
}
