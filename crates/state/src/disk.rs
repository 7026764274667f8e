//! The disk engine: state larger than memory, in an LSM tree (fjall) on local disk.
//!
//! ```text
//! get ──> overlay and cache (heap tables) ──miss──> LSM tree
//! put ──> overlay ── oldest changes, a sorted batch at a time, by another thread ──> LSM tree
//!            └── changes of the epoch ──> snapshot
//! ```
//!
//! An entry in memory may be *dirty* (the next snapshot needs it), *unflushed* (the tree has not seen it) and *in
//! flight* (it is being written to the tree); only entries that are neither are evicted, those first that were not
//! used for a while. A snapshot reads the overlay only, never the disk. An epoch that changes more than fits into
//! memory sets changes aside in local files. The directory is a cache of what checkpoints hold: emptied when opened,
//! filled by a restore.
//!
//! Keys of the tree ([`shape`]) make the entries of a key neighbours in the order of their map keys, and so the keys
//! of a group. Key and map key have 65,000 bytes at most.

mod flush;
mod maps;
mod shape;
mod store;
mod values;

pub(crate) use flush::{Mark, Overlay};
pub(crate) use maps::DiskMaps;
pub(crate) use store::Store;
pub(crate) use values::DiskValues;

/// Places in memory looked at in search of something to evict.
const EVICT_PLACES: usize = 128;
/// Accesses between looks at memory use.
const CHECK_INTERVAL: u32 = 32;
/// Changes set aside at once: about a millisecond of copying.
const SET_ASIDE_ENTRIES: usize = 16 << 10;
