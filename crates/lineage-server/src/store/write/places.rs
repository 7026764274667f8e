//! Places become locations, and locations that turn out to be one become one.
//!
//! A location is a set of addresses. An event that names addresses of two locations shows that they are the same: the
//! datasets and jobs of the younger one move to the older one. In whatever order events come, the same addresses end
//! up together.

use super::{Batch, Caches, Entry, Tracked};
use crate::error::Result;
use crate::facts::Place;
use crate::store::record::{load, upsert};
use crate::store::rows::{
    self, AddressRow, ColumnLineageRow, DatasetRow, EdgeRow, FlowRow, JobRow, LocationRow, SchemaUseRow, index_key,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

impl<'b> Batch<'b> {
    /// Finds or makes the location of each place.
    pub(super) async fn resolve_places(&mut self, entries: &'b [Entry]) -> Result<()> {
        let mut earliest: BTreeMap<&'b Place, i64> = BTreeMap::new();
        for Entry { facts, .. } in entries {
            for place in facts.places() {
                let at = earliest.entry(place).or_insert(facts.at);
                *at = facts.at.min(*at);
            }
        }
        self.load_addresses(earliest.keys().copied()).await?;
        let mut unions = false;
        for (place, at) in &earliest {
            if self.resolve_place(place, *at).await? {
                unions = true;
                // A union empties the caches.
                self.load_addresses(earliest.keys().copied()).await?;
            }
        }
        if unions {
            // A later union may have moved what was found before it.
            for place in earliest.keys() {
                if let Some(id) = self.caches.addresses.get(&index_key(&first_url(place))) {
                    self.places.insert(place, id);
                }
            }
        }
        Ok(())
    }

    async fn load_addresses(&mut self, places: impl Iterator<Item = &'b Place>) -> Result<()> {
        let keys: BTreeSet<String> = places.flat_map(Place::urls).map(|url| index_key(&url)).collect();
        let missing: Vec<String> = keys.into_iter().filter(|k| self.caches.addresses.get(k).is_none()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let condition = self.tx.within("key", 1);
        for row in load::<AddressRow>(self.tx, &condition, vec![missing.into()]).await? {
            self.caches.addresses.put(row.key, row.location_id);
        }
        Ok(())
    }

    /// Returns whether locations became one.
    async fn resolve_place(&mut self, place: &'b Place, at: i64) -> Result<bool> {
        let keys: Vec<(String, String)> = place.urls().map(|url| (index_key(&url), url)).collect();
        let found: BTreeSet<i64> = keys.iter().filter_map(|(k, _)| self.caches.addresses.get(k)).collect();
        let mut found = found.into_iter();
        let id = match found.next() {
            Some(id) => id,
            None => self.new_location(place, at).await?,
        };
        let mut unions = false;
        for other in found {
            self.unite(id, other).await?;
            unions = true;
        }
        let mut added = vec![];
        for (key, url) in keys {
            if self.caches.addresses.get(&key).is_none() {
                self.caches.addresses.put(key.clone(), id);
                added.push(AddressRow { key, url, location_id: id });
            }
        }
        upsert(self.tx, &added).await?;
        self.name_location(id, &place.hosts[0], at).await?;
        self.places.insert(place, id);
        Ok(unions)
    }

    async fn new_location(&mut self, place: &Place, at: i64) -> Result<i64> {
        let id = self.ids.next(self.tx, "location").await?;
        let row =
            LocationRow { id, kind: place.kind.clone(), name: place.hosts[0].clone(), named_at: at, external_id: None };
        upsert(self.tx, std::slice::from_ref(&row)).await?;
        self.caches.locations.put(id, Tracked::loaded(row));
        Ok(id)
    }

    async fn location(&mut self, id: i64) -> Result<Option<Tracked<LocationRow>>> {
        if let Some(known) = self.caches.locations.take(&id) {
            return Ok(Some(known));
        }
        Ok(load::<LocationRow>(self.tx, "id = $1", vec![id.into()]).await?.pop().map(Tracked::loaded))
    }

    async fn name_location(&mut self, id: i64, host: &str, at: i64) -> Result<()> {
        let Some(mut location) = self.location(id).await? else { return Ok(()) };
        rows::name(&mut location.row.name, &mut location.row.named_at, host, at);
        if location.is_changed() {
            upsert(self.tx, [&location.row]).await?;
            location.mark_stored();
        }
        self.caches.locations.put(id, location);
        Ok(())
    }

    /// Moves everything of `other` to `id`.
    async fn unite(&mut self, id: i64, other: i64) -> Result<()> {
        let old = self.location(other).await?;
        let datasets = self.same_names::<DatasetRow>(id, other, |row| (row.id, row.key)).await?;
        for (kept, dropped) in datasets {
            self.unite_datasets(kept, dropped).await?;
        }
        let jobs = self.same_names::<JobRow>(id, other, |row| (row.id, row.key)).await?;
        for (kept, dropped) in jobs {
            self.unite_jobs(kept, dropped).await?;
        }
        for table in ["dataset", "job", "address"] {
            let sql = format!("UPDATE {table} SET location_id = $1 WHERE location_id = $2");
            self.tx.execute(&sql, vec![id.into(), other.into()]).await?;
        }
        self.tx.execute("DELETE FROM location WHERE id = $1", vec![other.into()]).await?;
        let addresses = load::<AddressRow>(self.tx, "location_id = $1", vec![id.into()]).await?;
        *self.caches = Caches::new();
        for row in addresses {
            self.caches.addresses.put(row.key, row.location_id);
        }
        if let Some(old) = old {
            self.name_location(id, &old.row.name, old.row.named_at).await?;
            let keep = "UPDATE location SET external_id = COALESCE(external_id, $1) WHERE id = $2";
            self.tx.execute(keep, vec![old.row.external_id.into(), id.into()]).await?;
            self.caches.locations.take(&id);
        }
        Ok(())
    }

    /// Pairs of ids with the same name at both locations.
    async fn same_names<R: crate::store::record::Record>(
        &mut self,
        id: i64,
        other: i64,
        key: impl Fn(R) -> (i64, String),
    ) -> Result<Vec<(i64, i64)>> {
        let kept = load::<R>(self.tx, "location_id = $1", vec![id.into()]).await?;
        let kept: HashMap<String, i64> = kept.into_iter().map(&key).map(|(id, key)| (key, id)).collect();
        let dropped = load::<R>(self.tx, "location_id = $1", vec![other.into()]).await?;
        let pairs = dropped.into_iter().map(key).filter_map(|(id, key)| Some((*kept.get(&key)?, id)));
        Ok(pairs.collect())
    }

    async fn unite_datasets(&mut self, kept: i64, dropped: i64) -> Result<()> {
        self.move_edges(kept, dropped).await?;
        self.move_columns(kept, dropped).await?;
        self.move_schemas(kept, dropped).await?;
        for (table, columns, key) in [
            ("dataset_tag", "dataset_id, field_key, tag_value_id, field", "dataset_id"),
            ("symlink", "from_id, to_id, role", "from_id"),
            ("symlink", "to_id, from_id, role", "to_id"),
        ] {
            self.move_rows(table, columns, key, kept, dropped).await?;
        }
        self.tx.execute("DELETE FROM symlink WHERE from_id = to_id", vec![]).await?;
        let pair = load::<DatasetRow>(self.tx, "id = $1 OR id = $2", vec![kept.into(), dropped.into()]).await?;
        let (mut row, mut gone): (Vec<_>, Vec<_>) = pair.into_iter().partition(|row| row.id == kept);
        if let (Some(mut row), Some(gone)) = (row.pop(), gone.pop()) {
            rows::name(&mut row.name, &mut row.named_at, &gone.name, gone.named_at);
            rows::newest(&mut row.description, &mut row.described_at, &gone.description, gone.described_at);
            upsert(self.tx, &[row]).await?;
        }
        self.tx.execute("DELETE FROM dataset WHERE id = $1", vec![dropped.into()]).await?;
        Ok(())
    }

    async fn unite_jobs(&mut self, kept: i64, dropped: i64) -> Result<()> {
        for (table, column) in
            [("run", "job_id"), ("edge", "job_id"), ("column_lineage", "job_id"), ("job", "parent_id")]
        {
            let sql = format!("UPDATE {table} SET {column} = $1 WHERE {column} = $2");
            self.tx.execute(&sql, vec![kept.into(), dropped.into()]).await?;
        }
        self.move_rows("job_dependency", "from_id, to_id, kind", "from_id", kept, dropped).await?;
        self.move_rows("job_dependency", "to_id, from_id, kind", "to_id", kept, dropped).await?;
        let pair = load::<JobRow>(self.tx, "id = $1 OR id = $2", vec![kept.into(), dropped.into()]).await?;
        let (mut row, mut gone): (Vec<_>, Vec<_>) = pair.into_iter().partition(|row| row.id == kept);
        if let (Some(mut row), Some(gone)) = (row.pop(), gone.pop()) {
            let tagged = (row.tags_at, &row.tags) >= (gone.tags_at, &gone.tags);
            let (tags_of, loser) = if tagged { (kept, dropped) } else { (dropped, kept) };
            self.tx.execute("DELETE FROM job_tag WHERE job_id = $1", vec![loser.into()]).await?;
            if tags_of == dropped {
                let sql = "UPDATE job_tag SET job_id = $1 WHERE job_id = $2";
                self.tx.execute(sql, vec![kept.into(), dropped.into()]).await?;
            }
            rows::name(&mut row.name, &mut row.named_at, &gone.name, gone.named_at);
            rows::newest(&mut row.kind, &mut row.kind_at, &gone.kind, gone.kind_at);
            rows::newest(&mut row.parent_id, &mut row.parent_at, &gone.parent_id, gone.parent_at);
            rows::newest(&mut row.tags, &mut row.tags_at, &gone.tags, gone.tags_at);
            rows::newest(&mut row.description, &mut row.described_at, &gone.description, gone.described_at);
            upsert(self.tx, &[row]).await?;
        }
        self.tx.execute("DELETE FROM job WHERE id = $1", vec![dropped.into()]).await?;
        Ok(())
    }

    /// Gives rows without a state of their own to another owner. `columns` begins with the owner.
    async fn move_rows(&mut self, table: &str, columns: &str, key: &str, kept: i64, dropped: i64) -> Result<()> {
        let rest = columns.split_once(", ").map_or("", |(_, rest)| rest);
        let sql = format!(
            "INSERT INTO {table} ({columns}) SELECT $1, {rest} FROM {table} WHERE {key} = $2 ON CONFLICT DO NOTHING"
        );
        // SQLite cannot tell ON CONFLICT from a join's ON unless the SELECT has a WHERE, which it has.
        self.tx.execute(&sql, vec![kept.into(), dropped.into()]).await?;
        self.tx.execute(&format!("DELETE FROM {table} WHERE {key} = $1"), vec![dropped.into()]).await?;
        Ok(())
    }

    async fn move_edges(&mut self, kept: i64, dropped: i64) -> Result<()> {
        let all =
            load::<EdgeRow>(self.tx, "dataset_id = $1 OR dataset_id = $2", vec![kept.into(), dropped.into()]).await?;
        let mut merged: BTreeMap<(i64, i64), EdgeRow> = BTreeMap::new();
        for mut row in all {
            row.dataset_id = kept;
            merged.entry((row.operation_id, row.direction)).and_modify(|known| known.merge(&row)).or_insert(row);
        }
        self.tx.execute("DELETE FROM edge WHERE dataset_id = $1", vec![dropped.into()]).await?;
        let merged: Vec<EdgeRow> = merged.into_values().collect();
        upsert(self.tx, &merged).await
    }

    async fn move_columns(&mut self, kept: i64, dropped: i64) -> Result<()> {
        let either = "source_id = $1 OR target_id = $1";
        let rename = |id: i64| if id == dropped { kept } else { id };
        let mut all = load::<ColumnLineageRow>(self.tx, either, vec![dropped.into()]).await?;
        all.extend(load::<ColumnLineageRow>(self.tx, either, vec![kept.into()]).await?);
        let mut merged: BTreeMap<(i64, i64, i64, i64), ColumnLineageRow> = BTreeMap::new();
        for mut row in all {
            (row.source_id, row.target_id) = (rename(row.source_id), rename(row.target_id));
            let key = (row.operation_id, row.source_id, row.target_id, row.set_id);
            merged.entry(key).and_modify(|known| known.merge(&row)).or_insert(row);
        }
        let mut flows = load::<FlowRow>(self.tx, either, vec![dropped.into()]).await?;
        for row in &mut flows {
            (row.source_id, row.target_id) = (rename(row.source_id), rename(row.target_id));
        }
        for table in ["column_lineage", "flow"] {
            self.tx.execute(&format!("DELETE FROM {table} WHERE {either}"), vec![dropped.into()]).await?;
        }
        let merged: Vec<ColumnLineageRow> = merged.into_values().collect();
        upsert(self.tx, &merged).await?;
        upsert(self.tx, &flows).await
    }

    async fn move_schemas(&mut self, kept: i64, dropped: i64) -> Result<()> {
        let all =
            load::<SchemaUseRow>(self.tx, "dataset_id = $1 OR dataset_id = $2", vec![kept.into(), dropped.into()])
                .await?;
        let mut merged: BTreeMap<(i64, i64), SchemaUseRow> = BTreeMap::new();
        for mut row in all {
            row.dataset_id = kept;
            merged.entry((row.schema_id, row.direction)).and_modify(|known| known.merge(&row)).or_insert(row);
        }
        self.tx.execute("DELETE FROM schema_use WHERE dataset_id = $1", vec![dropped.into()]).await?;
        let merged: Vec<SchemaUseRow> = merged.into_values().collect();
        upsert(self.tx, &merged).await
    }
}

fn first_url(place: &Place) -> String {
    format!("{}://{}", place.kind, place.hosts[0])
}
