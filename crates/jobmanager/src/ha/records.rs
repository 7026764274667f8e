//! The jobs of a cluster, as whoever leads finds them. Everything here blocks and runs on I/O threads.

use super::election::Leadership;
use super::lease::{Lease, deposed};
use super::options::HaOptions;
use crate::archive::Archive;
use headwater_env::Storage;
use headwater_storage::join;
use headwater_types::ids::JobId;
use headwater_types::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;
use std::sync::Arc;

const JOBS: &str = "jobs/";

/// The jobs of a cluster during the term of a leader.
#[derive(Clone)]
pub struct Records {
    storage: Arc<dyn Storage>,
    lease: Arc<dyn Lease>,
    generation: u64,
    uri: String,
}

/// A job that was accepted and has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRecord {
    /// The job.
    pub job: JobId,
    /// The encoded job graph.
    pub plan: Vec<u8>,
    /// When it was submitted, milliseconds since the epoch.
    pub submitted_ms: i64,
    /// What it starts from.
    pub latest: Option<Latest>,
}

/// A completed checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latest {
    /// Its number.
    pub checkpoint: u64,
    /// Where it is.
    pub path: String,
    /// The TaskManager of each slot at that time, by name: copies of its state may be there.
    #[serde(default)]
    pub places: Vec<(u32, String)>,
}

/// What is known of a job beside its graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Accepted {
    name: String,
    submitted_ms: i64,
    /// Term in which it was accepted.
    generation: u64,
}

impl Records {
    /// The records of a cluster, for its leader.
    pub fn new(options: &HaOptions, leadership: &Leadership) -> Self {
        let (storage, lease) = (options.storage.clone(), leadership.lease());
        Self { storage, lease, generation: leadership.generation(), uri: options.uri.clone() }
    }

    /// Records of a term whose lease somebody else keeps.
    pub fn of(storage: Arc<dyn Storage>, lease: Arc<dyn Lease>, generation: u64) -> Self {
        Self { storage, lease, generation, uri: "memory://ha".to_owned() }
    }

    /// Number of the term.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Where checkpoints go of jobs that do not say it.
    pub(crate) fn checkpoint_directory(&self) -> String {
        join(&self.uri, "checkpoints")
    }

    /// Fails when the term is over. What was written before and is true now is seen by the next leader.
    pub(crate) fn check(&self) -> Result<()> {
        match self.lease.generation()? {
            found if found == self.generation => Ok(()),
            found => Err(deposed(self.generation, found)),
        }
    }

    /// Accepts a job: from now on it outlives the JobManager.
    pub(crate) fn accept(&self, job: JobId, name: &str, plan: &[u8], now_ms: i64) -> Result<()> {
        self.storage.put(&file(job, "plan"), plan)?;
        let accepted = Accepted { name: name.to_owned(), submitted_ms: now_ms, generation: self.generation };
        self.storage.put(&file(job, "job"), &encode(&accepted)?)?;
        self.check()
    }

    /// A job that was accepted has another plan.
    pub(crate) fn replan(&self, job: JobId, plan: &[u8]) -> Result<()> {
        self.check()?;
        self.storage.put(&file(job, "plan"), plan)
    }

    /// Nothing is remembered of a job: it could not be started, or is one of many that have ended.
    pub(crate) fn forget(&self, job: JobId) -> Result<()> {
        for object in self.storage.list(&format!("{JOBS}{job}/"))? {
            self.storage.delete(&object.path)?;
        }
        Ok(())
    }

    /// A checkpoint is complete. When this returns, whoever leads next starts from it or from a later one.
    pub(crate) fn completed(&self, job: JobId, latest: &Latest) -> Result<()> {
        self.storage.put(&latest_file(job, self.generation), &encode(&Some(latest))?)?;
        self.check()
    }

    /// A job has ended: nobody starts it again. Its plan and what people may ask of it stay.
    pub(crate) fn ended(&self, job: JobId, archive: &Archive) -> Result<()> {
        self.check()?;
        self.storage.put(&file(job, "ended"), &encode(archive)?)?;
        let obsolete = self.storage.list(&format!("{JOBS}{job}/"))?;
        let kept = [file(job, "ended"), file(job, "plan")];
        obsolete.iter().filter(|object| !kept.contains(&object.path)).try_for_each(|o| self.storage.delete(&o.path))
    }

    /// The jobs that have not ended, and those that have. What each starts from is recorded for this term, so that later
    /// leaders start from there, too: a checkpoint that an earlier leader records only now, when it is deposed, would be
    /// from before the start of tasks that have cut off the output behind what they started from.
    pub(crate) fn read(&self) -> Result<(Vec<JobRecord>, Vec<JobId>)> {
        let mut files: BTreeMap<JobId, Vec<String>> = BTreeMap::new();
        for object in self.storage.list(JOBS)? {
            let Some((job, name)) = object.path.strip_prefix(JOBS).and_then(|rest| rest.split_once('/')) else {
                continue;
            };
            if let Some(job) = parse_job(job) {
                files.entry(job).or_default().push(name.to_owned());
            }
        }
        let (mut jobs, mut ended) = (vec![], vec![]);
        for (job, names) in files {
            let has = |name: &str| names.iter().any(|known| known == name);
            if has("ended") {
                ended.push(job);
            } else if has("job") && has("plan") {
                jobs.push(self.read_job(job, &names)?);
            }
        }
        self.check()?;
        Ok((jobs, ended))
    }

    /// A job that has ended, with its encoded plan. One that cannot be read is left out: nothing but what people see
    /// depends on it.
    pub(crate) fn read_ended(&self, job: JobId) -> Option<(Archive, Vec<u8>)> {
        let read = || -> Result<Option<(Archive, Vec<u8>)>> {
            let archive = self.get::<Archive>(&file(job, "ended"))?;
            Ok(archive.zip(self.storage.get(&file(job, "plan"))?))
        };
        read().unwrap_or_else(|error| {
            tracing::warn!(%job, error = error.message(), "what is known of a job that has ended cannot be read");
            None
        })
    }

    fn read_job(&self, job: JobId, names: &[String]) -> Result<JobRecord> {
        let plan = self.storage.get(&file(job, "plan"))?;
        let plan = plan.ok_or_else(|| corrupt(&file(job, "plan")))?;
        let accepted: Accepted = self.get(&file(job, "job"))?.ok_or_else(|| corrupt(&file(job, "job")))?;
        // Every leader records what it starts from, so that of the latest term is the latest.
        let terms = names.iter().filter_map(|name| name.strip_prefix("latest/")?.parse::<u64>().ok());
        let term = terms.filter(|term| *term <= self.generation).max();
        let latest: Option<Latest> = match term {
            Some(term) => self.get::<Option<Latest>>(&latest_file(job, term))?.flatten(),
            None => None,
        };
        if term != Some(self.generation) {
            self.storage.put(&latest_file(job, self.generation), &encode(&latest)?)?;
        }
        Ok(JobRecord { job, plan, submitted_ms: accepted.submitted_ms, latest })
    }

    fn get<T: DeserializeOwned>(&self, file: &str) -> Result<Option<T>> {
        let content = self.storage.get(file)?;
        content.map(|content| serde_json::from_slice(&content).map_err(|e| corrupt(file).with_source(e))).transpose()
    }
}

fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|e| Error::internal("a record cannot be encoded").with_source(e))
}

fn corrupt(file: &str) -> Error {
    let message = format!("the record '{file}' of the cluster is damaged");
    Error::new(ErrorKind::Corruption, "ha-record-corrupt", message)
}

fn file(job: JobId, name: &str) -> String {
    format!("{JOBS}{job}/{name}")
}

fn latest_file(job: JobId, generation: u64) -> String {
    file(job, &format!("latest/{generation:020}"))
}

fn parse_job(text: &str) -> Option<JobId> {
    u128::from_str_radix(text, 16).ok().filter(|_| text.len() == 32).map(JobId)
}
