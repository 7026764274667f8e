//! Ids of new rows. There is one writer at a time, so it can count itself.

use crate::error::Result;
use crate::store::db::Tx;
use std::collections::HashMap;

/// The greatest id given out, by table.
#[derive(Debug, Default)]
pub(super) struct Ids(HashMap<&'static str, i64>);

impl Ids {
    /// An id that no row of the table has.
    pub(super) async fn next(&mut self, tx: &mut Tx, table: &'static str) -> Result<i64> {
        let last = match self.0.get(table) {
            Some(last) => *last,
            None => {
                let rows = tx.rows(&format!("SELECT COALESCE(MAX(id), 0) FROM {table}"), vec![]).await?;
                rows.first().map_or(0, |row| row.int(0))
            }
        };
        self.0.insert(table, last + 1);
        Ok(last + 1)
    }
}
