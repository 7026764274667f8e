//! Changelog codes and row patterns: how plans show them, what they read, and where their columns go.

use super::prune::{columns, rewrite_calls, sort_keys};
use super::remap::{ColumnMap, position};
use super::text::{list, render, sort_text};
use headwater_plan::OperatorSpec;
use headwater_plan::operators::{
    MatchRecognizeSpec, PatternElement, RowPlace, RowReference, SkipStrategy, ToChangelogSpec,
};

/// What stands between the parentheses of an operator over columns of these names.
pub fn describe(spec: &OperatorSpec, names: &[String], outputs: &[String]) -> String {
    match spec {
        OperatorSpec::ToChangelog(codes) => to_changelog(codes, names, outputs),
        OperatorSpec::FromChangelog(codes) => {
            let mapping: Vec<_> = codes.kinds.iter().map(|(code, kind)| format!("{code}={}", kind.short())).collect();
            let errors = if codes.skips_errors { "SKIP" } else { "FAIL" };
            format!("op=[{}], mapping=[{}], errorHandling=[{errors}]", names[codes.code], mapping.join(", "))
        }
        OperatorSpec::MatchRecognize(spec) => match_recognize(spec, names, outputs),
        _ => String::new(),
    }
}

fn to_changelog(codes: &ToChangelogSpec, names: &[String], outputs: &[String]) -> String {
    let mapping: Vec<_> = codes.codes.iter().map(|(kind, code)| format!("{}={code}", kind.short())).collect();
    let deletes = match &codes.deletion {
        None => String::new(),
        Some(deletion) => format!(", deletes=[{}]", list(&deletion.keys, names)),
    };
    format!("op=[{}], mapping=[{}]{deletes}", outputs[0], mapping.join(", "))
}

fn match_recognize(spec: &MatchRecognizeSpec, names: &[String], outputs: &[String]) -> String {
    let references: Vec<String> = spec.references.iter().map(|r| reference(r, &spec.elements, names)).collect();
    let mut parts = vec![];
    if !spec.keys.is_empty() {
        parts.push(format!("partitionBy=[{}]", list(&spec.keys, names)));
    }
    let time = spec.rowtime.map_or("PROCTIME".to_owned(), |column| format!("{} ASC", names[column]));
    let order = if spec.order.is_empty() { time } else { format!("{time}, {}", sort_text(&spec.order, names)) };
    parts.push(format!("orderBy=[{order}]"));
    let measures = spec.measures.iter().zip(&outputs[spec.keys.len()..]);
    let measures: Vec<_> = measures.map(|(expr, name)| format!("{} AS {name}", render(expr, &references))).collect();
    parts.push(format!("measures=[{}]", measures.join(", ")));
    let pattern: Vec<_> = spec.elements.iter().map(element).collect();
    parts.push(format!("pattern=[{}]", pattern.join(" ")));
    parts.extend(spec.within_ms.map(|ms| format!("within=[{ms} ms]")));
    parts.push(format!("afterMatch=[{}]", skip(spec.skip, &spec.elements)));
    let defined = spec.elements.iter().filter_map(|e| Some((e, e.condition.as_ref()?)));
    let defined: Vec<_> = defined.map(|(e, c)| format!("{} AS {}", e.variable, render(c, &references))).collect();
    parts.push(format!("define=[{}]", defined.join(", ")));
    parts.join(", ")
}

fn element(element: &PatternElement) -> String {
    let quantifier = match (element.min, element.max) {
        (1, Some(1)) => return element.variable.clone(),
        (0, None) => "*".to_owned(),
        (1, None) => "+".to_owned(),
        (0, Some(1)) => return format!("{}?", element.variable),
        (min, None) => format!("{{{min},}}"),
        (min, Some(max)) if min == max => return format!("{}{{{min}}}", element.variable),
        (min, Some(max)) => format!("{{{min},{max}}}"),
    };
    format!("{}{quantifier}{}", element.variable, if element.greedy { "" } else { "?" })
}

fn skip(skip: SkipStrategy, elements: &[PatternElement]) -> String {
    match skip {
        SkipStrategy::NextRow => "SKIP TO NEXT ROW".to_owned(),
        SkipStrategy::PastLastRow => "SKIP PAST LAST ROW".to_owned(),
        SkipStrategy::First(variable) => format!("SKIP TO FIRST {}", elements[variable].variable),
        SkipStrategy::Last(variable) => format!("SKIP TO LAST {}", elements[variable].variable),
    }
}

fn reference(reference: &RowReference, elements: &[PatternElement], names: &[String]) -> String {
    let variable = reference.variable.map_or("*", |variable| elements[variable].variable.as_str());
    match &reference.place {
        RowPlace::Last { offset, column } => format!("LAST({variable}.{}, {offset})", names[*column]),
        RowPlace::First { offset, column } => format!("FIRST({variable}.{}, {offset})", names[*column]),
        RowPlace::Previous { offset, column } => format!("PREV({variable}.{}, {offset})", names[*column]),
        RowPlace::Aggregate(call) => format!("{}({variable}.[{}])", call.function, list(&call.args, names)),
    }
}

/// The columns that a pattern reads.
pub fn columns_of(spec: &MatchRecognizeSpec) -> Vec<usize> {
    let referred = spec.references.iter().flat_map(|reference| match &reference.place {
        RowPlace::Last { column, .. } | RowPlace::First { column, .. } | RowPlace::Previous { column, .. } => {
            vec![*column]
        }
        RowPlace::Aggregate(call) => call.args.clone(),
    });
    let order = spec.order.iter().map(|key| key.column);
    referred.chain(spec.keys.iter().copied()).chain(order).chain(spec.rowtime).collect()
}

/// Brings a pattern to the new positions of its input.
pub fn rewrite(mut spec: MatchRecognizeSpec, map: &ColumnMap) -> MatchRecognizeSpec {
    columns(&mut spec.keys, map);
    sort_keys(&mut spec.order, map);
    spec.rowtime = spec.rowtime.map(|column| position(map, column));
    for reference in &mut spec.references {
        match &mut reference.place {
            RowPlace::Last { column, .. } | RowPlace::First { column, .. } | RowPlace::Previous { column, .. } => {
                *column = position(map, *column);
            }
            RowPlace::Aggregate(call) => rewrite_calls(std::slice::from_mut(call), map),
        }
    }
    spec
}

#[cfg(test)]
mod tests;
