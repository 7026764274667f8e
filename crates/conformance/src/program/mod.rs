//! Programs: tables with rows, statements, expected contents of sinks.

mod compare;
mod drive;
mod run;
mod tables;

use serde_json::{Map, Value as Json};

/// A program as written.
pub(crate) struct Program {
    pub(crate) id: String,
    /// Whether everything of the program could be written down.
    is_complete: bool,
    /// Whether it is about an operator that only batch mode has.
    is_batch: bool,
    steps: Vec<Step>,
}

/// One step of a program.
enum Step {
    Config(String, String),
    Source(TableStep),
    Sink(TableStep),
    /// Runs statements; a job they start is waited for.
    Sql(String),
    StatementSet(Vec<String>),
    /// Runs a statement that must fail.
    FailingSql(String),
    /// Something in another language than SQL: skip the program.
    TableApi,
    /// A statement that could not be written down: skip the program.
    Unwritten,
    /// Something that needs user code or a model: not supported.
    Foreign(&'static str),
}

/// A source or sink.
struct TableStep {
    name: String,
    /// Columns, watermark and keys as DDL fragments; absent when they could not be written down.
    schema: Option<Vec<String>>,
    options: Map<String, Json>,
    partition_keys: Vec<String>,
    /// `DISTRIBUTED ...`, or the expression that could not be read.
    distribution: Option<Result<String, String>>,
    /// Row kinds in the notation of the `changelog-mode` option, when given apart from the options.
    mode: Option<String>,
    json: Map<String, Json>,
}

impl Program {
    /// Reads a program.
    pub(crate) fn parse(json: &Json) -> Result<Self, String> {
        let id = json.get("id").and_then(Json::as_str).ok_or("a program needs an 'id'")?;
        let steps = json.get("steps").and_then(Json::as_array).ok_or("'steps' must be a list")?;
        let is_complete = json.get("completeness").is_none_or(|completeness| completeness == "full");
        let is_batch = json.get("class").is_some_and(|class| class == "SortAggregateTestPrograms");
        Ok(Self { id: id.to_string(), is_complete, is_batch, steps: steps.iter().map(step).collect::<Result<_, _>>()? })
    }
}

fn step(json: &Json) -> Result<Step, String> {
    let object = json.as_object().filter(|object| object.len() == 1);
    let (kind, value) = object.and_then(|object| object.iter().next()).ok_or("a step is an object with one key")?;
    Ok(match kind.as_str() {
        "setupConfig" => {
            let [key, value] = pair(value).ok_or("setupConfig takes [key, value]")?;
            Step::Config(key, value)
        }
        "setupTableSource" => Step::Source(table_step(value)?),
        "setupTableSink" => Step::Sink(table_step(value)?),
        "setupSql" | "runSql" => first_text(value).map_or(Step::Unwritten, Step::Sql),
        "runStatementSet" => Step::StatementSet(texts(value)),
        "runFailingSql" => first_text(value).map_or(Step::Unwritten, Step::FailingSql),
        "runTableApi" => Step::TableApi,
        "setupModel" => Step::Foreign("a model"),
        other if other.contains("Function") => Step::Foreign("a user-defined function in Java"),
        other => return Err(format!("unknown step '{other}'")),
    })
}

fn pair(value: &Json) -> Option<[String; 2]> {
    match value.as_array()?.as_slice() {
        [key, value] => Some([scalar(key)?, scalar(value)?]),
        _ => None,
    }
}

/// A scalar as the text of a configuration value.
fn scalar(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Bool(_) | Json::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

fn texts(value: &Json) -> Vec<String> {
    let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    items
        .iter()
        .flat_map(|item| match item {
            Json::Array(inner) => inner.iter().filter_map(scalar).collect(),
            other => scalar(other).into_iter().collect::<Vec<_>>(),
        })
        .collect()
}

/// The statement of a step; `None` when it could not be written down.
fn first_text(value: &Json) -> Option<String> {
    texts(value).into_iter().next().filter(|text| !holds_a_variable(text))
}

/// Whether a statement holds `(query1)`: the name of a variable whose text was not filled in.
fn holds_a_variable(text: &str) -> bool {
    let after = text.split("(query").skip(1);
    after.into_iter().any(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(')'))
}

fn table_step(value: &Json) -> Result<TableStep, String> {
    let json = value.as_object().ok_or("a table step takes an object")?;
    let name = json.get("name").and_then(Json::as_str).ok_or("a table needs a 'name'")?;
    let schema = json.get("schema").map_or(Some(vec![]), |schema| {
        schema.as_array()?.iter().map(|part| part.as_str().map(str::to_string)).collect()
    });
    let list = |key: &str| json.get(key).and_then(Json::as_array).cloned().unwrap_or_default();
    let first = |key: &str| list(key).first().and_then(Json::as_str).map(str::to_string);
    let partition_keys = list("partitionKeys").into_iter().chain(list("addPartitionKeys"));
    Ok(TableStep {
        name: name.to_string(),
        schema,
        options: json.get("options").and_then(Json::as_object).cloned().unwrap_or_default(),
        partition_keys: partition_keys.filter_map(|key| key.as_str().map(str::to_string)).collect(),
        distribution: first("addDistribution").map(|text| distribution(&text).ok_or(text)),
        mode: first("addMode").map(|text| changelog_mode(&text)),
        json: json.clone(),
    })
}

/// Row kinds of `ChangelogMode.upsert()` and its like.
fn changelog_mode(text: &str) -> String {
    if text.contains("upsert()") {
        return "I,UA,D".to_string();
    }
    if text.contains("insertOnly()") {
        return "I".to_string();
    }
    if text.contains("all()") {
        return "I,UB,UA,D".to_string();
    }
    let kinds = [("(+I)", "I"), ("(-U)", "UB"), ("(+U)", "UA"), ("(-D)", "D")];
    let named: Vec<&str> = kinds.iter().filter(|(java, _)| text.contains(java)).map(|(_, kind)| *kind).collect();
    named.join(",")
}

/// The clause of `TableDistribution.ofHash(['a'],3)` and its like.
fn distribution(text: &str) -> Option<String> {
    let (kind, args) = text.strip_prefix("TableDistribution.of")?.strip_suffix(')')?.split_once('(')?;
    let (keys, count) = match args.split_once(']') {
        Some((keys, count)) => (keys.trim_start_matches('[').replace('\'', "`"), count.trim_start_matches(',')),
        None => (String::new(), args),
    };
    let by = match (kind, keys.as_str()) {
        (_, "") => String::new(),
        ("Unknown", keys) => format!(" BY ({keys})"),
        (kind, keys) => format!(" BY {}({keys})", kind.to_uppercase()),
    };
    let into = match count {
        "None" | "" => String::new(),
        count => format!(" INTO {count} BUCKETS"),
    };
    Some(format!(" DISTRIBUTED{by}{into}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn java_expressions_become_clauses() {
        for (java, expected) in [
            ("TableDistribution.ofUnknown(3)", Some(" DISTRIBUTED INTO 3 BUCKETS")),
            ("TableDistribution.ofHash(['a'],3)", Some(" DISTRIBUTED BY HASH(`a`) INTO 3 BUCKETS")),
            ("TableDistribution.ofRange(['a'],None)", Some(" DISTRIBUTED BY RANGE(`a`)")),
            ("somethingElse()", None),
        ] {
            assert_eq!(distribution(java).as_deref(), expected, "{java}");
        }
        assert_eq!(changelog_mode("ChangelogMode.upsert()"), "I,UA,D");
        assert_eq!(changelog_mode("newBuilder().addContainedKind(+U).addContainedKind(-D).build()"), "UA,D");
    }
}
