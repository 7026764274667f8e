//! Numbers that grow with arrival, also over restarts: they keep rows of equal order in the order they came.
//!
//! Every subtask stores its next number and restores the greatest of all, so that a row is numbered above all stored
//! ones wherever its key group goes.

use headwater_state::{OperatorList, Redistribution, Snapshot, StateContext};
use headwater_types::Result;

/// The numbers of an operator.
pub(crate) struct Numbers {
    list: OperatorList,
    last: i64,
}

impl Numbers {
    pub(crate) fn open(state: &StateContext) -> Result<Self> {
        let list = state.operator_list("last-number", Redistribution::Union)?;
        let stored = list.items.iter().filter_map(|item| Some(i64::from_le_bytes(item.as_slice().try_into().ok()?)));
        let last = stored.max().unwrap_or(0);
        Ok(Self { list, last })
    }

    /// A number above all others.
    pub(crate) fn next(&mut self) -> i64 {
        self.last += 1;
        self.last
    }

    pub(crate) fn snapshot(&mut self, snapshot: &mut Snapshot) {
        self.list.items = vec![self.last.to_le_bytes().to_vec()];
        self.list.snapshot(snapshot);
    }
}
