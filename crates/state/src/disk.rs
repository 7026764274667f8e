//! The disk engine: state larger than memory, in an LSM tree on local disk.
//!
//! ```text
//! get ──> overlay and cache (heap tables) ──miss──> tree
//! put ──> overlay ── oldest changes, a sorted batch at a time, by another thread ──> tree
//!            └── changes of the epoch ──> snapshot
//! ```
//!
//! An entry in memory may be *dirty* (the next snapshot needs it), *unflushed* (the tree has not seen it) and *in
//! flight* (it is being written to the tree); only entries that are neither are evicted, those first that were not
//! used for a while. A snapshot reads the overlay only, never the disk. An epoch that changes more than fits into
//! memory sets changes aside in local files. The directory is a cache of what checkpoints hold: emptied when opened,
//! filled by a restore.
//!
//! The tree ([`tree`]) is ours: sorted runs in files, in the run format of checkpoints but with small blocks as they
//! are. A get looks into a filter in memory for each run and reads one block, mostly from the system's page cache; that
//! is why there is no cache of blocks here, only one of entries. A restore hangs the runs of the checkpoint below the
//! tree and reads them where they are, while another thread makes them local.

mod cache;
mod compaction;
mod files;
mod flush;
mod maps;
mod scan;
mod sorted;
mod store;
mod table;
mod tree;
mod values;

pub(crate) use flush::Overlay;
pub(crate) use maps::DiskMaps;
pub(crate) use store::Store;
pub(crate) use values::DiskValues;

/// Places in memory looked at in search of something to evict.
const EVICT_PLACES: usize = 128;
/// Accesses between looks at memory use.
const CHECK_INTERVAL: u32 = 32;
/// Changes set aside at once: about a millisecond of copying.
const SET_ASIDE_ENTRIES: usize = 16 << 10;

/// Brings keys with their groups into the order of the tree, each once: neighbours share blocks.
fn sort_keys(mut keys: Vec<(u16, &[u8])>) -> Vec<(u16, &[u8])> {
    keys.sort_unstable();
    keys.dedup();
    keys
}
