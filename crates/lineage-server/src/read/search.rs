//! Search by the beginnings of words, in any case; punctuation separates words.
//!
//! A thing is found when one of its texts (its name, that of its place, an address) has a word for each word of the search
//! that begins with it. What is found is ranked by the share of a text's words that were meant: short names come before
//! long paths. Ranking is done here rather than in SQL, so that both databases rank alike; only so many hits are ranked.

use super::list::{List, Page, PageOf, meta};
use super::{datasets, jobs, locations, runs};
use crate::error::Result;
use crate::store::db::Database;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// Most words of a search that count.
const WORDS_MAX: usize = 8;
/// Most hits that are ranked; more are shown in the order of their list.
const RANKED_MAX: i64 = 1000;

/// What is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// Rows `d` of `dataset`, whose places are `l`.
    Datasets,
    /// Rows `j` of `job`, whose places are `l`.
    Jobs,
    /// Rows `l` of `location`.
    Locations,
    /// Rows `r` of `run`, whose jobs are `j`.
    Runs,
    /// Rows `t` of `tag`.
    Tags,
}

/// The texts of a place: conditions with `{}` for a test of the column that follows.
const OF_LOCATION: [(&str, &str); 2] = [
    ("{}", "LOWER(l.kind || ' ' || l.name || ' ' || COALESCE(l.external_id, ''))"),
    ("EXISTS (SELECT 1 FROM address a WHERE a.location_id = l.id AND {})", "a.key"),
];

impl Of {
    /// Where texts are, as in [`OF_LOCATION`].
    fn texts_in_sql(self) -> Vec<(&'static str, &'static str)> {
        let own: &[(&str, &str)] = match self {
            Self::Datasets => &[("{}", "LOWER(d.name)")],
            Self::Jobs => &[("{}", "LOWER(j.name)")],
            Self::Locations => &[],
            Self::Runs => &[("{}", "LOWER(r.external_id)"), ("{}", "LOWER(j.name)")],
            Self::Tags => &[
                ("{}", "t.key"),
                ("EXISTS (SELECT 1 FROM tag_value v WHERE v.tag_id = t.id AND {})", "LOWER(v.value)"),
            ],
        };
        let place = if matches!(self, Self::Runs | Self::Tags) { &[][..] } else { &OF_LOCATION };
        own.iter().chain(place).copied().collect()
    }

    /// The same texts of hits.
    async fn texts(self, db: &Database, ids: Vec<i64>) -> Result<HashMap<i64, Vec<String>>> {
        let named = |(id, value): (i64, Value)| {
            let mut texts = place_texts(&value["location"]);
            texts.push(text(&value["name"]));
            (id, texts)
        };
        Ok(match self {
            Self::Datasets => datasets(db, ids).await?.into_iter().map(named).collect(),
            Self::Jobs => jobs(db, ids).await?.into_iter().map(named).collect(),
            Self::Locations => {
                locations(db, ids).await?.into_iter().map(|(id, value)| (id, place_texts(&value))).collect()
            }
            Self::Runs => {
                let found = runs(db, ids).await?;
                let jobs = jobs(db, found.values().map(|(row, _)| row.job_id).collect()).await?;
                let name = |job: &i64| jobs.get(job).map(|job| text(&job["name"])).unwrap_or_default();
                let of = |(id, (row, run)): (i64, (_, Value))| {
                    let row: crate::store::rows::RunRow = row;
                    (id, vec![text(&run["external_id"]), name(&row.job_id)])
                };
                found.into_iter().map(of).collect()
            }
            Self::Tags => tag_texts(db, ids).await?,
        })
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_lowercase()
}

/// What a place is found by.
fn place_texts(location: &Value) -> Vec<String> {
    let addresses = location["addresses"].as_array().map_or(&[][..], Vec::as_slice);
    let mut texts: Vec<String> = addresses.iter().map(|address| text(&address["url"])).collect();
    let external = text(&location["external_id"]);
    texts.push(format!("{} {} {external}", text(&location["type"]), text(&location["name"])));
    texts
}

async fn tag_texts(db: &Database, ids: Vec<i64>) -> Result<HashMap<i64, Vec<String>>> {
    let within = db.within_ints("t.id", 1);
    let sql =
        format!("SELECT t.id, t.value, v.value FROM tag t LEFT JOIN tag_value v ON v.tag_id = t.id WHERE {within}");
    let mut texts: HashMap<i64, Vec<String>> = HashMap::new();
    for row in db.rows(&sql, vec![ids.into()]).await? {
        let known = texts.entry(row.int(0)).or_default();
        known.extend([row.text(1).to_lowercase(), row.text(2).to_lowercase()]);
    }
    Ok(texts)
}

/// The words of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    of: Of,
    words: Vec<String>,
}

impl Search {
    /// A search for a text.
    pub fn new(of: Of, text: &str) -> Self {
        let words = text.split(is_separator).filter(|word| !word.is_empty()).take(WORDS_MAX);
        Self { of, words: words.map(str::to_lowercase).collect() }
    }

    /// A page of what meets the conditions of a list and is found, the best first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn page(&self, db: &Database, mut list: List<'_>, id: &str, order: &str, page: PageOf) -> Result<Page> {
        let condition = self.condition(db, &mut list);
        list.condition(condition);
        let all = PageOf { number: 1, size: RANKED_MAX };
        let found = list.clone().page(id, order, all).await?;
        let total = found.meta["total_count"].as_i64().unwrap_or(0);
        if total > RANKED_MAX {
            return list.page(id, order, page).await;
        }
        let texts = self.of.texts(db, found.ids.clone()).await?;
        let rank = |id: &i64| texts.get(id).into_iter().flatten().map(|text| self.rank(text)).fold(0.0, f32::max);
        let mut ranked: Vec<(f32, i64)> = found.ids.iter().map(|id| (rank(id), *id)).collect();
        ranked.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        let from = usize::try_from(page.offset()).unwrap_or(usize::MAX);
        let size = usize::try_from(page.size).unwrap_or(0);
        let ids = ranked.into_iter().skip(from).take(size).map(|(_, id)| id).collect();
        Ok(Page { ids, meta: meta(page, total) })
    }

    /// All words begin words of one text.
    fn condition(&self, db: &Database, list: &mut List<'_>) -> String {
        if self.words.is_empty() {
            return "1 = 0".into();
        }
        let words: Vec<usize> = self.words.iter().map(|word| list.param(db.word_pattern(word))).collect();
        let of_text = |(condition, column): (&str, &str)| {
            let words: Vec<String> = words.iter().map(|n| db.has_word(column, *n)).collect();
            condition.replace("{}", &format!("({})", words.join(" AND ")))
        };
        let texts: Vec<String> = self.of.texts_in_sql().into_iter().map(of_text).collect();
        format!("({})", texts.join(" OR "))
    }

    /// How much of a text in lower case was meant: 0 when it is not found.
    fn rank(&self, text: &str) -> f32 {
        let words = words_of(text);
        let begins = |prefix: &String| words.iter().any(|word| word.starts_with(prefix.as_str()));
        if words.is_empty() || !self.words.iter().all(begins) {
            return 0.0;
        }
        let meant = words.iter().filter(|word| self.words.iter().any(|prefix| word.starts_with(prefix.as_str())));
        let different: BTreeSet<&str> = words.iter().map(String::as_str).collect();
        meant.count() as f32 / different.len() as f32
    }
}

/// Whether a character stands between words.
fn is_separator(c: char) -> bool {
    c.is_ascii_punctuation() || c.is_whitespace()
}

/// The words of a text: those between punctuation, and, as one word each, what hangs together by dots, slashes and hyphens.
fn words_of(text: &str) -> Vec<String> {
    let mut words: Vec<String> = text.split(is_separator).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    let hangs = |c: char| !is_separator(c) || matches!(c, '.' | '/' | '-' | '_');
    let long = text.split(|c| !hangs(c)).filter(|word| word.contains(['.', '/', '-']));
    words.extend(long.map(str::to_owned));
    words
}

#[cfg(test)]
mod tests {
    use super::{Of, Search};

    fn rank(query: &str, text: &str) -> f32 {
        Search::new(Of::Datasets, query).rank(text)
    }

    #[test]
    fn words_are_found_by_their_beginnings() {
        for (query, text) in
            [("sour", "db.source_table"), ("TABLE", "db.source_table"), ("my.host", "my.host:80"), ("/a/b", "/a/bc/d")]
        {
            assert!(rank(query, text) > 0.0, "{query} in {text}");
        }
        for (query, text) in [("able", "db.source_table"), ("db other", "db.source_table"), ("...", "a.b")] {
            assert!(rank(query, text) == 0.0, "{query} in {text}");
        }
    }

    #[test]
    fn what_was_meant_wholly_comes_first() {
        let mut texts = ["warehouse.public.orders_by_day", "orders", "public.orders", "orders_archive_of_2020"];
        texts.sort_by(|a, b| rank("orders", b).total_cmp(&rank("orders", a)));
        assert_eq!(texts[..2], ["orders", "public.orders"]);
    }
}
