//! Opening the runs that a manifest names.
//!
//! Whoever restores, merges or queries state reads it through here: a run is restricted to the groups it counts for,
//! and its entries come as those of the table that is wanted, whatever the table was when the run was written.

use crate::groups::GroupSet;
use crate::manifest::Run;
use headwater_data::run::{self, EntryRef, EntryStream, RunStream, RunWriter};
use headwater_state::{RestoredRun, TableDescriptor, rewritten};
use headwater_types::Result;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// A run in storage, opened: its directory is read, its blocks are not.
pub struct StoredRun {
    run: run::Run,
    groups: GroupSet,
    /// What the table was when the run was written.
    descriptor: TableDescriptor,
}

impl StoredRun {
    /// Opens a run. `read` reads a range of bytes of a file of the manifest; it may block.
    ///
    /// # Errors
    /// `Corruption` when the run is cut short or damaged, `User` when a newer version wrote it, naming the file; what
    /// `read` returns.
    pub fn open(run: &Run, read: impl Fn(&str, Range<u64>) -> Result<Vec<u8>> + Send + Sync + 'static) -> Result<Self> {
        let place = run.place.clone();
        let name = place.file.clone();
        let read = move |range: Range<u64>| read(&place.file, place.offset + range.start..place.offset + range.end);
        let opened = run::Run::open(name, run.place.bytes, Arc::new(read))?;
        let descriptor = TableDescriptor::from_header(opened.header())?;
        Ok(Self { run: opened, groups: run.groups.clone(), descriptor })
    }

    /// The same run, of which a reader takes about so much memory; see [`run::Run::within`].
    #[must_use]
    pub fn within(self, memory_bytes: u64) -> Self {
        Self { run: self.run.within(memory_bytes), ..self }
    }

    /// What the table was when the run was written.
    pub fn descriptor(&self) -> &TableDescriptor {
        &self.descriptor
    }

    /// Its entries in its groups, as those of a table that is `wanted`. Entries that get a time to live by that live
    /// from `now_ms` on.
    ///
    /// # Errors
    /// `state-incompatible` when the table was another one.
    pub fn read(&self, wanted: &TableDescriptor, now_ms: i64) -> Result<Box<dyn EntryStream + Send>> {
        rewritten(Box::new(self.slices()), &self.descriptor, wanted, now_ms)
    }

    /// Whether its entries are stored in order.
    pub fn is_sorted(&self) -> bool {
        self.run.is_sorted()
    }

    /// Calls `visit` with its entries in its groups as they were written.
    ///
    /// # Errors
    /// When the run cannot be read; what `visit` returns.
    pub fn visit_written(&self, mut visit: impl FnMut(EntryRef<'_>) -> Result<()>) -> Result<()> {
        if !self.run.is_sorted() {
            let groups: Vec<Range<u32>> = self.groups.ranges().collect();
            return self.run.visit_unsorted(&groups, visit);
        }
        let mut slices = self.slices();
        while slices.advance()? {
            visit(slices.entry())?;
        }
        Ok(())
    }

    /// A sorted run of what it holds in its groups: its bytes, and the number of its entries.
    ///
    /// # Errors
    /// When the run cannot be read.
    pub fn to_sorted(&self) -> Result<(Vec<u8>, u64)> {
        let mut bytes = vec![];
        let entries = RunWriter::new(self.run.header())?.write_all(&mut self.slices(), &mut |part| {
            bytes.extend_from_slice(part);
            Ok(())
        })?;
        Ok((bytes, entries))
    }

    fn slices(&self) -> Slices {
        Slices { streams: self.groups.ranges().map(|groups| self.run.read(groups)).collect() }
    }

    /// The run as an engine reads it where it is. `advice`: what to do when it is damaged.
    pub fn in_place(self, advice: &str) -> RestoredRun {
        let groups = self.groups.ranges().collect();
        RestoredRun { descriptor: self.descriptor, run: self.run.with_advice(advice), groups }
    }
}

/// The entries of one run in its groups: its slices behind each other.
struct Slices {
    streams: VecDeque<RunStream>,
}

impl EntryStream for Slices {
    fn advance(&mut self) -> Result<bool> {
        while let Some(stream) = self.streams.front_mut() {
            if stream.advance()? {
                return Ok(true);
            }
            if self.streams.len() == 1 {
                return Ok(false);
            }
            self.streams.pop_front();
        }
        Ok(false)
    }

    fn entry(&self) -> EntryRef<'_> {
        self.streams[0].entry()
    }
}
