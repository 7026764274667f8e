//! The key that signs tokens.

use crate::error::Result;
use crate::options::Options;
use crate::store::Database;
use sha2::{Digest, Sha256};

/// The key of the options, or the one that the database keeps, which is made once.
pub(super) async fn find(options: &Options, database: &Database, random: impl Fn() -> u64) -> Result<Vec<u8>> {
    if let Some(secret) = &options.secret {
        return Ok(secret.clone().into_bytes());
    }
    let fresh: String = (0..4).map(|_| format!("{:016x}", random())).collect();
    let fresh: String = Sha256::digest(fresh.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let keep = "INSERT INTO setting (name, value) VALUES ('secret', $1) ON CONFLICT (name) DO NOTHING";
    database.execute(keep, vec![fresh.into()]).await?;
    let rows = database.rows("SELECT value FROM setting WHERE name = 'secret'", vec![]).await?;
    Ok(rows.first().map(|row| row.text(0)).unwrap_or_default().into_bytes())
}
