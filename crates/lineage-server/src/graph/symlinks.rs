//! Other names of the same data.

use crate::error::Result;
use crate::store::db::Database;
use std::collections::BTreeSet;

/// A name and another one of the same data.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// One dataset.
    pub from: i64,
    /// The other.
    pub to: i64,
    /// What the other is.
    pub role: String,
}

/// The links from the given datasets.
///
/// # Errors
/// Those of the database.
pub async fn of(db: &Database, datasets: Vec<i64>) -> Result<Vec<Link>> {
    if datasets.is_empty() {
        return Ok(vec![]);
    }
    let sql = format!("SELECT from_id, to_id, role FROM symlink WHERE {}", db.within_ints("from_id", 1));
    let rows = db.rows(&sql, vec![datasets.into()]).await?;
    Ok(rows.iter().map(|row| Link { from: row.int(0), to: row.int(1), role: row.text(2) }).collect())
}

/// The given datasets and every other name of them, with the links in between.
///
/// # Errors
/// Those of the database.
pub async fn closure(db: &Database, datasets: BTreeSet<i64>) -> Result<(BTreeSet<i64>, Vec<Link>)> {
    let mut all = datasets.clone();
    let mut links = vec![];
    let mut frontier: Vec<i64> = datasets.into_iter().collect();
    while !frontier.is_empty() {
        let found = of(db, std::mem::take(&mut frontier)).await?;
        for link in &found {
            if all.insert(link.to) {
                frontier.push(link.to);
            }
        }
        links.extend(found);
    }
    links.sort();
    links.dedup();
    Ok((all, links))
}
