//! Texts that many rows share, stored once: schemas, SQL, sets of column relations, tags.

use super::Batch;
use crate::error::Result;
use crate::store::record::{Record, insert, record, upsert};
use crate::store::rows::{TagValueRow, digest, index_key};
use std::collections::{BTreeMap, HashMap, HashSet};

record! {
    /// A schema, as canonical JSON.
    SchemaRow, "dataset_schema", ["id"], { id: i64, key: String, value: String, }
}
record! {
    /// A SQL text.
    SqlRow, "sql_query", ["id"], { id: i64, key: String, value: String, }
}
record! {
    /// A set of relations between columns, as JSON.
    SetRow, "column_set", ["id"], { id: i64, key: String, value: String, }
}
record! {
    /// A name of tags.
    TagRow, "tag", ["id"], { id: i64, key: String, value: String, }
}

/// A row of a dictionary.
pub(super) trait Word: Record + Clone {
    /// Makes one.
    fn new(id: i64, key: String, value: String) -> Self;
}

macro_rules! word {
    ($($name:ident),*) => {
        $(impl Word for $name {
            fn new(id: i64, key: String, value: String) -> Self {
                Self { id, key, value }
            }
        })*
    };
}
word!(SchemaRow, SqlRow, SetRow, TagRow);

/// Name and value.
type Tag = (String, String);

impl Batch<'_> {
    /// Ids of long texts, by the text.
    pub(super) async fn intern<'t, W: Word>(&mut self, texts: HashSet<&'t str>) -> Result<HashMap<&'t str, i64>> {
        let words: BTreeMap<String, &str> = texts.into_iter().map(|text| (digest(text), text)).collect();
        let ids = self.words::<W>(words.keys().cloned().collect()).await?;
        let mut found = HashMap::new();
        let mut new = vec![];
        for (key, text) in words {
            let id = match ids.get(&key) {
                Some((id, _)) => *id,
                None => {
                    let id = self.ids.next(self.tx, W::TABLE).await?;
                    new.push(W::new(id, key.clone(), text.to_owned()));
                    // The text itself need not stay in memory: it never changes.
                    self.caches.words.put((W::TABLE, key), (id, String::new()));
                    id
                }
            };
            found.insert(text, id);
        }
        insert(self.tx, &new).await?;
        Ok(found)
    }

    /// Known words: id and spelling, by key.
    async fn words<W: Word>(&mut self, keys: Vec<String>) -> Result<HashMap<String, (i64, String)>> {
        let mut found = HashMap::new();
        let mut missing = vec![];
        for key in keys {
            match self.caches.words.take(&(W::TABLE, key.clone())) {
                Some(word) => drop(found.insert(key, word)),
                None => missing.push(key),
            }
        }
        if !missing.is_empty() {
            let spelled = if matches!(W::TABLE, "tag" | "tag_value") { "value" } else { "''" };
            let condition = self.tx.within("key", 1);
            let sql = format!("SELECT id, key, {spelled} FROM {} WHERE {condition}", W::TABLE);
            for row in self.tx.rows(&sql, vec![missing.into()]).await? {
                found.insert(row.text(1), (row.int(0), row.text(2)));
            }
        }
        for (key, word) in &found {
            self.caches.words.put((W::TABLE, key.clone()), word.clone());
        }
        Ok(found)
    }

    /// Ids of the values of tags. Names and values are the same in any case; the least spelling is shown.
    pub(super) async fn tag_values(&mut self, tags: &[(String, String)]) -> Result<HashMap<(String, String), i64>> {
        let names = self.tag_names(tags).await?;
        let key = |tag: i64, value: &str| index_key(&format!("{tag}:{}", value.to_lowercase()));
        let mut wanted: BTreeMap<String, Vec<(&Tag, i64)>> = BTreeMap::new();
        for pair in tags {
            if let Some(tag) = names.get(&pair.0.to_lowercase()) {
                wanted.entry(key(*tag, &pair.1)).or_default().push((pair, *tag));
            }
        }
        let known = self.words::<TagValueRow>(wanted.keys().cloned().collect()).await?;
        let mut found = HashMap::new();
        let mut changed = vec![];
        for (key, pairs) in wanted {
            let Some(tag_id) = pairs.first().map(|(_, tag)| *tag) else { continue };
            let least = pairs.iter().map(|(pair, _)| pair.1.clone()).min().unwrap_or_default();
            let known = known.get(&key).cloned();
            let (id, value) = self.spelled("tag_value", known, least).await?;
            if let Some(value) = value {
                self.caches.words.put(("tag_value", key.clone()), (id, value.clone()));
                changed.push(TagValueRow { id, key, value, tag_id });
            }
            found.extend(pairs.into_iter().map(|(pair, _)| (pair.clone(), id)));
        }
        upsert(self.tx, &changed).await?;
        Ok(found)
    }

    async fn tag_names(&mut self, tags: &[(String, String)]) -> Result<HashMap<String, i64>> {
        let mut wanted: BTreeMap<String, String> = BTreeMap::new();
        for (name, _) in tags {
            let spelling = wanted.entry(name.to_lowercase()).or_insert_with(|| name.clone());
            if *name < *spelling {
                spelling.clone_from(name);
            }
        }
        let known = self.words::<TagRow>(wanted.keys().map(|lower| index_key(lower)).collect()).await?;
        let mut found = HashMap::new();
        let mut changed = vec![];
        for (lower, spelling) in wanted {
            let key = index_key(&lower);
            let (id, value) = self.spelled("tag", known.get(&key).cloned(), spelling).await?;
            if let Some(value) = value {
                self.caches.words.put(("tag", key.clone()), (id, value.clone()));
                changed.push(TagRow { id, key, value });
            }
            found.insert(lower, id);
        }
        upsert(self.tx, &changed).await?;
        Ok(found)
    }

    /// The id of a word, and its spelling if that is news.
    async fn spelled(
        &mut self,
        table: &'static str,
        known: Option<(i64, String)>,
        spelling: String,
    ) -> Result<(i64, Option<String>)> {
        Ok(match known {
            Some((id, value)) if value <= spelling => (id, None),
            Some((id, _)) => (id, Some(spelling)),
            None => (self.ids.next(self.tx, table).await?, Some(spelling)),
        })
    }
}

impl Word for TagValueRow {
    /// Never used to make one: a value needs its tag.
    fn new(id: i64, key: String, value: String) -> Self {
        Self { id, key, value, tag_id: 0 }
    }
}
