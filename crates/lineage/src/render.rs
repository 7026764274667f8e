//! A lineage as text for people, and as a graph in DOT or Mermaid.

#[cfg(test)]
mod tests;

use crate::job::{JobLineage, Output, Source};
use std::fmt::Write;

/// For people: every output with its columns and what they are made of.
pub fn text(lineage: &JobLineage) -> String {
    let mut text = String::new();
    let mode = if lineage.streaming { "streaming" } else { "batch" };
    let _ = writeln!(text, "{} ({mode}, version {})", lineage.name, lineage.version());
    for output in &lineage.outputs {
        let _ = writeln!(text, "\n{}  [{}]", output.dataset.title(), output.dataset.path());
        for input in output.inputs.iter().filter_map(|at| lineage.inputs.get(*at)) {
            let how = if input.lookup { "looks up" } else { "reads" };
            let _ = writeln!(text, "  {how} {}  [{}]", input.dataset.title(), input.dataset.path());
        }
        columns(&mut text, output, lineage);
        for source in &output.rows {
            let _ = writeln!(text, "  rows depend on {}", source_text(source, lineage));
        }
    }
    text
}

fn columns(text: &mut String, output: &Output, lineage: &JobLineage) {
    for column in &output.dataset.columns {
        let sources = output.columns.get(&column.name).map_or(&[][..], Vec::as_slice);
        let _ = writeln!(text, "  {} {}", column.name, column.ty);
        if sources.is_empty() {
            text.push_str("      <- nothing that is read\n");
        }
        for source in sources {
            let _ = writeln!(text, "      <- {}", source_text(source, lineage));
        }
    }
}

fn source_text(source: &Source, lineage: &JobLineage) -> String {
    let table = lineage.inputs.get(source.input).map_or("?", |input| input.dataset.table[2].as_str());
    let kinds = source.transformations.iter().map(|t| {
        let masked = if t.masking { ", masked" } else { "" };
        match t.description.is_empty() {
            true => format!("{}{masked}", t.kind.as_str()),
            false => format!("{}{masked}: {}", t.kind.as_str(), t.description),
        }
    });
    format!("{table}.{} ({})", source.column, kinds.collect::<Vec<_>>().join("; "))
}

/// An edge between columns: names of the nodes and the kinds on it.
struct Edge {
    from: (usize, String),
    to: (usize, String),
    kinds: String,
    direct: bool,
}

/// The edges between columns. What decides about rows goes into the table as a whole: the column is empty.
fn edges(lineage: &JobLineage) -> Vec<Edge> {
    let mut edges = vec![];
    for (at, output) in lineage.outputs.iter().enumerate() {
        for (column, sources) in &output.columns {
            edges.extend(sources.iter().map(|source| edge(source, (at, column.clone()))));
        }
        edges.extend(output.rows.iter().map(|source| edge(source, (at, String::new()))));
    }
    edges
}

fn edge(source: &Source, to: (usize, String)) -> Edge {
    let mut kinds: Vec<&str> = source.transformations.iter().map(|t| t.kind.as_str()).collect();
    kinds.dedup();
    let direct = source.transformations.iter().any(|t| t.kind.is_direct());
    Edge { from: (source.input, source.column.clone()), to, kinds: kinds.join(", "), direct }
}

/// The graph of columns for Graphviz. Dashed edges decide without going into a value.
pub fn dot(lineage: &JobLineage) -> String {
    let mut text = String::from("digraph lineage {\n  rankdir=LR;\n  node [shape=plaintext];\n");
    let inputs = lineage.inputs.iter().map(|input| &input.dataset);
    for (prefix, all) in [("i", inputs.collect::<Vec<_>>()), ("o", outputs(lineage))] {
        for (at, dataset) in all.into_iter().enumerate() {
            let rows =
                dataset.columns.iter().enumerate().map(|(column, c)| {
                    format!("<tr><td port=\"c{column}\" align=\"left\">{}</td></tr>", escape(&c.name))
                });
            let title = escape(&dataset.title());
            let head = format!("<tr><td port=\"t\"><b>{title}</b></td></tr>");
            let table = format!("<table border=\"0\" cellborder=\"1\">{head}{}</table>", rows.collect::<String>());
            let _ = writeln!(text, "  {prefix}{at} [label=<{table}>];");
        }
    }
    for edge in edges(lineage) {
        let style = if edge.direct { "solid" } else { "dashed" };
        let (from, to) = (port(lineage, true, &edge.from), port(lineage, false, &edge.to));
        let _ = writeln!(
            text,
            "  i{}:{from} -> o{}:{to} [label=\"{}\", style={style}];",
            edge.from.0, edge.to.0, edge.kinds
        );
    }
    text.push_str("}\n");
    text
}

fn outputs(lineage: &JobLineage) -> Vec<&crate::job::Dataset> {
    lineage.outputs.iter().map(|output| &output.dataset).collect()
}

/// The port of a column; of the table where it has no such column (metadata, or the rows as a whole).
fn port(lineage: &JobLineage, is_input: bool, (at, column): &(usize, String)) -> String {
    let dataset = match is_input {
        true => lineage.inputs.get(*at).map(|input| &input.dataset),
        false => lineage.outputs.get(*at).map(|output| &output.dataset),
    };
    let position = dataset.and_then(|dataset| dataset.columns.iter().position(|c| c.name == *column));
    position.map_or("t".to_owned(), |position| format!("c{position}"))
}

/// The graph of columns for Mermaid. Dotted edges decide without going into a value.
pub fn mermaid(lineage: &JobLineage) -> String {
    let mut text = String::from("flowchart LR\n");
    let inputs = lineage.inputs.iter().map(|input| &input.dataset);
    for (prefix, all) in [("i", inputs.collect::<Vec<_>>()), ("o", outputs(lineage))] {
        for (at, dataset) in all.into_iter().enumerate() {
            let _ = writeln!(text, "  subgraph {prefix}{at}[\"{}\"]", escape(&dataset.title()));
            let _ = writeln!(text, "    {prefix}{at}_t((rows))");
            for (column, c) in dataset.columns.iter().enumerate() {
                let _ = writeln!(text, "    {prefix}{at}_c{column}[\"{}\"]", escape(&c.name));
            }
            text.push_str("  end\n");
        }
    }
    for edge in edges(lineage) {
        let arrow = if edge.direct { "-->" } else { "-.->" };
        let (from, to) = (port(lineage, true, &edge.from), port(lineage, false, &edge.to));
        let _ = writeln!(text, "  i{}_{from} {arrow}|{}| o{}_{to}", edge.from.0, edge.kinds, edge.to.0);
    }
    text
}

/// A name inside the markup of a graph.
fn escape(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            c if c.is_control() => text.push(' '),
            c => text.push(c),
        }
    }
    text
}
