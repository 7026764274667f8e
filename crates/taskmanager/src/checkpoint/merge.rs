//! Merging runs of a table into one, block by block, so that their size does not matter.

use headwater_checkpoint::GroupSet;
use headwater_checkpoint::compact::Merge;
use headwater_checkpoint::manifest::{Place, Run, RunKind, checksum};
use headwater_data::run::{self, EntryStream, RunStream, RunWriter};
use headwater_env::Storage;
use headwater_state::{TableDescriptor, rewritten};
use headwater_types::{Error, Result};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// The entries of one run in its groups: its slices behind each other.
struct Slices {
    streams: VecDeque<RunStream>,
}

/// A run in storage, opened.
pub(super) struct Opened {
    run: run::Run,
    groups: GroupSet,
    /// What the table was when the run was written.
    descriptor: TableDescriptor,
}

impl Opened {
    /// Opens a run.
    pub(super) fn open(storage: &Arc<dyn Storage>, run: &Run) -> Result<Self> {
        let (storage, place) = (storage.clone(), run.place.clone());
        let name = place.file.clone();
        let read = move |range: Range<u64>| {
            storage.get_range(&place.file, place.offset + range.start..place.offset + range.end)
        };
        let opened = run::Run::open(name, run.place.bytes, Arc::new(read))?;
        let descriptor = TableDescriptor::from_header(opened.header())?;
        Ok(Self { run: opened, groups: run.groups.clone(), descriptor })
    }

    /// Its entries, as those of a table that is `wanted`.
    pub(super) fn read(&self, wanted: &TableDescriptor, now_ms: i64) -> Result<Box<dyn EntryStream + Send>> {
        let streams = self.groups.ranges().map(|groups| self.run.read(groups)).collect();
        rewritten(Box::new(Slices { streams }), &self.descriptor, wanted, now_ms)
    }
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

    fn entry(&self) -> run::EntryRef<'_> {
        self.streams[0].entry()
    }
}

/// Merges runs into one file of storage. The newest run says what the table is.
pub(crate) fn merge(storage: &Arc<dyn Storage>, merge: &Merge, file: &str, now_ms: i64) -> Result<Run> {
    let opened = merge.runs.iter().map(|run| Opened::open(storage, run)).collect::<Result<Vec<_>>>()?;
    let descriptor = opened.last().map(|newest| newest.descriptor.clone());
    let descriptor = descriptor.ok_or_else(|| Error::internal("a merge of no runs"))?;
    let streams = opened.iter().map(|run| run.read(&descriptor, now_ms)).collect::<Result<Vec<_>>>()?;
    let mut merged = match merge.kind {
        RunKind::Base => run::Merge::live(streams),
        RunKind::Delta => run::Merge::deltas(streams),
    };
    let mut writer = RunWriter::new(&descriptor.to_header()?)?;
    let mut entries = 0u64;
    while merged.advance()? {
        writer.push(merged.entry())?;
        entries += 1;
    }
    let bytes = writer.finish()?;
    storage.put(file, &bytes)?;
    let place = Place { file: file.to_owned(), offset: 0, bytes: bytes.len() as u64, checksum: checksum(&bytes) };
    let (kind, checkpoint, groups) = (merge.kind, merge.checkpoint, merge.groups.clone());
    Ok(Run { kind, checkpoint, groups, entries, place })
}
