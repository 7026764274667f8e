//! Rows of tables as structs: declared once, read and written in bulk.

use super::db::{Param, Row, Tx};
use crate::error::Result;

/// Most parameters of one statement; SQLite allows 32,766.
const PARAMETERS_MAX: usize = 30_000;
/// Rows per statement. A few fixed sizes, so that prepared statements are used again.
const CHUNKS: [usize; 5] = [1000, 200, 40, 8, 1];

/// Fewest rows that are worth a copy of their own where the database takes copies.
const COPIED_MIN: usize = 8;

/// A type of column.
pub trait Column: Sized {
    /// As a parameter.
    fn param(&self) -> Param;
    /// From a row.
    fn read(row: &Row, index: usize) -> Self;
}

impl Column for i64 {
    fn param(&self) -> Param {
        Param::Int(Some(*self))
    }
    fn read(row: &Row, index: usize) -> Self {
        row.int(index)
    }
}
impl Column for Option<i64> {
    fn param(&self) -> Param {
        Param::Int(*self)
    }
    fn read(row: &Row, index: usize) -> Self {
        row.opt_int(index)
    }
}
impl Column for String {
    fn param(&self) -> Param {
        Param::Text(Some(self.clone()))
    }
    fn read(row: &Row, index: usize) -> Self {
        row.text(index)
    }
}
impl Column for Option<String> {
    fn param(&self) -> Param {
        Param::Text(self.clone())
    }
    fn read(row: &Row, index: usize) -> Self {
        row.opt_text(index)
    }
}
impl Column for Vec<u8> {
    fn param(&self) -> Param {
        Param::Bytes(self.clone())
    }
    fn read(row: &Row, index: usize) -> Self {
        row.bytes(index).to_vec()
    }
}

/// A row of a table.
pub trait Record: Sized {
    /// The table.
    const TABLE: &'static str;
    /// Its columns, in the order of [`Record::params`].
    const COLUMNS: &'static [&'static str];
    /// Those of its primary key.
    const KEY: &'static [&'static str];
    /// Appends the values.
    fn params(&self, to: &mut Vec<Param>);
    /// From a row with exactly the columns.
    fn read(row: &Row) -> Self;
}

/// Declares a struct that is a row: `record! { /// .. Name, "table", ["key"], { column: Type, .. } }`.
macro_rules! record {
    ($(#[$meta:meta])* $name:ident, $table:literal, $key:expr, { $($(#[$doc:meta])* $column:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[allow(missing_docs, reason = "columns are described where the tables are defined, in schema.sql")]
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name { $($(#[$doc])* pub $column: $type,)* }

        impl $crate::store::record::Record for $name {
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [&'static str] = &[$(stringify!($column)),*];
            const KEY: &'static [&'static str] = &$key;
            fn params(&self, to: &mut Vec<$crate::store::db::Param>) {
                to.extend([$($crate::store::record::Column::param(&self.$column)),*]);
            }
            fn read(row: &$crate::store::db::Row) -> Self {
                let mut index = 0..;
                $(let $column = $crate::store::record::Column::read(row, index.next().unwrap_or_default());)*
                Self { $($column),* }
            }
        }
    };
}
pub(crate) use record;

/// `SELECT` of all columns, to be followed by a condition.
pub fn select<R: Record>() -> String {
    format!("SELECT {} FROM {}", R::COLUMNS.join(", "), R::TABLE)
}

/// Rows that meet a condition.
///
/// # Errors
/// Those of the database.
pub async fn load<R: Record>(tx: &mut Tx, condition: &str, params: Vec<Param>) -> Result<Vec<R>> {
    let sql = format!("{} WHERE {condition}", select::<R>());
    Ok(tx.rows(&sql, params).await?.iter().map(R::read).collect())
}

/// Inserts rows, or replaces those with the same key.
///
/// # Errors
/// Those of the database.
pub async fn upsert<'r, R: Record + 'r>(tx: &mut Tx, rows: impl IntoIterator<Item = &'r R>) -> Result<()> {
    let set: Vec<String> = R::COLUMNS
        .iter()
        .filter(|column| !R::KEY.contains(column))
        .map(|column| format!("{column} = excluded.{column}"))
        .collect();
    let action = if set.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {}", set.join(", ")) };
    let rows: Vec<&R> = rows.into_iter().collect();
    write(tx, &rows, &format!(" ON CONFLICT ({}) DO {action}", R::KEY.join(", "))).await
}

/// Inserts rows that are known to be new.
///
/// # Errors
/// Those of the database.
pub async fn insert<'r, R: Record + 'r>(tx: &mut Tx, rows: impl IntoIterator<Item = &'r R>) -> Result<()> {
    let rows: Vec<&R> = rows.into_iter().collect();
    if tx.copies() && rows.len() >= COPIED_MIN {
        let mut params = Vec::with_capacity(rows.len() * R::COLUMNS.len());
        rows.iter().for_each(|row| row.params(&mut params));
        return tx.copy(R::TABLE, R::COLUMNS, &params).await;
    }
    write(tx, &rows, "").await
}

async fn write<R: Record>(tx: &mut Tx, rows: &[&R], conflict: &str) -> Result<()> {
    let width = R::COLUMNS.len();
    let mut rest = rows;
    while !rest.is_empty() {
        let fits = |size: &&usize| **size <= rest.len() && **size * width <= PARAMETERS_MAX;
        let size = CHUNKS.iter().find(fits).copied().unwrap_or(1);
        let (chunk, tail) = rest.split_at(size);
        rest = tail;
        let sql = format!("{}{conflict}", insert_sql::<R>(size, width, tx.numbers_parameters()));
        let mut params = Vec::with_capacity(size * width);
        chunk.iter().for_each(|row| row.params(&mut params));
        tx.execute(&sql, params).await?;
    }
    Ok(())
}

/// With plain `?` for SQLite: it looks up every parameter with a name, such as `$1`, in a list of all of them, which
/// takes the square of their number.
fn insert_sql<R: Record>(rows: usize, width: usize, numbered: bool) -> String {
    let mut sql = format!("INSERT INTO {} ({}) VALUES ", R::TABLE, R::COLUMNS.join(", "));
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ",(" });
        for column in 0..width {
            if column > 0 {
                sql.push(',');
            }
            if numbered {
                sql.push('$');
                sql.push_str(&(row * width + column + 1).to_string());
            } else {
                sql.push('?');
            }
        }
        sql.push(')');
    }
    sql
}
