//! Graphs for other tools: DOT, Mermaid, CSV, JSON lines. Names are other people's texts and are escaped for each.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;

/// A format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Of Graphviz.
    Dot,
    /// Of Mermaid.
    Mermaid,
    /// Comma-separated edges.
    Csv,
    /// One JSON object per node and edge.
    JsonLines,
}

impl Format {
    /// From its name in a request.
    pub fn read(name: &str) -> Self {
        match name {
            "dot" => Self::Dot,
            "mermaid" => Self::Mermaid,
            "csv" => Self::Csv,
            _ => Self::JsonLines,
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Dot => "text/vnd.graphviz; charset=utf-8",
            Self::Mermaid => "text/plain; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8",
            Self::JsonLines => "application/x-ndjson",
        }
    }
}

struct Edge<'a> {
    kind: &'static str,
    from: String,
    to: String,
    relation: &'a Value,
}

/// Writes an answer of lineage in a format.
pub fn write(answer: &Value, format: Format) -> String {
    let nodes = nodes(answer);
    let edges = edges(answer);
    match format {
        Format::Dot => dot(&nodes, &edges),
        Format::Mermaid => mermaid(&nodes, &edges),
        Format::Csv => csv(&nodes, &edges),
        Format::JsonLines => json_lines(answer, &edges),
    }
}

/// Labels of nodes by `KIND:id`.
fn nodes(answer: &Value) -> BTreeMap<String, String> {
    let mut nodes = BTreeMap::new();
    for (list, kind) in [("datasets", "DATASET"), ("jobs", "JOB"), ("runs", "RUN"), ("operations", "OPERATION")] {
        for (id, node) in answer["nodes"][list].as_object().into_iter().flatten() {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let label = match node["location"]["type"].as_str() {
                Some(place) => format!("{place}://{}/{}", text(&node["location"]["name"]), text(&node["name"])),
                None => node["name"].as_str().map_or_else(|| id.clone(), str::to_owned),
            };
            nodes.insert(format!("{kind}:{id}"), label);
        }
    }
    nodes
}

fn edges(answer: &Value) -> Vec<Edge<'_>> {
    let end = |value: &Value| {
        format!("{}:{}", value["kind"].as_str().unwrap_or_default(), value["id"].as_str().unwrap_or_default())
    };
    let mut edges = vec![];
    for (list, kind) in [("inputs", "INPUT"), ("outputs", "OUTPUT"), ("parents", "PARENT"), ("symlinks", "SYMLINK")] {
        for relation in answer["relations"][list].as_array().into_iter().flatten() {
            edges.push(Edge { kind, from: end(&relation["from"]), to: end(&relation["to"]), relation });
        }
    }
    edges
}

/// Edges to be drawn: two names of the same data are joined by one line, though each is told to be a name of the other.
fn drawn<'e>(edges: &'e [Edge<'e>]) -> impl Iterator<Item = &'e Edge<'e>> {
    edges.iter().filter(|edge| edge.kind != "SYMLINK" || edge.from <= edge.to)
}

fn is_dataset(key: &str) -> bool {
    key.starts_with("DATASET:")
}

fn dot(nodes: &BTreeMap<String, String>, edges: &[Edge<'_>]) -> String {
    let quoted =
        |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace(['\n', '\r'], " "));
    let mut out = String::from("digraph lineage {\n  rankdir=LR;\n");
    for (key, label) in nodes {
        let shape = if is_dataset(key) { "cylinder" } else { "box" };
        writeln!(out, "  {} [label={}, shape={shape}];", quoted(key), quoted(label)).ok();
    }
    for edge in drawn(edges) {
        let style = if matches!(edge.kind, "PARENT" | "SYMLINK") { " [style=dashed]" } else { "" };
        writeln!(out, "  {} -> {}{style};", quoted(&edge.from), quoted(&edge.to)).ok();
    }
    out + "}\n"
}

fn mermaid(nodes: &BTreeMap<String, String>, edges: &[Edge<'_>]) -> String {
    let names: BTreeMap<&String, String> = nodes.keys().enumerate().map(|(n, key)| (key, format!("n{n}"))).collect();
    let quoted = |text: &str| {
        let text = text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;");
        format!("\"{}\"", text.replace(['\n', '\r'], " "))
    };
    let mut out = String::from("graph LR\n");
    for (key, label) in nodes {
        let (open, close) = if is_dataset(key) { ("[(", ")]") } else { ("[", "]") };
        writeln!(out, "  {}{open}{}{close}", names[key], quoted(label)).ok();
    }
    for edge in drawn(edges) {
        if let (Some(from), Some(to)) = (names.get(&edge.from), names.get(&edge.to)) {
            let arrow = if matches!(edge.kind, "PARENT" | "SYMLINK") { "-.->" } else { "-->" };
            writeln!(out, "  {from} {arrow} {to}").ok();
        }
    }
    out
}

fn csv(nodes: &BTreeMap<String, String>, edges: &[Edge<'_>]) -> String {
    let quoted = |text: &str| {
        // A leading sign would be a formula to a spreadsheet.
        let text =
            if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
        format!("\"{}\"", text.replace('"', "\"\""))
    };
    let mut out = String::from("kind,from,from_name,to,to_name,last_interaction_at,num_rows,num_bytes,num_files\n");
    for edge in edges {
        let name = |key: &str| quoted(nodes.get(key).map_or("", String::as_str));
        let number = |key: &str| edge.relation[key].as_i64().map(|n| n.to_string()).unwrap_or_default();
        let last = edge.relation["last_interaction_at"].as_str().unwrap_or_default();
        let cells = [
            edge.kind.to_owned(),
            quoted(&edge.from),
            name(&edge.from),
            quoted(&edge.to),
            name(&edge.to),
            last.to_owned(),
            number("num_rows"),
            number("num_bytes"),
            number("num_files"),
        ];
        out.push_str(&cells.join(","));
        out.push('\n');
    }
    out
}

fn json_lines(answer: &Value, edges: &[Edge<'_>]) -> String {
    let mut out = String::new();
    for list in ["datasets", "jobs", "runs", "operations"] {
        for node in answer["nodes"][list].as_object().into_iter().flatten().map(|(_, node)| node) {
            writeln!(out, "{}", serde_json::json!({"node": list, "data": node})).ok();
        }
    }
    for edge in edges {
        writeln!(out, "{}", serde_json::json!({"edge": edge.kind, "data": edge.relation})).ok();
    }
    out
}
