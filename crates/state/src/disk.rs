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
mod set_aside;
mod sorted;
mod store;
mod table;
mod tree;
mod values;

pub(crate) use files::Files;
pub(crate) use flush::Overlay;
pub(crate) use maps::DiskMaps;
pub(crate) use set_aside::{READERS_BYTES, SetAside};
pub(crate) use store::Store;
pub(crate) use values::DiskValues;

/// Places in memory looked at in search of something to evict.
const EVICT_PLACES: usize = 128;
/// Accesses between looks at memory use.
const CHECK_INTERVAL: u32 = 32;
/// Changes set aside at once: about a millisecond of copying.
const SET_ASIDE_ENTRIES: usize = 16 << 10;
/// How the memory of an operator instance is divided, in percent. What an overlay has taken once it does not give back,
/// so it never takes what others need: changes that are handed to a checkpoint and not uploaded, which are as many as
/// the overlay may have; batches on their way to the tree; changes that are being set aside.
const OVERLAY_PERCENT: u64 = 55;
const DIRTY_PERCENT: u64 = 16;
const SET_ASIDE_PERCENT: u64 = 3;
const SET_ASIDE_BYTES_MIN: usize = 64 << 10;

/// What an overlay may have in memory.
struct Shares {
    overlay_bytes: usize,
    /// Changes of the epoch, before some are set aside, and how many are at once.
    dirty_bytes: usize,
    set_aside_bytes: usize,
}

impl Shares {
    fn of(store: &Store) -> Self {
        let part = |percent| usize::try_from(store.cache_bytes() / 100 * percent).unwrap_or(usize::MAX);
        Self {
            overlay_bytes: part(OVERLAY_PERCENT),
            dirty_bytes: part(DIRTY_PERCENT),
            set_aside_bytes: part(SET_ASIDE_PERCENT).max(SET_ASIDE_BYTES_MIN),
        }
    }

    /// How many of the changes of an overlay to set aside; 0 for none. `short`: memory is.
    fn to_set_aside(&self, overlay: &impl Overlay, dirty: usize, short: bool) -> usize {
        let change_bytes = overlay.change_bytes().max(1);
        // More dirty than half of the memory: eviction would find little.
        let is_much = short && dirty > SET_ASIDE_ENTRIES.min(overlay.count() / 2);
        match is_much || dirty.saturating_mul(change_bytes) > self.dirty_bytes {
            true => (self.set_aside_bytes / change_bytes).clamp(1, SET_ASIDE_ENTRIES),
            false => 0,
        }
    }
}

/// Brings keys with their groups into the order of the tree, each once: neighbours share blocks.
fn sort_keys(mut keys: Vec<(u16, &[u8])>) -> Vec<(u16, &[u8])> {
    keys.sort_unstable();
    keys.dedup();
    keys
}
