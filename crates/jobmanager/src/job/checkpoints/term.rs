//! Checkpoints in the records of the cluster: the next leader starts from what this one commits.

use crate::ha::{Latest, Records};
use crate::store::Store;
use headwater_checkpoint::Manifest;
use headwater_types::ids::JobId;
use headwater_types::{ErrorKind, Result};

/// The term in which a checkpoint is stored.
pub(super) struct Term {
    /// `None` where jobs end with their JobManager.
    pub(super) records: Option<Records>,
    pub(super) job: JobId,
    /// Where its slots are.
    pub(super) places: Vec<(u32, String)>,
    /// The job ends behind it.
    pub(super) is_final: bool,
}

impl Term {
    /// Writes the manifest of a checkpoint and records it; where it is.
    pub(super) fn write_checkpoint(&self, store: &Store, manifest: &Manifest) -> Result<String> {
        let written = store.write_checkpoint(manifest);
        let path = match (written, &self.records) {
            (Err(error), Some(records)) if error.kind() == ErrorKind::Fenced => {
                // Whoever wrote it lost the lease before it could record it, so nobody started from it or ever will.
                records.check()?;
                store.replace_checkpoint(manifest)?
            }
            (written, _) => written?,
        };
        self.record(manifest.checkpoint, &path)?;
        Ok(path)
    }

    /// Writes a savepoint; if the job ends behind it, it is what the next leader would start from.
    pub(super) fn write_savepoint(&self, store: &Store, manifest: &mut Manifest, target: &Store) -> Result<String> {
        let path = store.write_savepoint(manifest, target)?;
        if self.is_final {
            self.record(manifest.checkpoint, &path)?;
        }
        Ok(path)
    }

    fn record(&self, checkpoint: u64, path: &str) -> Result<()> {
        let latest = Latest { checkpoint, path: path.to_owned(), places: self.places.clone() };
        self.records.as_ref().map_or(Ok(()), |records| records.completed(self.job, &latest))
    }
}
