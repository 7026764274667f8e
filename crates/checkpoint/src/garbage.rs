//! Which files may go.
//!
//! A file lives as long as a retained manifest names it, tasks run that were restored from one that does and may still
//! read it, or a manifest to come may name it. What a checkpoint to come may name
//! follows from how it is made: the runs of the last completed checkpoint `K`, which `K`'s manifest names; files
//! that subtasks wrote for checkpoints after `K`; and merged runs that have not made it into a manifest. So a file
//! of a checkpoint up to `K` that no retained manifest names is garbage, whoever wrote it and however late.

use crate::layout::{FileRole, role_of};
use crate::manifest::Manifest;
use std::collections::{BTreeMap, BTreeSet};

/// What must not be deleted.
#[derive(Debug, Clone, Default)]
pub struct Roots {
    /// Retained checkpoints and the files their manifests name.
    retained: BTreeMap<u64, BTreeSet<String>>,
    /// Files that the tasks of an attempt were restored from, by attempt.
    pinned: BTreeMap<u32, BTreeSet<String>>,
    /// Files that a merge under way writes or a later manifest will name.
    pub merged: BTreeSet<String>,
}

impl Roots {
    /// Adds a retained checkpoint.
    pub fn retain(&mut self, manifest: &Manifest) {
        let files = manifest.files().into_iter().map(str::to_owned).collect();
        self.retained.insert(manifest.checkpoint, files);
    }

    /// The tasks of an attempt start from a manifest, and may read its files as long as they run.
    pub fn pin(&mut self, attempt: u32, manifest: &Manifest) {
        self.pinned.insert(attempt, manifest.files().into_iter().map(str::to_owned).collect());
    }

    /// Forgets what attempts were restored from that do not run any more.
    pub fn unpin(&mut self, runs: impl Fn(u32) -> bool) {
        self.pinned.retain(|attempt, _| runs(*attempt));
    }

    /// The files of the newest retained checkpoint, and those that a later one will name.
    pub fn newest(&self) -> BTreeSet<String> {
        let newest = self.retained.values().next_back().into_iter().flatten();
        newest.chain(&self.merged).cloned().collect()
    }

    /// Numbers of the retained checkpoints, oldest first.
    pub fn checkpoints(&self) -> impl DoubleEndedIterator<Item = u64> + '_ {
        self.retained.keys().copied()
    }

    /// Forgets the oldest checkpoints until `keep` are left; their numbers.
    pub fn release(&mut self, keep: usize) -> Vec<u64> {
        let excess = self.retained.len().saturating_sub(keep);
        let released: Vec<u64> = self.retained.keys().take(excess).copied().collect();
        released.iter().for_each(|checkpoint| drop(self.retained.remove(checkpoint)));
        released
    }

    /// Those of `files` that may be deleted, manifests first: a checkpoint must not be found when parts of it are
    /// gone already; and the newest last, because an older one must not be taken for it: what the sinks committed
    /// since would be written twice. `latest` is the last completed checkpoint.
    pub fn garbage<'a>(&self, files: impl IntoIterator<Item = &'a str>, latest: u64) -> Vec<String> {
        let (mut manifests, mut others) = (vec![], vec![]);
        for file in files {
            let Some(role) = role_of(file) else { continue };
            if !self.is_garbage(file, role, latest) {
                continue;
            }
            match role {
                FileRole::Manifest(checkpoint) => manifests.push((checkpoint, file.to_owned())),
                _ => others.push(file.to_owned()),
            }
        }
        manifests.sort_unstable();
        manifests.into_iter().map(|(_, file)| file).chain(others).collect()
    }

    fn is_garbage(&self, file: &str, role: FileRole, latest: u64) -> bool {
        let named = || self.retained.values().chain(self.pinned.values()).any(|files| files.contains(file));
        match role {
            FileRole::Manifest(checkpoint) => checkpoint <= latest && !self.retained.contains_key(&checkpoint),
            FileRole::Blob(checkpoint) | FileRole::Run(checkpoint) => checkpoint <= latest && !named(),
            FileRole::Merged(checkpoint) => checkpoint <= latest && !self.merged.contains(file) && !named(),
        }
    }
}

#[cfg(test)]
mod tests;
