//! One value per key on disk.

use super::flush::Flusher;
use super::set_aside::SetAside;
use super::store::Store;
use super::table::Table;
use super::{CHECK_INTERVAL, EVICT_PLACES, Shares, sort_keys};
use crate::context::RestoredRun;
use crate::engine::{Changes, EngineContext, Expired, Values, VisitValues};
use crate::heap::{DIRTY, FLIGHT, HeapValues, Ref, Swept, UNFLUSHED, USED};
use crate::memory::Account;
use headwater_data::key_codec::EncodedKeys;
use headwater_data::run::{Entries, EntryRef};
use headwater_env::Env;
use headwater_types::Result;

/// Overlay, cache and tree of a table of values.
pub(crate) struct DiskValues {
    heap: HeapValues,
    flusher: Flusher,
    table: Table,
    account: Account,
    env: Env,
    set_aside: Vec<SetAside>,
    shares: Shares,
    accesses: u32,
}

impl DiskValues {
    pub fn new(store: Store, context: &EngineContext) -> Self {
        let (shares, table) = (Shares::of(&store), Table::new(store, context));
        let account = Account::new(context.lease.clone());
        let heap = HeapValues::caching(context.groups);
        let flusher = Flusher::new(&table, &context.env);
        Self { heap, flusher, table, account, env: context.env.clone(), set_aside: vec![], shares, accesses: 0 }
    }

    /// The record of a key, from the tree if it is not in memory.
    fn fetch(&mut self, key: &[u8]) -> Result<Ref> {
        let hash = self.heap.hash(key);
        if let Some(record) = self.heap.find(hash, key) {
            self.heap.touch(record);
            return Ok(record);
        }
        self.make_room()?;
        let value = self.table.get(hash.group, key, &[])?;
        self.heap.load(hash, key, value)
    }

    /// Looks at memory use now and then: flushes the oldest changes, evicts what is clean, sets changes aside.
    fn make_room(&mut self) -> Result<()> {
        self.accesses += 1;
        if self.accesses < CHECK_INTERVAL {
            return Ok(());
        }
        self.accesses = 0;
        let overlay_bytes = self.heap.live_bytes();
        let is_overdrawn = self.account.set(overlay_bytes + self.flusher.bytes() + self.table.bytes());
        let short = is_overdrawn || overlay_bytes > self.shares.overlay_bytes;
        self.flusher.step(&mut self.heap, short)?;
        self.set_aside_changes(short);
        if !short {
            return Ok(());
        }
        self.heap.sweep(EVICT_PLACES, &mut |_, flags| match flags & (DIRTY | UNFLUSHED | FLIGHT | USED) {
            0 => Swept::Evict,
            _ => Swept::Keep,
        })
    }

    /// Does not keep more changes of the epoch in memory than there is room for.
    fn set_aside_changes(&mut self, short: bool) {
        let mut count = self.shares.to_set_aside(&self.heap, self.heap.dirty(), short);
        while count > 0 {
            let mut entries = Entries::new();
            self.heap.take_changes(count, &|_| false, &mut entries);
            let new = SetAside::new(entries, self.account.other(0));
            SetAside::push(&mut self.set_aside, new, self.table.store.files(), &self.env);
            count = self.shares.to_set_aside(&self.heap, self.heap.dirty(), false);
        }
    }
}

impl Values for DiskValues {
    fn get(&mut self, key: &[u8]) -> Result<Option<&[u8]>> {
        let record = self.fetch(key)?;
        Ok(self.heap.value(record))
    }

    fn put(&mut self, key: &[u8], value: [&[u8]; 2]) -> Result<()> {
        self.make_room()?;
        self.heap.put(self.heap.hash(key), key, value)
    }

    fn delete(&mut self, key: &[u8]) -> Result<()> {
        self.make_room()?;
        self.heap.delete(self.heap.hash(key), key)
    }

    fn prefetch(&mut self, keys: &EncodedKeys) -> Result<()> {
        // In the order of the tree, neighbours share blocks. Found ones are touched, so that they stay.
        let heap = &mut self.heap;
        let missing = keys.iter().filter_map(|key| {
            let hash = heap.hash(key);
            let found = heap.find(hash, key);
            found.into_iter().for_each(|record| heap.touch(record));
            found.is_none().then_some((hash.group, key))
        });
        let missing = sort_keys(missing.collect());
        missing.into_iter().try_for_each(|(_, key)| self.fetch(key).map(drop))
    }

    fn for_each(&mut self, visit: VisitValues<'_>) -> Result<()> {
        self.flusher.finish(&mut self.heap)?;
        self.table.for_each(&mut |key, _, value| visit(key, value))
    }

    fn load(&mut self, entry: EntryRef<'_>) -> Result<()> {
        self.table.load(entry)
    }

    fn adopt(&mut self, runs: Vec<RestoredRun>) -> Result<()> {
        self.table.adopt(runs)
    }

    fn finish_load(&mut self) -> Result<()> {
        self.table.finish_load()
    }

    fn take_changes(&mut self, expired: Expired<'_>) -> Changes {
        let mut changes = Changes { set_aside: std::mem::take(&mut self.set_aside), ..Changes::default() };
        self.heap.take_changes(usize::MAX, expired, &mut changes.entries);
        // Until the changes are uploaded the cache does with less.
        changes.account = Some(self.account.other(changes.entries.sorting_bytes()));
        changes.files = Some(self.table.store.files().clone());
        changes
    }

    fn clean_up(&mut self, expired: Expired<'_>) -> Result<()> {
        self.heap.sweep(1, &mut |value, _| match value {
            Some(value) if expired(value) => Swept::Delete,
            _ => Swept::Keep,
        })
    }

    fn memory_bytes(&self) -> usize {
        self.heap.bytes()
    }
}
