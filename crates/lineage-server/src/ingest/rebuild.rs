//! The catalog again, from the events as they came.
//!
//! Everything that follows from events is deleted and merged anew, in one transaction. Locations, datasets, jobs and
//! dictionaries keep their rows, so that ids in links stay good; what no event names any more is deleted at the end.

use super::unpack_event;
use crate::error::Result;
use crate::event::Event;
use crate::extract;
use crate::store::{Entry, Tx, Writer};

/// Events of one step.
const STEP: i64 = 2000;

/// What follows from events.
const DERIVED: [&str; 11] = [
    "run",
    "operation",
    "edge",
    "flow",
    "column_lineage",
    "schema_use",
    "symlink",
    "job_tag",
    "dataset_tag",
    "job_dependency",
    "column_set",
];

/// What is said of jobs and datasets is forgotten too; their names stay until they are said again.
const RESET: [&str; 3] = [
    "UPDATE location SET named_at = 9000000000000000000",
    "UPDATE dataset SET named_at = 9000000000000000000, description = NULL, described_at = -4611686018427387904",
    "UPDATE job SET named_at = 9000000000000000000, kind = 'UNKNOWN', kind_at = -4611686018427387904, \
     parent_id = NULL, parent_at = -4611686018427387904, tags = '[]', tags_at = -4611686018427387904, \
     description = NULL, described_at = -4611686018427387904",
];

/// Names that no event has any more.
const ORPHANS: [&str; 6] = [
    "DELETE FROM dataset WHERE named_at = 9000000000000000000",
    "DELETE FROM job WHERE named_at = 9000000000000000000",
    "DELETE FROM address WHERE location_id IN (SELECT id FROM location WHERE named_at = 9000000000000000000)",
    "DELETE FROM location WHERE named_at = 9000000000000000000",
    "DELETE FROM tag_value WHERE id NOT IN (SELECT tag_value_id FROM job_tag) \
     AND id NOT IN (SELECT tag_value_id FROM dataset_tag)",
    "DELETE FROM tag WHERE id NOT IN (SELECT tag_id FROM tag_value)",
];

/// Makes the catalog again and returns the number of events.
///
/// # Errors
/// Those of the database; then nothing has changed.
pub(super) async fn run(writer: &mut Writer) -> Result<u64> {
    let done = try_run(writer).await;
    // Whatever happened, the caches know another catalog.
    writer.forget();
    done
}

async fn try_run(writer: &mut Writer) -> Result<u64> {
    let mut tx = writer.begin().await?;
    for table in DERIVED {
        tx.execute(&format!("DELETE FROM {table}"), vec![]).await?;
    }
    for reset in RESET {
        tx.execute(reset, vec![]).await?;
    }
    writer.forget();
    let (mut last, mut count) = (0, 0);
    loop {
        let (entries, next) = step(&mut tx, last).await?;
        let Some(next) = next else { break };
        count += entries.len() as u64;
        last = next;
        writer.merge(&mut tx, &entries).await?;
    }
    for orphans in ORPHANS {
        tx.execute(orphans, vec![]).await?;
    }
    tx.commit().await?;
    Ok(count)
}

/// Events after an id, and the last id of them.
async fn step(tx: &mut Tx, after: i64) -> Result<(Vec<Entry>, Option<i64>)> {
    let sql = "SELECT id, received_at, body FROM raw_event WHERE id > $1 ORDER BY id LIMIT $2";
    let rows = tx.rows(sql, vec![after.into(), STEP.into()]).await?;
    let entries = rows.iter().filter_map(|row| {
        let body = unpack_event(row.bytes(2))?;
        let event = Event::read(&body, row.int(1)).ok()?;
        Some(Entry { facts: extract::facts(&event), raw: None })
    });
    Ok((entries.collect(), rows.last().map(|row| row.int(0))))
}
