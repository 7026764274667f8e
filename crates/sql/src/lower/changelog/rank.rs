//! How each Top-N is kept up to date, the cheapest way first: over inserts only the kept rows are stored; over rows
//! that only ever move forward, too; else all rows.

use super::before::Facts;
use super::keys::Key;
use super::monotonic::{Change, only_improves};
use headwater_plan::OperatorSpec;
use headwater_plan::operators::{RankSpec, RankStrategy};
use std::collections::HashMap;

/// The strategies of the ranks of a plan.
#[derive(Default)]
pub struct Strategies {
    of: HashMap<usize, RankStrategy>,
}

impl Strategies {
    /// Chooses for every rank.
    pub fn choose(facts: &Facts<'_>, changes: &[Vec<Change>], can_omit: &[bool]) -> Self {
        let mut strategies = Self::default();
        for id in facts.order {
            if let OperatorSpec::Rank(rank) = &facts.physical.node(*id).spec {
                strategies.of.insert(*id, choose(facts, *id, rank, changes, can_omit));
            }
        }
        strategies
    }

    /// The strategy of a rank.
    pub fn of(&self, id: usize) -> RankStrategy {
        self.of.get(&id).cloned().unwrap_or(RankStrategy::Retract)
    }
}

fn choose(facts: &Facts<'_>, id: usize, rank: &RankSpec, changes: &[Vec<Change>], can_omit: &[bool]) -> RankStrategy {
    let node = facts.physical.node(id);
    let producers = &node.inputs[0].producers;
    if producers.iter().all(|p| facts.kinds[*p].is_append()) {
        return RankStrategy::Append;
    }
    let [producer] = producers[..] else { return RankStrategy::Retract };
    let holds_partition = |key: &&Key| rank.keys.iter().all(|column| key.contains(column));
    let key = facts.keys.of(producer).iter().find(holds_partition);
    let forward = only_improves(&rank.order, &changes[producer]);
    match key {
        Some(key) if forward && can_omit[producer] && !facts.kinds[producer].delete => {
            RankStrategy::Update(key.clone())
        }
        _ => RankStrategy::Retract,
    }
}
