//! The catalog's database: tables, bulk writes, the one writer.

pub mod cache;
pub mod db;
mod migrations;
pub mod record;
pub mod rows;
pub mod write;

/// Makes every writer, of this server and others, look at the database again.
pub const NOBODY_WROTE: &str = "UPDATE last_writer SET name = '' WHERE id = 1";

pub use db::{Database, Param, Row, Tx};
pub use write::{Entry, Raw, Writer};
