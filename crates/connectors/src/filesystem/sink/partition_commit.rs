//! When a partition is complete: the options `sink.partition-commit.*`.
//!
//! A writer remembers the partitions it wrote to, and when each is complete: at once or some time after it was begun
//! (`process-time`), or when the watermark has passed the time that its values say (`partition-time`). With every
//! checkpoint it tells the committer its own time and these partitions; the committer marks those that are complete by
//! the time of the slowest writer, after it has committed their files. What is not marked yet is kept in the
//! checkpoints of the writers, so the committer needs no memory.

use super::partition_time::TimeExtractor;
use super::staged::Progress;
use super::{Plan, Root};
use headwater_connector_api::Options;
use headwater_connector_api::options::bad_option;
use headwater_types::{Error, MIN_WATERMARK, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Complete when no rows will follow, not earlier.
const AT_THE_END: i64 = i64::MAX;

/// How partitions are committed.
#[derive(Debug)]
pub(super) struct PartitionCommit {
    trigger: Trigger,
    delay_ms: i64,
    /// Name of the file that marks a complete partition.
    pub(super) success_file: String,
}

#[derive(Debug)]
enum Trigger {
    ProcessTime,
    PartitionTime(TimeExtractor),
}

impl PartitionCommit {
    /// What the options say; `None` when nothing marks complete partitions.
    pub(super) fn from_options(options: Options<'_>, partitions: &[String]) -> Result<Option<Self>> {
        let triggers = [("process-time", false), ("partition-time", true)];
        let by_partition = options.choice("sink.partition-commit.trigger", false, &triggers)?;
        let delay_ms = options.duration("sink.partition-commit.delay")?.unwrap_or_default().as_millis() as i64;
        let has_success_file = policies(options)?;
        let extractor = TimeExtractor::from_options(options, partitions)?;
        if !has_success_file {
            return Ok(None);
        }
        let trigger = match by_partition && !partitions.is_empty() {
            true => Trigger::PartitionTime(extractor),
            false => Trigger::ProcessTime,
        };
        let success_file = options.get("sink.partition-commit.success-file.name").unwrap_or("_SUCCESS").to_owned();
        if success_file.is_empty() || success_file.contains('/') {
            let name = "sink.partition-commit.success-file.name";
            return Err(bad_option(name, &success_file, "the name of a file, without a directory"));
        }
        Ok(Some(Self { trigger, delay_ms, success_file }))
    }

    /// From which time on a partition that was begun at `now_ms` is complete.
    fn complete_from(&self, plan: &Plan, directory: &str, now_ms: i64) -> Result<i64> {
        match &self.trigger {
            Trigger::ProcessTime if self.delay_ms == 0 => Ok(MIN_WATERMARK),
            Trigger::ProcessTime => Ok(now_ms.saturating_add(self.delay_ms)),
            Trigger::PartitionTime(extractor) => match extractor.time_ms(directory, &plan.partition_null)? {
                Some(time_ms) => Ok(time_ms.saturating_add(self.delay_ms)),
                None => Ok(AT_THE_END),
            },
        }
    }
}

/// Whether complete partitions get a success file.
fn policies(options: Options<'_>) -> Result<bool> {
    let name = "sink.partition-commit.policy.kind";
    let Some(kinds) = options.get(name) else { return Ok(false) };
    for kind in kinds.split(',').map(str::trim) {
        match kind {
            "success-file" => {}
            "metastore" => {
                let message = "the partition commit policy 'metastore' needs a metastore that the table is registered \
                               in, and tables over files have none: use 'success-file'";
                return Err(Error::unsupported(message));
            }
            "custom" => {
                let message = "the partition commit policy 'custom' runs a Java class: use 'success-file'";
                return Err(Error::unsupported(message));
            }
            other => return Err(bad_option(name, other, "success-file")),
        }
    }
    Ok(true)
}

/// Whether a partition that is complete from one time on is complete at another.
pub(super) fn is_complete(from_ms: i64, time_ms: i64) -> bool {
    from_ms < time_ms || time_ms == i64::MAX
}

/// The partitions of a writer that wait for their commit.
pub(super) struct Pending {
    by_watermark: bool,
    watermark: i64,
    /// By directory: from which time on it is complete.
    partitions: BTreeMap<String, i64>,
    /// Those of them that are known to be marked.
    marked: Arc<Mutex<BTreeSet<String>>>,
}

impl Pending {
    pub(super) fn new(plan: &Plan) -> Option<Self> {
        let commit = plan.commit.as_ref()?;
        Some(Self {
            by_watermark: matches!(commit.trigger, Trigger::PartitionTime(_)),
            watermark: MIN_WATERMARK,
            partitions: BTreeMap::new(),
            marked: Arc::default(),
        })
    }

    pub(super) fn restore(&mut self, partitions: &[(String, i64)]) {
        self.partitions.extend(partitions.iter().cloned());
    }

    /// Rows of a partition are about to be written.
    pub(super) fn add(&mut self, plan: &Plan, directory: &str, now_ms: i64) -> Result<()> {
        if let (Some(commit), false) = (&plan.commit, self.partitions.contains_key(directory)) {
            self.partitions.insert(directory.to_owned(), commit.complete_from(plan, directory, now_ms)?);
        }
        self.marked.lock().unwrap_or_else(PoisonError::into_inner).remove(directory);
        Ok(())
    }

    pub(super) fn watermark(&mut self, watermark: i64) {
        self.watermark = self.watermark.max(watermark);
    }

    fn time_ms(&self, now_ms: i64) -> i64 {
        if self.by_watermark { self.watermark } else { now_ms }
    }

    /// Whether a partition is complete as far as this writer knows.
    pub(super) fn is_complete(&self, directory: &str, now_ms: i64) -> bool {
        self.partitions.get(directory).is_some_and(|from_ms| is_complete(*from_ms, self.time_ms(now_ms)))
    }

    /// What the committer is told. Forgets what was marked meanwhile.
    pub(super) fn report(&mut self, plan: &Plan, now_ms: i64, end: bool) -> Option<Progress> {
        let time_ms = if end { i64::MAX } else { self.time_ms(now_ms) };
        let marked = std::mem::take(&mut *self.marked.lock().unwrap_or_else(PoisonError::into_inner));
        self.partitions.retain(|directory, _| !marked.contains(directory));
        self.look_for_marks(plan, now_ms);
        let pending = self.partitions.iter().map(|(directory, from_ms)| (directory.clone(), *from_ms)).collect();
        Some(Progress { time_ms, pending })
    }

    /// Finds out which partitions the committer has marked, in time for the next report.
    fn look_for_marks(&self, plan: &Plan, now_ms: i64) {
        let Some(commit) = &plan.commit else { return };
        let complete = self.partitions.keys().filter(|directory| self.is_complete(directory, now_ms));
        match &plan.root {
            Root::Local(root) => {
                let is_marked = |directory: &&String| root.join(directory).join(&commit.success_file).exists();
                let found = complete.filter(is_marked).cloned();
                self.marked.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
            }
            Root::Bucket { bucket, .. } => {
                let key = |directory: &String| (directory.clone(), plan.root.key(directory, &commit.success_file));
                let wanted: Vec<_> = complete.map(key).collect();
                if wanted.is_empty() {
                    return;
                }
                let (bucket, marked) = (bucket.clone(), self.marked.clone());
                headwater_storage::background(move || {
                    // A store that does not answer is asked again with the next checkpoint.
                    let is_marked = |(_, key): &(String, String)| matches!(bucket.head(key), Ok(Some(_)));
                    let found: Vec<_> = wanted.into_iter().filter(is_marked).map(|(directory, _)| directory).collect();
                    marked.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
                });
            }
        }
    }

    /// What a restored writer needs.
    pub(super) fn snapshot(&self) -> Option<Vec<(String, i64)>> {
        (!self.partitions.is_empty()).then(|| self.partitions.clone().into_iter().collect())
    }
}
