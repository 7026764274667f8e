//! State of an operator instance that belongs to no key.

use crate::snapshot::{ListSnapshot, Snapshot};

/// How the items of all instances are spread over the instances of a restored job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redistribution {
    /// Each item to one instance, in turn (Flink's list state).
    Split,
    /// All items to every instance (Flink's union list state).
    Union,
    /// The items of one instance to every instance: they are the same in all (Flink's broadcast state).
    Broadcast,
}

/// A list of items of one operator instance. Written whole with every checkpoint, so keep it small.
#[derive(Debug)]
pub struct OperatorList {
    name: String,
    redistribution: Redistribution,
    /// The items; after a restore those this instance was given.
    pub items: Vec<Vec<u8>>,
}

impl OperatorList {
    pub(crate) fn new(name: String, redistribution: Redistribution, items: Vec<Vec<u8>>) -> Self {
        Self { name, redistribution, items }
    }

    /// Hands the items to a snapshot.
    pub fn snapshot(&self, snapshot: &mut Snapshot) {
        let (name, redistribution, items) = (self.name.clone(), self.redistribution, self.items.clone());
        snapshot.lists.push(ListSnapshot { name, redistribution, items });
    }
}
