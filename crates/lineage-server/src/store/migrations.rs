//! Brings the tables of a database up to date.
//!
//! Each version is a script; they run in order, once, each in a transaction of its own. A database that is newer than
//! the program is refused rather than damaged.

use super::db::{Database, Tx};
use crate::error::{Error, Result};

/// The scripts; the version is the place in the list, from 1.
const SCRIPTS: [&str; 3] = [include_str!("schema.sql"), include_str!("schema_2.sql"), include_str!("schema_3.sql")];

/// Serialises servers that start at the same moment on one PostgreSQL.
const LOCK: i64 = 0x4865_6164_7761_7465;

/// Runs the scripts that have not run.
///
/// # Errors
/// Those of the database, and a database that is newer than the program.
pub(super) async fn run(database: &Database) -> Result<()> {
    let mut tx = database.begin().await?;
    if database.is_postgres() {
        tx.rows("SELECT pg_advisory_xact_lock($1) IS NULL", vec![LOCK.into()]).await?;
    }
    tx.script("CREATE TABLE IF NOT EXISTS catalog_version (version BIGINT PRIMARY KEY)").await?;
    let done = version(&mut tx).await?;
    let newest = SCRIPTS.len() as i64;
    if done > newest {
        let message = format!("the catalog has version {done}, this program knows {newest}: use a newer one");
        return Err(Error::Options(message));
    }
    for (version, script) in (1_i64..).zip(SCRIPTS).skip_while(|(version, _)| *version <= done) {
        tx.script(&database.translate(script)).await?;
        tx.execute("INSERT INTO catalog_version (version) VALUES ($1)", vec![version.into()]).await?;
    }
    tx.commit().await
}

async fn version(tx: &mut Tx) -> Result<i64> {
    let rows = tx.rows("SELECT COALESCE(MAX(version), 0) FROM catalog_version", vec![]).await?;
    Ok(rows.first().map_or(0, |row| row.int(0)))
}
