//! From aggregate calls of a plan to accumulators.

use super::bitmap::BitmapForm;
use super::count::Count;
use super::distinct::Distinct;
use super::json::JsonForm;
use super::percentile::Percentiles;
use super::sequence::{Sequence, Shape};
use super::sum::{Finish, Sums};
use super::variance::{Spread, Variance};
use super::{Accumulator, Input, min_max};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::datatypes::DataType;
use headwater_data::{RowKinds, arrow_type};
use headwater_plan::Value;
use headwater_plan::operators::AggregateCall;
use headwater_types::{Error, LogicalType, Result, RowKind};
use std::ops::Range;

/// The aggregate calls of an operator.
pub(crate) struct Aggregates {
    calls: Vec<Call>,
    retract: bool,
}

struct Call {
    spec: AggregateCall,
    arg_types: Vec<DataType>,
    /// The type of the last argument as SQL has it.
    last_type: Option<LogicalType>,
}

/// Input rows of several calls: whole input columns, of which a range of rows is taken.
pub(crate) struct Rows<'a> {
    /// All columns of the input.
    pub(crate) columns: &'a [ArrayRef],
    /// The rows to take.
    pub(crate) range: Range<usize>,
    /// Signs of all rows of the columns; all `+1` when absent.
    pub(crate) signs: Option<&'a [i8]>,
    /// Arrival number of the first row of the columns.
    pub(crate) sequence: u64,
}

impl Aggregates {
    /// Prepares calls over input rows of these types; `retract` when the input is a changelog.
    pub(crate) fn new(calls: &[AggregateCall], input: &[LogicalType], retract: bool) -> Result<Self> {
        let calls = calls.iter().map(|spec| Call::new(spec, input)).collect::<Result<_>>()?;
        let aggregates = Self { calls, retract };
        aggregates.accumulators()?;
        Ok(aggregates)
    }

    /// Empty accumulators, one per call.
    pub(crate) fn accumulators(&self) -> Result<Vec<Box<dyn Accumulator>>> {
        self.calls.iter().map(|call| call.accumulator(self.retract)).collect()
    }

    /// Adds rows to the accumulators; `groups` has one entry per row of the range.
    pub(crate) fn update(
        &self,
        accumulators: &mut [Box<dyn Accumulator>],
        groups: &[u32],
        rows: &Rows<'_>,
    ) -> Result<()> {
        let (start, length) = (rows.range.start, rows.range.len());
        for (call, accumulator) in self.calls.iter().zip(accumulators) {
            let whole = start == 0 && rows.columns.first().is_some_and(|c| c.len() == length);
            let slice = |position: &usize| {
                let column = &rows.columns[*position];
                if whole { column.clone() } else { column.slice(start, length) }
            };
            let args: Vec<ArrayRef> = call.spec.args.iter().map(slice).collect();
            let signs = rows.signs.map(|signs| &signs[rows.range.clone()]);
            let filtered = call.spec.filter.as_ref().map(|filter| filter_signs(&slice(filter), signs)).transpose()?;
            let signs = filtered.as_deref().or(signs);
            let sequence = rows.sequence + start as u64;
            accumulator.update(groups, &Input { args: &args, signs, sequence })?;
        }
        Ok(())
    }
}

/// The accumulator of a call whose distinct values are counted elsewhere.
pub(crate) fn plain_accumulator(
    spec: &AggregateCall,
    input: &[LogicalType],
    retract: bool,
) -> Result<Box<dyn Accumulator>> {
    Call::new(spec, input)?.plain(retract)
}

/// Whether a call counts each distinct value once; functions that duplicates do not change never do.
pub(crate) fn counts_distinct(spec: &AggregateCall) -> bool {
    let idempotent = matches!(spec.function.as_str(), "MIN" | "MAX" | "FIRST_VALUE" | "LAST_VALUE");
    !idempotent && (spec.distinct || spec.function == "APPROX_COUNT_DISTINCT")
}

/// The signs of row kinds; `None` when every row is added.
pub(crate) fn signs_of(kinds: &RowKinds) -> Option<Vec<i8>> {
    let RowKinds::Mixed(kinds) = kinds else { return None };
    let is_add = |kind: i8| RowKind::from_byte(kind).is_some_and(RowKind::is_add);
    Some(kinds.iter().map(|kind| if is_add(*kind) { 1 } else { -1 }).collect())
}

pub(crate) fn filter_signs(filter: &ArrayRef, signs: Option<&[i8]>) -> Result<Vec<i8>> {
    let filter: &BooleanArray = filter
        .as_boolean_opt()
        .ok_or_else(|| Error::internal(format!("an aggregate filter has type {}", filter.data_type())))?;
    let passing = match filter.nulls() {
        Some(nulls) => filter.values() & nulls.inner(),
        None => filter.values().clone(),
    };
    let mut passed = vec![0; filter.len()];
    passing.set_indices().for_each(|row| passed[row] = signs.map_or(1, |signs| signs[row]));
    Ok(passed)
}

impl Call {
    fn new(spec: &AggregateCall, input: &[LogicalType]) -> Result<Self> {
        let type_of = |position: &usize| {
            let missing = || Error::internal(format!("aggregate argument {position} is not an input column"));
            input.get(*position).map(arrow_type).ok_or_else(missing)
        };
        let arg_types = spec.args.iter().map(type_of).collect::<Result<_>>()?;
        let last_type = spec.args.last().and_then(|position| input.get(*position)).cloned();
        Ok(Self { spec: spec.clone(), arg_types, last_type })
    }

    fn accumulator(&self, retract: bool) -> Result<Box<dyn Accumulator>> {
        if counts_distinct(&self.spec) {
            let inner = self.plain(retract)?;
            return Ok(Box::new(Distinct::new(inner, &self.arg_types)?));
        }
        self.plain(retract)
    }

    fn plain(&self, retract: bool) -> Result<Box<dyn Accumulator>> {
        let function = self.spec.function.as_str();
        if matches!(function, "COUNT" | "APPROX_COUNT_DISTINCT") {
            return Ok(Box::new(Count::default()));
        }
        let argument = self.arg_types.first().ok_or_else(|| self.unsupported())?;
        match function {
            "SUM" => self.sums(Finish::Sum, argument),
            "SUM0" | "$SUM0" => self.sums(Finish::SumZero, argument),
            "AVG" => self.sums(Finish::Average, argument),
            "MIN" => min_max::accumulator(false, argument, retract),
            "MAX" => min_max::accumulator(true, argument, retract),
            "STDDEV_POP" => self.spread(false, true),
            "STDDEV_SAMP" | "STDDEV" => self.spread(true, true),
            "VAR_POP" => self.spread(false, false),
            "VAR_SAMP" | "VARIANCE" => self.spread(true, false),
            _ => self.sequence(retract),
        }
    }

    fn sums(&self, finish: Finish, argument: &DataType) -> Result<Box<dyn Accumulator>> {
        let result = arrow_type(&self.spec.ty);
        Ok(match argument {
            DataType::Decimal128(..) => Box::new(Sums::<i128>::new(finish, result, argument)),
            DataType::Float32 if finish != Finish::Average => Box::new(Sums::<f32>::new(finish, result, argument)),
            DataType::Float32 | DataType::Float64 => Box::new(Sums::<f64>::new(finish, result, argument)),
            ty if ty.is_integer() || matches!(ty, DataType::Duration(_) | DataType::Interval(_)) => {
                Box::new(Sums::<i64>::new(finish, result, argument))
            }
            _ => return Err(self.unsupported()),
        })
    }

    fn spread(&self, sample: bool, root: bool) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Variance::new(Spread { sample, root }, arrow_type(&self.spec.ty))))
    }

    fn sequence(&self, retract: bool) -> Result<Box<dyn Accumulator>> {
        let shape = match self.spec.function.as_str() {
            "FIRST_VALUE" => Shape::First,
            "LAST_VALUE" => Shape::Last,
            "SINGLE_VALUE" => Shape::Single,
            "LISTAGG" | "STRING_AGG" => Shape::Joined(self.separator()),
            "ARRAY_AGG" => Shape::Array { keep_nulls: self.spec.parameters.first() != Some(&Value::Boolean(true)) },
            "COLLECT" => Shape::Multiset,
            "JSON_ARRAYAGG" | "JSON_OBJECTAGG" => Shape::Json(self.json()?),
            "PERCENTILE" => Shape::Percentile(Percentiles::new(self.spec.parameters.first())?),
            function => Shape::Bitmap(BitmapForm::of(function).ok_or_else(|| self.unsupported())?),
        };
        let all = matches!(shape, Shape::Json(_) | Shape::Percentile(_));
        let arguments = if all { &self.arg_types } else { &self.arg_types[..1] };
        Ok(Box::new(Sequence::new(shape, arguments, arrow_type(&self.spec.ty), retract)?))
    }

    /// The parameter says whether NULL values are left out; otherwise arrays leave them out and objects do not.
    fn json(&self) -> Result<JsonForm> {
        let object = self.spec.function == "JSON_OBJECTAGG";
        let (Some(value), true) = (&self.last_type, self.arg_types.len() == 1 + usize::from(object)) else {
            return Err(self.unsupported());
        };
        let absent_on_null = match self.spec.parameters.first() {
            Some(Value::Boolean(absent)) => *absent,
            _ => !object,
        };
        Ok(JsonForm { object, absent_on_null, value: value.clone() })
    }

    fn separator(&self) -> String {
        match self.spec.parameters.first() {
            Some(Value::String(separator)) => separator.clone(),
            _ => ",".to_owned(),
        }
    }

    fn unsupported(&self) -> Error {
        let args: Vec<_> = self.arg_types.iter().map(ToString::to_string).collect();
        Error::unsupported(format!("the aggregate {}({})", self.spec.function, args.join(", ")))
    }
}
