//! Aggregate calls as text: names of state, by which it is found again after the query changed.

use headwater_plan::graph::RowType;
use headwater_plan::operators::AggregateCall;

/// A call as text, such as `COUNT(DISTINCT bidder) FILTER (WHERE cheap)`.
pub(super) fn call_text(call: &AggregateCall, input: &RowType) -> String {
    let mut args: Vec<String> = call.args.iter().map(|arg| column_name(input, *arg).to_owned()).collect();
    args.extend(call.parameters.iter().map(|parameter| format!("{parameter:?}")));
    let args = if args.is_empty() { "*".to_owned() } else { args.join(", ") };
    let distinct = if call.distinct { "DISTINCT " } else { "" };
    format!("{}({distinct}{args}){}", call.function, filter_text(call.filter, input))
}

/// The text of all calls, each different from the others.
pub(super) fn call_texts(calls: &[AggregateCall], input: &RowType) -> Vec<String> {
    let mut texts: Vec<String> = vec![];
    for call in calls {
        let text = call_text(call, input);
        let copies = texts.iter().filter(|known| known.split(" #").next() == Some(&text)).count();
        texts.push(if copies == 0 { text } else { format!("{text} #{}", copies + 1) });
    }
    texts
}

/// The filter of a call as text; empty without one.
pub(super) fn filter_text(filter: Option<usize>, input: &RowType) -> String {
    filter.map_or_else(String::new, |column| format!(" FILTER (WHERE {})", column_name(input, column)))
}

/// The name of an input column.
pub(super) fn column_name(input: &RowType, column: usize) -> &str {
    input.get(column).map_or("?", |(name, _)| name)
}
