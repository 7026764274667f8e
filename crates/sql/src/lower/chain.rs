//! From the physical plan to the job graph: parallelism, chains, edges.

use super::physical::{Parallelism, Physical};
use super::text;
use headwater_plan::Partitioning;
use headwater_plan::graph::{Edge, JobGraph, OperatorNode, Vertex};
use headwater_types::config::{self, Configuration};
use headwater_types::ids::VertexId;
use headwater_types::key_group::{MAX_PARALLELISM_LIMIT, derive_max_parallelism};
use headwater_types::{Error, Result};
use std::collections::HashMap;

/// Builds the job graph of the operators that `roots` need.
pub fn job_graph(
    name: &str,
    physical: &Physical,
    roots: &[usize],
    uids: &HashMap<usize, String>,
    config: &Configuration,
) -> Result<JobGraph> {
    let order = physical.reachable(roots);
    let parallelism = parallelisms(physical, &order, config)?;
    let heads = chain_heads(physical, &order, &parallelism);
    let mut vertex_of: HashMap<usize, VertexId> = HashMap::new();
    let mut vertices: Vec<Vertex> = vec![];
    for id in &order {
        let operator = operator(physical, *id, uids);
        if let Some(producer) = heads.get(id) {
            let vertex = vertex_of[producer];
            vertices[vertex.0 as usize].chain.push(operator);
            vertex_of.insert(*id, vertex);
            continue;
        }
        let vertex = VertexId(vertices.len() as u32);
        vertices.push(Vertex { id: vertex, name: String::new(), parallelism: parallelism[id], chain: vec![operator] });
        vertex_of.insert(*id, vertex);
    }
    for vertex in &mut vertices {
        let names: Vec<_> = vertex.chain.iter().map(|o| o.name.as_str()).collect();
        vertex.name = names.join(" -> ");
    }
    let edges = edges(physical, &order, &heads, &vertex_of, &vertices);
    let widest = vertices.iter().map(|v| v.parallelism).max().unwrap_or(1);
    let max_parallelism = max_parallelism(config, widest)?;
    Ok(JobGraph { name: name.to_owned(), max_parallelism, vertices, edges, config: config.clone() })
}

fn max_parallelism(config: &Configuration, widest: u32) -> Result<u32> {
    let configured = config.integer(config::MAX_PARALLELISM)?;
    if configured < 1 {
        return Ok(derive_max_parallelism(widest));
    }
    if configured < i64::from(widest) || configured > i64::from(MAX_PARALLELISM_LIMIT) {
        let name = config::MAX_PARALLELISM.name;
        let message = format!(
            "'{name}' is {configured}: it must be at least the largest parallelism, {widest}, and at most {MAX_PARALLELISM_LIMIT}"
        );
        return Err(Error::user("bad-config-value", message));
    }
    Ok(configured as u32)
}

/// `parallelism.default`, checked.
pub fn default_parallelism(config: &Configuration) -> Result<u32> {
    let configured = config.integer(config::PARALLELISM_DEFAULT)?;
    match u32::try_from(configured) {
        Ok(parallelism) if (1..=MAX_PARALLELISM_LIMIT).contains(&parallelism) => Ok(parallelism),
        _ => {
            let name = config::PARALLELISM_DEFAULT.name;
            let message = format!("'{name}' is {configured}: expected a number from 1 to {MAX_PARALLELISM_LIMIT}");
            Err(Error::user("bad-config-value", message))
        }
    }
}

fn parallelisms(physical: &Physical, order: &[usize], config: &Configuration) -> Result<HashMap<usize, u32>> {
    let default = default_parallelism(config)?;
    let mut known: HashMap<usize, u32> = HashMap::new();
    for id in order {
        let node = physical.node(*id);
        let inherited = || {
            let producers = node.inputs.iter().flat_map(|i| &i.producers);
            producers.map(|p| known[p]).max().unwrap_or(default)
        };
        let parallelism = match node.parallelism {
            Parallelism::Default => default,
            Parallelism::Fixed(n) => n,
            Parallelism::Inherit => inherited(),
        };
        known.insert(*id, parallelism);
    }
    Ok(known)
}

/// The operators that are chained to their only producer, by id, with that producer.
fn chain_heads(physical: &Physical, order: &[usize], parallelism: &HashMap<usize, u32>) -> HashMap<usize, usize> {
    let mut consumers: HashMap<usize, usize> = HashMap::new();
    for id in order {
        for producer in physical.node(*id).inputs.iter().flat_map(|i| &i.producers) {
            *consumers.entry(*producer).or_default() += 1;
        }
    }
    let chained = order.iter().filter_map(|id| {
        let [input] = &physical.node(*id).inputs[..] else { return None };
        let [producer] = input.producers[..] else { return None };
        let alone = consumers[&producer] == 1 && input.partitioning == Partitioning::Forward;
        (alone && parallelism[&producer] == parallelism[id]).then_some((*id, producer))
    });
    chained.collect()
}

fn edges(
    physical: &Physical,
    order: &[usize],
    heads: &HashMap<usize, usize>,
    vertex_of: &HashMap<usize, VertexId>,
    vertices: &[Vertex],
) -> Vec<Edge> {
    let mut edges = vec![];
    for id in order.iter().filter(|id| !heads.contains_key(id)) {
        for (port, input) in physical.node(*id).inputs.iter().enumerate() {
            for producer in &input.producers {
                let (source, target) = (vertex_of[producer], vertex_of[id]);
                let same = vertices[source.0 as usize].parallelism == vertices[target.0 as usize].parallelism;
                let partitioning = match &input.partitioning {
                    Partitioning::Forward if !same => Partitioning::Rebalance,
                    other => other.clone(),
                };
                edges.push(Edge { source, target, target_input: port as u8, partitioning });
            }
        }
    }
    edges
}

fn operator(physical: &Physical, id: usize, uids: &HashMap<usize, String>) -> OperatorNode {
    let node = physical.node(id);
    let row = |n: &super::physical::Node| n.names.iter().cloned().zip(n.types.iter().cloned()).collect();
    let inputs = node.inputs.iter().map(|i| row(physical.node(i.producers[0]))).collect();
    OperatorNode {
        uid: uids[&id].clone(),
        name: text::describe(physical, id),
        spec: node.spec.clone(),
        inputs,
        output: row(node),
        emits_changes: node.emits_changes,
    }
}
