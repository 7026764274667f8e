//! Aggregate calls as text: names of state, by which it is found again after the query changed.

use headwater_plan::graph::RowType;
use headwater_plan::operators::AggregateCall;
use headwater_state::{AccumulatorLayout, Column};
use headwater_types::logical_type::LENGTH_MAX;
use headwater_types::{LogicalType, TypeRoot};

/// A call as text, such as `COUNT(DISTINCT bidder) FILTER (WHERE cheap)`.
pub(super) fn call_text(call: &AggregateCall, input: &RowType) -> String {
    let mut args: Vec<String> = call.args.iter().map(|arg| column_name(input, *arg).to_owned()).collect();
    args.extend(call.parameters.iter().map(|parameter| format!("{parameter:?}")));
    let args = if args.is_empty() { "*".to_owned() } else { args.join(", ") };
    let distinct = if call.distinct { "DISTINCT " } else { "" };
    format!("{}({distinct}{args}){}", call.function, filter_text(call.filter, input))
}

/// The text of all calls, each different from the others.
pub(crate) fn call_texts(calls: &[AggregateCall], input: &RowType) -> Vec<String> {
    let mut texts: Vec<String> = vec![];
    for call in calls {
        let text = call_text(call, input);
        let copies = texts.iter().filter(|known| known.split(" #").next() == Some(&text)).count();
        texts.push(if copies == 0 { text } else { format!("{text} #{}", copies + 1) });
    }
    texts
}

/// The accumulators of calls as columns of state: under the calls' texts, as bytes. `types` are those of the rows that
/// are aggregated; `retract` when such rows may be taken back, for which some accumulators keep more.
pub(crate) fn accumulator_columns(
    texts: impl IntoIterator<Item = String>,
    calls: &[AggregateCall],
    types: &[LogicalType],
    retract: bool,
) -> Vec<Column> {
    let column = |(text, call): (String, &AggregateCall)| {
        let mut column = Column::new(text, LogicalType::from(TypeRoot::VarBinary(LENGTH_MAX)));
        column.accumulator = Some(layout(call, types, retract));
        column
    };
    texts.into_iter().zip(calls).map(column).collect()
}

fn layout(call: &AggregateCall, types: &[LogicalType], retract: bool) -> AccumulatorLayout {
    let function = call.function.clone();
    let of = call.args.first().and_then(|arg| types.get(*arg)).cloned();
    let is_integer = of.as_ref().is_some_and(LogicalType::is_integer);
    match function.as_str() {
        "COUNT" => AccumulatorLayout { function, of: None, widens: false },
        // Integers of all widths are summed alike.
        "SUM" | "$SUM0" | "AVG" if is_integer => {
            AccumulatorLayout { function, of: Some(TypeRoot::BigInt.into()), widens: false }
        }
        "SUM" | "$SUM0" | "AVG" => AccumulatorLayout { function, of, widens: false },
        "MIN" | "MAX" if !retract => AccumulatorLayout { function, of, widens: true },
        _ if retract => AccumulatorLayout { function: format!("{function} over changes"), of, widens: false },
        _ => AccumulatorLayout { function, of, widens: false },
    }
}

/// The filter of a call as text; empty without one.
pub(super) fn filter_text(filter: Option<usize>, input: &RowType) -> String {
    filter.map_or_else(String::new, |column| format!(" FILTER (WHERE {})", column_name(input, column)))
}

/// The name of an input column.
pub(super) fn column_name(input: &RowType, column: usize) -> &str {
    input.get(column).map_or("?", |(name, _)| name)
}
