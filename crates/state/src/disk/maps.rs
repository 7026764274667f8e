//! An ordered map per key on disk.

use super::flush::Flusher;
use super::set_aside::SetAside;
use super::store::Store;
use super::table::Table;
use super::{CHECK_INTERVAL, EVICT_PLACES, Shares, sort_keys};
use crate::context::RestoredRun;
use crate::engine::{Bounds, Changes, EngineContext, Expired, Maps, VisitMaps, VisitUntil};
use crate::heap::{HeapMaps, KeyId};
use crate::memory::Account;
use headwater_data::key_codec::EncodedKeys;
use headwater_data::run::{Entries, EntryRef};
use headwater_env::Env;
use headwater_types::Result;
use std::cmp::Ordering;
use std::ops::{Bound, ControlFlow};

/// A key's map is kept whole in memory up to so many entries and bytes.
const WHOLE_ENTRIES: usize = 256;
const WHOLE_BYTES: usize = 64 << 10;

/// Overlay, cache and tree of a table of maps.
pub(crate) struct DiskMaps {
    heap: HeapMaps,
    flusher: Flusher,
    table: Table,
    account: Account,
    env: Env,
    set_aside: Vec<SetAside>,
    shares: Shares,
    accesses: u32,
}

const ALL: Bounds<'static> = (Bound::Unbounded, Bound::Unbounded);

impl DiskMaps {
    pub fn new(store: Store, context: &EngineContext) -> Self {
        let (shares, table) = (Shares::of(&store), Table::new(store, context));
        let account = Account::new(context.lease.clone());
        let heap = HeapMaps::caching(context.groups);
        let flusher = Flusher::new(&table, &context.env);
        Self { heap, flusher, table, account, env: context.env.clone(), set_aside: vec![], shares, accesses: 0 }
    }

    /// A key that is only written: the tree is not asked.
    fn find_or_add(&mut self, key: &[u8]) -> Result<KeyId> {
        self.make_room()?;
        let id = self.heap.find_or_add(self.heap.hash(key), key)?;
        self.heap.touch(id);
        Ok(id)
    }

    /// A key that is read: its map comes to memory if it is small.
    fn fetch(&mut self, key: &[u8]) -> Result<KeyId> {
        let id = self.find_or_add(key)?;
        if self.heap.is_asked(id) {
            return Ok(id);
        }
        let group = self.heap.hash(key).group;
        if !self.table.may_have(group, key)? {
            self.heap.set_asked(id, true);
            return Ok(id);
        }
        let (heap, mut entries, mut bytes) = (&mut self.heap, 0, 0);
        let mut complete = true;
        self.table.scan((group, key), ALL, false, &mut |map_key, value| {
            entries += 1;
            bytes += map_key.len() + value.len();
            complete = entries <= WHOLE_ENTRIES && bytes <= WHOLE_BYTES;
            if complete {
                heap.load(id, map_key, Some(value))?;
            }
            Ok(complete)
        })?;
        heap.set_asked(id, complete);
        Ok(id)
    }

    /// As of [`super::DiskValues`]; what is evicted are the entries of a key.
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
        let mut places = 0;
        while places < EVICT_PLACES {
            places += match self.heap.next_swept() {
                Some((id, false)) => self.heap.evict_some(id),
                _ => 1,
            };
        }
        Ok(())
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

    /// Scans a key that is not whole in memory: merges the overlay over the tree.
    fn scan_merged(
        &mut self,
        (id, key): (KeyId, &[u8]),
        bounds: Bounds<'_>,
        reverse: bool,
        visit: VisitUntil<'_>,
    ) -> Result<()> {
        let mut overlay = Entries::new();
        self.heap.scan(id, bounds, reverse, &mut |map_key, value| {
            overlay.push(EntryRef { group: 0, key: &[], map_key, value });
            ControlFlow::Continue(())
        });
        let mut merge = Overlay { entries: &overlay, next: 0, reverse };
        let mut broken = false;
        let group = self.heap.hash(key).group;
        self.table.scan((group, key), bounds, reverse, &mut |map_key, value| {
            let flow = merge.visit_before(Some(map_key), visit);
            let hidden = merge.skip(map_key);
            broken = flow.is_break() || (!hidden && visit(map_key, value).is_break());
            Ok(!broken)
        })?;
        if !broken {
            let _ = merge.visit_before(None, visit);
        }
        Ok(())
    }
}

/// What is left of the overlay during a merged scan.
struct Overlay<'a> {
    entries: &'a Entries,
    next: usize,
    reverse: bool,
}

impl Overlay<'_> {
    /// Visits the live entries that come before a map key of the tree, or all.
    fn visit_before(&mut self, map_key: Option<&[u8]>, visit: VisitUntil<'_>) -> ControlFlow<()> {
        let before = if self.reverse { Ordering::Greater } else { Ordering::Less };
        while self.next < self.entries.len() {
            let entry = self.entries.get(self.next);
            if map_key.is_some_and(|map_key| entry.map_key.cmp(map_key) != before) {
                break;
            }
            self.next += 1;
            if let Some(value) = entry.value {
                visit(entry.map_key, value)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// Whether the overlay's next entry replaces that of the tree; it is visited as the next one before.
    fn skip(&mut self, map_key: &[u8]) -> bool {
        self.next < self.entries.len() && self.entries.get(self.next).map_key == map_key
    }
}

impl Maps for DiskMaps {
    fn get(&mut self, key: &[u8], map_key: &[u8]) -> Result<Option<&[u8]>> {
        let id = self.fetch(key)?;
        if self.heap.entry(id, map_key).is_none() && !self.heap.is_complete(id) {
            let value = self.table.get(self.heap.hash(key).group, key, map_key)?;
            self.heap.load(id, map_key, value)?;
        }
        Ok(self.heap.get(id, map_key))
    }

    fn put(&mut self, key: &[u8], map_key: &[u8], value: [&[u8]; 2]) -> Result<()> {
        let id = self.find_or_add(key)?;
        self.heap.put(id, map_key, value)
    }

    fn delete(&mut self, key: &[u8], map_key: &[u8]) -> Result<()> {
        let id = self.find_or_add(key)?;
        if self.heap.is_complete(id) && self.heap.entry(id, map_key).is_none() {
            return Ok(());
        }
        self.heap.delete(id, map_key)
    }

    fn clear(&mut self, key: &[u8]) -> Result<()> {
        let id = self.fetch(key)?;
        if !self.heap.is_complete(id) {
            let group = self.heap.hash(key).group;
            let heap = &mut self.heap;
            self.table.scan((group, key), ALL, false, &mut |map_key, _| {
                heap.delete(id, map_key)?;
                Ok(true)
            })?;
        }
        self.heap.clear(id);
        Ok(())
    }

    fn is_empty(&mut self, key: &[u8]) -> Result<bool> {
        let mut empty = true;
        self.scan(key, ALL, false, &mut |_, _| {
            empty = false;
            ControlFlow::Break(())
        })?;
        Ok(empty)
    }

    fn scan(&mut self, key: &[u8], bounds: Bounds<'_>, reverse: bool, visit: VisitUntil<'_>) -> Result<()> {
        let id = self.fetch(key)?;
        if !self.heap.is_complete(id) {
            return self.scan_merged((id, key), bounds, reverse, visit);
        }
        self.heap.scan(id, bounds, reverse, &mut |map_key, value| match value {
            Some(value) => visit(map_key, value),
            None => ControlFlow::Continue(()),
        });
        Ok(())
    }

    fn prefetch(&mut self, keys: &EncodedKeys) -> Result<()> {
        let sorted = sort_keys(keys.iter().map(|key| (self.heap.hash(key).group, key)).collect());
        sorted.into_iter().try_for_each(|(_, key)| self.fetch(key).map(drop))
    }

    fn for_each(&mut self, visit: VisitMaps<'_>) -> Result<()> {
        self.flusher.finish(&mut self.heap)?;
        self.table.for_each(visit)
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
        match self.heap.next_swept() {
            Some((id, used)) => {
                if used {
                    self.heap.touch(id);
                }
                self.heap.delete_some(id, expired)
            }
            None => Ok(()),
        }
    }

    fn memory_bytes(&self) -> usize {
        self.heap.bytes()
    }
}
