//! Stable names of operators.
//!
//! State is matched by these names when a changed query is restored, so they say what an operator is for: its kind and
//! the columns it is keyed by, not where it stands in the plan nor what else it computes. A number tells apart those
//! of one name.

use super::physical::{Node, Physical};
use headwater_plan::OperatorSpec;
use headwater_plan::operators::AggregatePhase;
use headwater_types::config::{Configuration, Key};
use std::collections::{HashMap, HashSet};

/// The form of names: text with `<id>` (a number of the plan), `<transformation>` (the stable name), `<type>`
/// (Flink's name of the operator kind) and `<version>`.
const FORMAT: Key = Key { name: "table.exec.uid.format", default: "<transformation>" };

/// The names of operators, by id.
pub fn uids(physical: &Physical, order: &[usize], config: &Configuration) -> HashMap<usize, String> {
    let format = config.text(FORMAT);
    let mut taken: HashSet<String> = HashSet::new();
    let mut names = HashMap::with_capacity(order.len());
    for (number, id) in order.iter().enumerate() {
        let node = physical.node(*id);
        let stable = format
            .replace("<transformation>", &logical_name(physical, node))
            .replace("<id>", &(number + 1).to_string())
            .replace("<type>", node.spec_name())
            .replace("<version>", "1")
            .replace("<name>", node.spec_name());
        let mut name = stable.clone();
        let mut next = 2;
        while !taken.insert(name.clone()) {
            name = format!("{stable}-{next}");
            next += 1;
        }
        names.insert(*id, name);
    }
    names
}

fn logical_name(physical: &Physical, node: &Node) -> String {
    let kind = match &node.spec {
        // Whether rows are aggregated before the exchange, too, depends on the parallelism; the state does not.
        OperatorSpec::WindowAggregate(spec) if spec.phase == AggregatePhase::Global => "window-aggregate".to_owned(),
        // Nor on whether they are in a continuous one.
        OperatorSpec::GroupAggregate(spec) if spec.phase == AggregatePhase::Global => "group-aggregate".to_owned(),
        _ => kebab(node.spec_name()),
    };
    match detail(physical, node) {
        Some(detail) => format!("{kind}[{detail}]"),
        None => kind,
    }
}

/// `GroupAggregate` as `group-aggregate`.
fn kebab(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for (position, letter) in name.chars().enumerate() {
        if letter.is_ascii_uppercase() && position > 0 {
            text.push('-');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

fn detail(physical: &Physical, node: &Node) -> Option<String> {
    let names = |port: usize| &physical.node(node.inputs[port].producers[0]).names;
    let list = |keys: &[usize]| keys.iter().map(|k| names(0)[*k].as_str()).collect::<Vec<_>>().join(",");
    let pairs = |left: &[usize], right: &[usize]| {
        let pair = |(l, r): (&usize, &usize)| format!("{}={}", names(0)[*l], names(1)[*r]);
        left.iter().zip(right).map(pair).collect::<Vec<_>>().join(",")
    };
    Some(match &node.spec {
        OperatorSpec::Source(source) => source.table.path.join("."),
        OperatorSpec::Sink(sink) => sink.table.path.join("."),
        OperatorSpec::GroupAggregate(spec) => list(&spec.keys),
        OperatorSpec::WindowAggregate(spec) => list(&spec.keys),
        OperatorSpec::WindowRank(spec) => list(&spec.keys),
        OperatorSpec::Rank(spec) => list(&spec.keys),
        OperatorSpec::Deduplicate(spec) => list(&spec.keys),
        OperatorSpec::OverAggregate(spec) => list(&spec.keys),
        OperatorSpec::MatchRecognize(spec) => list(&spec.keys),
        OperatorSpec::ChangelogNormalize(spec) => list(&spec.keys),
        OperatorSpec::SinkMaterialize(spec) => list(&spec.keys),
        OperatorSpec::WindowJoin(spec) => pairs(&spec.left_keys, &spec.right_keys),
        OperatorSpec::Join(spec) => pairs(&spec.left_keys, &spec.right_keys),
        OperatorSpec::IntervalJoin(spec) => pairs(&spec.left_keys, &spec.right_keys),
        OperatorSpec::TemporalJoin(spec) => pairs(&spec.left_keys, &spec.right_keys),
        OperatorSpec::WatermarkAssigner(spec) => names(0)[spec.rowtime].clone(),
        _ => return None,
    })
}
