//! Calls that need every value of a group to take rows back: MIN, MAX, FIRST_VALUE and LAST_VALUE over a changelog.
//!
//! The values are in a table of their own, so that a change costs the same in a large group as in a small one; the
//! accumulator holds the result.

use crate::aggregate::Accumulator;
use headwater_data::key_codec::EncodedKeys;
use headwater_state::{Snapshot, StateContext};
use headwater_types::Result;
use std::sync::Arc;

/// An accumulator with a table of values.
pub(super) trait KeptCall: Accumulator {
    /// Opens the table.
    fn open(&mut self, state: &StateContext) -> Result<()>;
    /// Starts a batch: empties all groups; group `i` is that of `keys[i]`.
    fn begin(&mut self, keys: Arc<EncodedKeys>);
    /// Forgets the values of a key.
    fn forget(&mut self, key: &[u8]) -> Result<()>;
    /// Hands over what changed.
    fn snapshot(&mut self, snapshot: &mut Snapshot);
}
