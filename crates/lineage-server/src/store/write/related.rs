//! What hangs on datasets and jobs rather than on operations: schemas, symlinks, tags, dependencies.

use super::dictionary::SchemaRow;
use super::{Batch, Entry, NEW_SCHEMAS_MAX, Tracked, Writes};
use crate::error::Result;
use crate::store::record::{Record, load, upsert};
use crate::store::rows::{DatasetTagRow, DependencyRow, SchemaUseRow, SymlinkRow, index_key};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

const HOUR_US: i64 = 3600 * 1_000_000;

/// Dataset, schema and direction.
type UseKey = (i64, i64, i64);

/// What a batch says of the use of a schema.
struct Heard {
    first_at: i64,
    last_at: i64,
    first_run: Option<Uuid>,
}

impl Default for Heard {
    fn default() -> Self {
        Self { first_at: i64::MAX, last_at: i64::MIN, first_run: None }
    }
}

impl Heard {
    fn add(&mut self, at: i64, last_at: i64, run: Option<Uuid>) {
        if (at, run) < (self.first_at, self.first_run) {
            (self.first_at, self.first_run) = (at, run);
        }
        self.last_at = self.last_at.max(last_at);
    }
}

impl<'b> Batch<'b> {
    /// Merges and writes them.
    pub(super) async fn merge_related(&mut self, entries: &'b [Entry]) -> Result<()> {
        self.merge_schemas(entries).await?;
        self.merge_symlinks(entries).await?;
        self.merge_dataset_tags(entries).await?;
        self.merge_dependencies(entries).await
    }

    async fn merge_schemas(&mut self, entries: &[Entry]) -> Result<()> {
        let texts = entries.iter().flat_map(|e| &e.facts.edges).filter_map(|edge| edge.schema.as_deref());
        let schemas = self.intern::<SchemaRow>(texts.collect()).await?;
        let mut heard: HashMap<UseKey, Heard> = HashMap::new();
        for Entry { facts, .. } in entries {
            for edge in &facts.edges {
                let schema = edge.schema.as_deref().and_then(|schema| schemas.get(schema));
                let (Some(schema), Some(dataset)) = (schema, self.dataset_ids.get(&edge.dataset)) else { continue };
                let key = (*dataset, *schema, i64::from(edge.output));
                // By the hour, so that a schema in steady use is not written with every event.
                let last_at = (facts.at / HOUR_US * HOUR_US).max(0);
                heard.entry(key).or_default().add(facts.at, last_at, facts.run);
            }
        }
        let row = |((dataset_id, schema_id, direction), heard): (UseKey, Heard)| SchemaUseRow {
            dataset_id,
            schema_id,
            direction,
            first_at: heard.first_at,
            last_at: heard.last_at,
            first_run: heard.first_run.map(|run| run.to_string()).unwrap_or_default(),
        };
        self.write_schema_uses(heard.into_iter().map(row).collect()).await
    }

    async fn write_schema_uses(&mut self, heard: Vec<SchemaUseRow>) -> Result<()> {
        let mut known: HashMap<UseKey, Tracked<SchemaUseRow>> = HashMap::new();
        let mut missing = BTreeSet::new();
        let key_of = |row: &SchemaUseRow| (row.dataset_id, row.schema_id, row.direction);
        for key in heard.iter().map(key_of) {
            match self.caches.schema_uses.take(&key) {
                Some(row) => drop(known.insert(key, Tracked::loaded(row))),
                None => drop(missing.insert(key.0)),
            }
        }
        if !missing.is_empty() {
            let condition = self.tx.within("dataset_id", 1);
            let missing: Vec<i64> = missing.into_iter().collect();
            for row in load::<SchemaUseRow>(self.tx, &condition, vec![missing.into()]).await? {
                known.entry(key_of(&row)).or_insert_with(|| Tracked::loaded(row));
            }
        }
        for new in heard {
            let tracked = known.entry(key_of(&new)).or_insert_with(|| Tracked::new(new.clone()));
            if tracked.stored.is_none() && self.new_schemas.len() < NEW_SCHEMAS_MAX {
                self.new_schemas.push((new.dataset_id, new.schema_id));
            }
            tracked.row.merge(&new);
        }
        Writes::of(known.values(), key_of).write(self.tx).await?;
        for (key, row) in known {
            self.caches.schema_uses.put(key, row.row);
        }
        Ok(())
    }

    async fn merge_symlinks(&mut self, entries: &[Entry]) -> Result<()> {
        let mut rows: HashMap<(i64, i64), SymlinkRow> = HashMap::new();
        for link in entries.iter().flat_map(|e| &e.facts.symlinks) {
            let ids = (self.dataset_ids.get(&link.from), self.dataset_ids.get(&link.to));
            let (Some(from), Some(to)) = (ids.0.copied(), ids.1.copied()) else { continue };
            let new = SymlinkRow { from_id: from, to_id: to, role: link.role.clone() };
            if from != to && self.is_news("symlink", &format!("{from}:{to}:{}", new.role)) {
                // Two producers may disagree on what a name is: the greater word wins, in any order.
                let known = rows.entry((from, to)).or_insert_with(|| new.clone());
                if new.role > known.role {
                    *known = new;
                }
            }
        }
        let mut rows: Vec<SymlinkRow> = rows.into_values().collect();
        for row in &mut rows {
            let params = vec![row.from_id.into(), row.to_id.into()];
            let known = load::<SymlinkRow>(self.tx, "from_id = $1 AND to_id = $2", params).await?;
            if let Some(known) = known.into_iter().next().filter(|known| known.role > row.role) {
                *row = known;
            }
        }
        upsert(self.tx, &rows).await
    }

    async fn merge_dataset_tags(&mut self, entries: &[Entry]) -> Result<()> {
        let facts = || entries.iter().flat_map(|e| &e.facts.datasets);
        let pairs: Vec<(String, String)> =
            facts().flat_map(|d| &d.tags).map(|(_, name, value)| (name.clone(), value.clone())).collect();
        if pairs.is_empty() {
            return Ok(());
        }
        let values = self.tag_values(&pairs).await?;
        let mut rows = HashMap::new();
        for dataset in facts() {
            let Some(id) = self.dataset_ids.get(&dataset.name).copied() else { continue };
            for (field, name, value) in &dataset.tags {
                let Some(tag_value_id) = values.get(&(name.clone(), value.clone())).copied() else { continue };
                let field_key = index_key(field);
                if self.is_news("dataset_tag", &format!("{id}:{tag_value_id}:{field_key}")) {
                    let row = DatasetTagRow { dataset_id: id, field_key, tag_value_id, field: field.clone() };
                    rows.insert((id, row.field_key.clone(), tag_value_id), row);
                }
            }
        }
        let rows: Vec<DatasetTagRow> = rows.into_values().collect();
        upsert(self.tx, &rows).await
    }

    async fn merge_dependencies(&mut self, entries: &[Entry]) -> Result<()> {
        let mut rows = vec![];
        for dependency in entries.iter().flat_map(|e| &e.facts.dependencies) {
            let ids = (self.job_ids.get(&dependency.from), self.job_ids.get(&dependency.to));
            let (Some(from), Some(to)) = ids else { continue };
            let new = DependencyRow { from_id: *from, to_id: *to, kind: index_key(&dependency.kind) };
            if self.is_news(DependencyRow::TABLE, &format!("{from}:{to}:{}", new.kind)) {
                rows.push(new);
            }
        }
        upsert(self.tx, &rows).await
    }

    /// Whether a row that is only ever added was not added lately.
    fn is_news(&mut self, table: &str, key: &str) -> bool {
        let key = format!("{table}/{key}");
        if self.caches.known.get(key.as_str()).is_some() {
            return false;
        }
        self.caches.known.put(key, ());
        true
    }
}
