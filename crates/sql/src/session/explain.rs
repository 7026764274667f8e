//! EXPLAIN: the plan of a statement in Flink's sections.

use super::ddl::create_table;
use super::{Rows, Session, StateComparison, StatementResult};
use crate::planner::{Bound, COLLECT_CONNECTOR, OperatorStateDescription, StateColumn};
use crate::{SqlError, SqlResult};
use headwater_plan::{JobGraph, OperatorSpec, Partitioning, Vertex};
use headwater_sql_parser::ast::{CreateTable, Explain, ExplainDetail, Insert, Query, Statement};
use serde_json::{Value, json};

/// What an explanation is made of.
struct Explained {
    ast: String,
    optimized: String,
    changelog: String,
    state: Vec<OperatorStateDescription>,
    graph: JobGraph,
}

/// Runs EXPLAIN.
pub(super) fn explain(session: &Session, statement: &Explain, source: &str) -> SqlResult<StatementResult> {
    let explained = match &statement.statement {
        Statement::Query(query) => self::query(session, query, source)?,
        Statement::Insert(insert) => inserts(session, std::slice::from_ref(insert), source)?,
        Statement::StatementSet(set) => inserts(session, &set.inserts, source)?,
        Statement::CreateTable(create) => create_table_as(session, create, source)?,
        _ => return Err(SqlError::new("not-explainable", "EXPLAIN takes a query, an INSERT or a statement set")),
    };
    let text = text(&explained, &statement.details);
    Ok(match &statement.savepoint {
        None => Rows::single("result", text).into(),
        Some(savepoint) => {
            let savepoint = savepoint.value.clone();
            let Explained { state, graph, .. } = explained;
            StatementResult::CompareState(Box::new(StateComparison { savepoint, text, state, graph }))
        }
    })
}

fn inserts(session: &Session, inserts: &[Insert], source: &str) -> SqlResult<Explained> {
    let planned = session.plan_inserts(inserts, source)?;
    Ok(Explained {
        ast: planned.ast_text,
        optimized: planned.optimized_text,
        changelog: planned.changelog_text,
        state: planned.state,
        graph: planned.graph,
    })
}

/// The plan of the query that would fill the table; the table is not created.
fn create_table_as(session: &Session, statement: &CreateTable, source: &str) -> SqlResult<Explained> {
    let Some(query) = &statement.query else {
        return Err(SqlError::new("not-explainable", "EXPLAIN takes CREATE TABLE only with AS query"));
    };
    create_table::declared_as(session, statement, query, source)?;
    self::query(session, query, source)
}

/// The plan of a query, without the sink that hands its rows to the client.
fn query(session: &Session, query: &Query, source: &str) -> SqlResult<Explained> {
    let planned = session.plan_query(query, source)?;
    let mut graph = planned.graph;
    for vertex in &mut graph.vertices {
        vertex.chain.retain(|operator| !is_collect(&operator.spec));
    }
    Ok(Explained {
        ast: planned.ast_text,
        optimized: without_root(&planned.optimized_text),
        changelog: without_root(&planned.changelog_text),
        state: planned.state,
        graph,
    })
}

fn is_collect(spec: &OperatorSpec) -> bool {
    match spec {
        OperatorSpec::Sink(sink) => sink.table.options.get("connector").is_some_and(|c| c == COLLECT_CONNECTOR),
        _ => false,
    }
}

/// A plan text without its first line, when that is a sink; the rest moves up a level.
fn without_root(plan: &str) -> String {
    match plan.split_once('\n') {
        Some((root, rest)) if root.starts_with("Sink(") => {
            rest.lines().map(|line| line.get(3..).unwrap_or_default()).collect::<Vec<_>>().join("\n")
        }
        _ => plan.to_string(),
    }
}

fn text(explained: &Explained, details: &[ExplainDetail]) -> String {
    let shows = |detail| details.contains(&detail);
    let advice = shows(ExplainDetail::PlanAdvice);
    let changelog = shows(ExplainDetail::ChangelogMode);
    let plan = if changelog { &explained.changelog } else { &explained.optimized };
    let mut physical = plan.trim_end().to_string();
    if advice {
        physical.push_str("\n\n");
        physical.push_str(&advices(explained));
    }
    let mut out = format!(
        "== Abstract Syntax Tree ==\n{}\n\n== Optimized Physical Plan{} ==\n{physical}\n\n== Optimized Execution Plan \
         ==\n{}\n",
        explained.ast.trim_end(),
        if advice { " With Advice" } else { "" },
        explained.optimized.trim_end(),
    );
    if changelog && !explained.state.is_empty() {
        out.push_str("\n== State ==\n");
        explained.state.iter().for_each(|operator| out.push_str(&state_text(operator)));
    }
    if shows(ExplainDetail::JsonExecutionPlan) {
        out.push_str("\n== Physical Execution Plan ==\n");
        out.push_str(&format!("{:#}", graph_json(&explained.graph)));
    }
    out
}

/// What an operator keeps, how it is found, how long it lives.
fn state_text(operator: &OperatorStateDescription) -> String {
    let columns = |columns: &[StateColumn]| {
        columns.iter().map(|(name, ty)| format!("{name} {ty}")).collect::<Vec<_>>().join(", ")
    };
    let mut text = format!("{}\n", operator.uid);
    let key = if operator.key.is_empty() { "none, one subtask".to_owned() } else { columns(&operator.key) };
    text.push_str(&format!("   key: {key}\n"));
    for table in &operator.tables {
        let map_key =
            if table.map_key.is_empty() { String::new() } else { format!("by [{}] ", columns(&table.map_key)) };
        let ttl = if table.ttl_ms == 0 { String::new() } else { format!(", TTL {} ms", table.ttl_ms) };
        text.push_str(&format!("   table '{}': {map_key}[{}]{ttl}\n", table.name, columns(&table.value)));
    }
    match &operator.bound {
        Bound::Bounded(reason) => text.push_str(&format!("   bounded: {reason}\n")),
        Bound::Unbounded(reason) => text.push_str(&format!("   NOT BOUNDED: {reason}\n")),
    }
    if let Some(warning) = operator.warning() {
        text.push_str(&format!("   WARNING: {warning}\n"));
    }
    text
}

/// Numbered advice about a plan.
fn advices(explained: &Explained) -> String {
    let mut advices: Vec<String> = explained.state.iter().filter_map(OperatorStateDescription::warning).collect();
    let operators = explained.graph.vertices.iter().flat_map(|vertex| &vertex.chain);
    let unbundled = |spec: &OperatorSpec| match spec {
        OperatorSpec::GroupAggregate(spec) => !spec.final_only && spec.mini_batch.is_none(),
        _ => false,
    };
    if operators.into_iter().any(|operator| unbundled(&operator.spec)) {
        advices.push(
            "every row updates its group at once: fewer updates leave when rows are bundled ('table.exec.mini-batch.enabled' \
             = 'true', 'table.exec.mini-batch.allow-latency' and 'table.exec.mini-batch.size' positive)"
                .to_owned(),
        );
    }
    if advices.is_empty() {
        return "No available advice...".to_owned();
    }
    let numbered = advices.iter().enumerate().map(|(i, advice)| format!("advice[{}]: [ADVICE] {advice}", i + 1));
    numbered.collect::<Vec<_>>().join("\n")
}

/// The job graph as JSON, one node an operator, as Flink's execution plan has it.
pub(super) fn graph_json(graph: &JobGraph) -> Value {
    let firsts = first_ids(graph);
    let mut nodes = vec![];
    for (vertex, first) in graph.vertices.iter().zip(&firsts) {
        for (i, operator) in vertex.chain.iter().enumerate() {
            let predecessors = match i {
                0 => head_predecessors(graph, vertex, &firsts),
                _ => vec![predecessor(first + i - 1, "FORWARD", "second")],
            };
            let mut node = json!({
                "id": first + i,
                "type": node_type(&operator.spec, &operator.name),
                "pact": pact(&operator.spec),
                "contents": operator.name,
                "parallelism": vertex.parallelism,
            });
            if !predecessors.is_empty() {
                node["predecessors"] = Value::Array(predecessors);
            }
            nodes.push(node);
        }
    }
    json!({ "nodes": nodes })
}

/// The node id of each vertex's head operator.
fn first_ids(graph: &JobGraph) -> Vec<usize> {
    let ids = graph.vertices.iter().scan(1, |next, vertex| {
        let first = *next;
        *next += vertex.chain.len();
        Some(first)
    });
    ids.collect()
}

fn head_predecessors(graph: &JobGraph, vertex: &Vertex, firsts: &[usize]) -> Vec<Value> {
    let position = |id| graph.vertices.iter().position(|v| v.id == id);
    let edges: Vec<_> = graph.edges.iter().filter(|edge| edge.target == vertex.id).collect();
    let has_two_inputs = edges.iter().any(|edge| edge.target_input > 0);
    edges
        .into_iter()
        .filter_map(|edge| {
            let source = position(edge.source)?;
            let last = firsts[source] + graph.vertices[source].chain.len().checked_sub(1)?;
            // Flink calls the only input of an operator its second one.
            let side = if has_two_inputs && edge.target_input == 0 { "first" } else { "second" };
            Some(predecessor(last, ship_strategy(&edge.partitioning), side))
        })
        .collect()
}

fn predecessor(id: usize, ship_strategy: &str, side: &str) -> Value {
    json!({ "id": id, "ship_strategy": ship_strategy, "side": side })
}

fn ship_strategy(partitioning: &Partitioning) -> &'static str {
    match partitioning {
        Partitioning::Forward => "FORWARD",
        Partitioning::Hash(_) => "HASH",
        Partitioning::Rebalance => "REBALANCE",
        Partitioning::Broadcast => "BROADCAST",
        Partitioning::Global => "GLOBAL",
    }
}

fn pact(spec: &OperatorSpec) -> &'static str {
    match spec {
        OperatorSpec::Source(_) | OperatorSpec::Values(_) => "Data Source",
        OperatorSpec::Sink(_) => "Data Sink",
        _ => "Operator",
    }
}

/// The short name of a node: the operator's name without its details.
fn node_type(spec: &OperatorSpec, name: &str) -> String {
    match spec {
        OperatorSpec::Source(source) => format!("Source: {}", source.table.path[2]),
        OperatorSpec::Sink(sink) => format!("Sink: {}", sink.table.path[2]),
        _ => name.split('(').next().unwrap_or(name).to_string(),
    }
}
