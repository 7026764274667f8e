//! Names of datasets and jobs become ids, and what is said of them is merged.

use super::{Batch, Entry, Tracked, Writes};
use crate::error::Result;
use crate::facts::{Facts, Job, Name};
use crate::store::record::{load, upsert};
use crate::store::rows::{self, DatasetRow, JobRow, JobTagRow, NEVER, name_key};
use std::collections::{BTreeMap, HashMap};

/// The type of a job that no event tells.
pub const UNKNOWN_KIND: &str = "UNKNOWN";

/// Names by location and key, with the time of their first use in the batch.
type Wanted<'b> = BTreeMap<(i64, String), Vec<(&'b Name, i64)>>;

impl<'b> Batch<'b> {
    fn wanted<I>(&self, entries: &'b [Entry], names: impl Fn(&'b Facts) -> I) -> Wanted<'b>
    where
        I: Iterator<Item = &'b Name>,
    {
        let mut earliest: HashMap<&'b Name, i64> = HashMap::new();
        for Entry { facts, .. } in entries {
            for name in names(facts) {
                let at = earliest.entry(name).or_insert(facts.at);
                *at = facts.at.min(*at);
            }
        }
        let mut wanted = Wanted::new();
        for (name, at) in earliest {
            let Some(location) = self.places.get(&name.place) else { continue };
            wanted.entry((*location, name_key(&name.name))).or_default().push((name, at));
        }
        wanted
    }

    /// Finds or makes each dataset.
    pub(super) async fn resolve_datasets(&mut self, entries: &'b [Entry]) -> Result<()> {
        let wanted = self.wanted(entries, Facts::dataset_names);
        let mut known = HashMap::new();
        let mut missing: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        for key in wanted.keys() {
            match self.caches.datasets.take(key) {
                Some(row) => drop(known.insert(key.clone(), Tracked::loaded(row))),
                None => missing.entry(key.0).or_default().push(key.1.clone()),
            }
        }
        for (location, keys) in missing {
            let condition = format!("location_id = $1 AND {}", self.tx.within("key", 2));
            for row in load::<DatasetRow>(self.tx, &condition, vec![location.into(), keys.into()]).await? {
                known.insert((location, row.key.clone()), Tracked::loaded(row));
            }
        }
        for (key, uses) in wanted {
            let mut tracked = match known.remove(&key) {
                Some(tracked) => tracked,
                None => Tracked::new(self.new_dataset(&key, uses[0]).await?),
            };
            for (name, at) in uses {
                rows::name(&mut tracked.row.name, &mut tracked.row.named_at, &name.name, at);
                self.dataset_ids.insert(name, tracked.row.id);
            }
            self.datasets.insert(tracked.row.id, tracked);
        }
        Ok(())
    }

    async fn new_dataset(&mut self, key: &(i64, String), (name, at): (&Name, i64)) -> Result<DatasetRow> {
        Ok(DatasetRow {
            id: self.ids.next(self.tx, "dataset").await?,
            location_id: key.0,
            key: key.1.clone(),
            name: name.name.clone(),
            named_at: at,
            description: None,
            described_at: NEVER,
            external_id: None,
            external_url: None,
        })
    }

    /// Finds or makes each job.
    pub(super) async fn resolve_jobs(&mut self, entries: &'b [Entry]) -> Result<()> {
        let wanted = self.wanted(entries, Facts::job_names);
        let mut known = HashMap::new();
        let mut missing: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        for key in wanted.keys() {
            match self.caches.jobs.take(key) {
                Some(row) => drop(known.insert(key.clone(), Tracked::loaded(row))),
                None => missing.entry(key.0).or_default().push(key.1.clone()),
            }
        }
        for (location, keys) in missing {
            let condition = format!("location_id = $1 AND {}", self.tx.within("key", 2));
            for row in load::<JobRow>(self.tx, &condition, vec![location.into(), keys.into()]).await? {
                known.insert((location, row.key.clone()), Tracked::loaded(row));
            }
        }
        for (key, uses) in wanted {
            let mut tracked = match known.remove(&key) {
                Some(tracked) => tracked,
                None => Tracked::new(self.new_job(&key, uses[0]).await?),
            };
            for (name, at) in uses {
                rows::name(&mut tracked.row.name, &mut tracked.row.named_at, &name.name, at);
                self.job_ids.insert(name, tracked.row.id);
            }
            self.jobs.insert(tracked.row.id, tracked);
        }
        Ok(())
    }

    async fn new_job(&mut self, key: &(i64, String), (name, at): (&Name, i64)) -> Result<JobRow> {
        Ok(JobRow {
            id: self.ids.next(self.tx, "job").await?,
            location_id: key.0,
            key: key.1.clone(),
            name: name.name.clone(),
            named_at: at,
            kind: UNKNOWN_KIND.into(),
            kind_at: NEVER,
            parent_id: None,
            parent_at: NEVER,
            tags: "[]".into(),
            tags_at: NEVER,
            description: None,
            described_at: NEVER,
        })
    }

    /// Merges what is said of jobs and datasets themselves, and writes it.
    pub(super) async fn merge_names(&mut self, entries: &'b [Entry]) -> Result<()> {
        for Entry { facts, .. } in entries {
            for job in &facts.jobs {
                self.merge_job(job, facts.at);
            }
            for dataset in facts.datasets.iter().filter(|d| d.description.is_some()) {
                let Some(row) = self.dataset_ids.get(&dataset.name).and_then(|id| self.datasets.get_mut(id)) else {
                    continue;
                };
                let row = &mut row.row;
                rows::newest(&mut row.description, &mut row.described_at, &dataset.description, facts.at);
            }
        }
        Writes::of(self.datasets.values(), |row| row.id).write(self.tx).await?;
        Writes::of(self.jobs.values(), |row| row.id).write(self.tx).await?;
        self.merge_job_tags().await?;
        self.remember_names();
        Ok(())
    }

    fn merge_job(&mut self, job: &Job, at: i64) {
        let parent = job.parent.as_ref().and_then(|parent| self.job_ids.get(parent)).copied();
        let Some(tracked) = self.job_ids.get(&job.name).and_then(|id| self.jobs.get_mut(id)) else { return };
        let row = &mut tracked.row;
        if let Some(kind) = &job.kind {
            rows::newest(&mut row.kind, &mut row.kind_at, kind, at);
        }
        if parent.is_some() && parent != Some(row.id) {
            rows::newest(&mut row.parent_id, &mut row.parent_at, &parent, at);
        }
        if job.description.is_some() {
            rows::newest(&mut row.description, &mut row.described_at, &job.description, at);
        }
        if !job.tags.is_empty() {
            let tags = serde_json::to_string(&job.tags).unwrap_or_default();
            let before = row.tags.clone();
            rows::newest(&mut row.tags, &mut row.tags_at, &tags, at);
            if row.tags != before {
                self.retagged.insert(row.id);
            }
        }
    }

    /// Writes the tags of jobs whose tags changed.
    async fn merge_job_tags(&mut self) -> Result<()> {
        let ids: Vec<i64> = self.retagged.drain().collect();
        if ids.is_empty() {
            return Ok(());
        }
        let tags: Vec<(i64, Vec<(String, String)>)> =
            ids.iter().filter_map(|id| Some((*id, serde_json::from_str(&self.jobs.get(id)?.row.tags).ok()?))).collect();
        let all: Vec<(String, String)> = tags.iter().flat_map(|(_, tags)| tags.iter().cloned()).collect();
        let values = self.tag_values(&all).await?;
        let sql = format!("DELETE FROM job_tag WHERE {}", self.tx.within("job_id", 1));
        self.tx.execute(&sql, vec![ids.into()]).await?;
        let rows: Vec<JobTagRow> = tags
            .into_iter()
            .flat_map(|(job_id, tags)| tags.into_iter().map(move |tag| (job_id, tag)))
            .filter_map(|(job_id, tag)| Some(JobTagRow { job_id, tag_value_id: *values.get(&tag)? }))
            .collect();
        upsert(self.tx, &rows).await
    }

    fn remember_names(&mut self) {
        for (_, tracked) in self.datasets.drain() {
            self.caches.datasets.put((tracked.row.location_id, tracked.row.key.clone()), tracked.row);
        }
        for (_, tracked) in self.jobs.drain() {
            self.caches.jobs.put((tracked.row.location_id, tracked.row.key.clone()), tracked.row);
        }
    }
}
