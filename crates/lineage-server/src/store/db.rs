//! One small face for both databases: SQLite, embedded, and PostgreSQL.
//!
//! Statements are written once, in the SQL both understand, with `$1`-style parameters. What differs is here: lists as
//! parameters ([`Database::within_ints`]), the types of a table's columns ([`Database::translate`]), and how a writing
//! transaction begins. All values are 64-bit numbers, texts or bytes.

use crate::error::{Error, Result};
use sqlx::postgres::{PgPool, PgPoolOptions, PgRow, Postgres};
use sqlx::sqlite::{
    Sqlite, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Decode, Row as _, Transaction, TypeInfo as _, ValueRef as _};
use std::str::FromStr;
use std::time::Duration;

/// Connections for readers.
const READERS: u32 = 4;
/// How long a writer of SQLite waits for another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
/// Page cache of each connection that reads SQLite, in KiB.
const READER_CACHE_KIB: i64 = 32 * 1024;
/// Page cache of the connection that writes: what a transaction changes should fit.
const WRITER_CACHE_KIB: i64 = 192 * 1024;
/// Pages that the log of SQLite may hold before they are copied to their places. Pages that change again and again, as
/// those of indexes do, are copied once.
const LOG_PAGES: i64 = 16 * 1024;
/// Prepared statements kept per connection.
const STATEMENTS: usize = 400;

/// What stands between words, for a class of characters of a pattern: there the bracket comes first, the hyphen last.
const SEPARATORS: &str = "][ !\"#$%&'()*+,./:;<=>?@\\^_`{|}~-";
/// Bytes of a piece of a copy.
const COPIED_BYTES: usize = 256 << 10;

/// A parameter of a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Param {
    /// A number.
    Int(Option<i64>),
    /// A text.
    Text(Option<String>),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A list for [`Database::within_ints`].
    Ints(Vec<i64>),
    /// A list for [`Database::within_texts`].
    Texts(Vec<String>),
}

impl From<i64> for Param {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}
impl From<Option<i64>> for Param {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}
impl From<&str> for Param {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}
impl From<String> for Param {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}
impl From<Option<String>> for Param {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}
impl From<Vec<i64>> for Param {
    fn from(value: Vec<i64>) -> Self {
        Self::Ints(value)
    }
}
impl From<Vec<String>> for Param {
    fn from(value: Vec<String>) -> Self {
        Self::Texts(value)
    }
}

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A number.
    Int(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A row of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Row(Vec<Value>);

impl Row {
    /// A number; null counts as 0.
    pub fn int(&self, index: usize) -> i64 {
        self.opt_int(index).unwrap_or(0)
    }

    /// A number or null.
    pub fn opt_int(&self, index: usize) -> Option<i64> {
        match self.0.get(index) {
            Some(Value::Int(value)) => Some(*value),
            _ => None,
        }
    }

    /// A text; null counts as empty.
    pub fn text(&self, index: usize) -> String {
        self.opt_text(index).unwrap_or_default()
    }

    /// A text or null.
    pub fn opt_text(&self, index: usize) -> Option<String> {
        match self.0.get(index) {
            Some(Value::Text(value)) => Some(value.clone()),
            _ => None,
        }
    }

    /// Bytes; null counts as none.
    pub fn bytes(&self, index: usize) -> &[u8] {
        match self.0.get(index) {
            Some(Value::Bytes(value)) => value,
            _ => &[],
        }
    }
}

/// A database of the catalog. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Database {
    /// A file: any number of readers beside one writer.
    Sqlite {
        /// Connections that only read.
        readers: SqlitePool,
        /// The one that writes.
        writer: SqlitePool,
    },
    /// A server.
    Postgres(PgPool),
}

/// A transaction; dropped without [`Tx::commit`] it leaves no trace.
pub enum Tx {
    /// Of SQLite.
    Sqlite(Transaction<'static, Sqlite>),
    /// Of PostgreSQL.
    Postgres(Transaction<'static, Postgres>),
}

macro_rules! bind {
    ($query:expr, $params:expr, $ints:expr, $texts:expr) => {{
        let mut query = $query;
        for param in $params {
            query = match param {
                Param::Int(value) => query.bind(value),
                Param::Text(value) => query.bind(value),
                Param::Bytes(value) => query.bind(value),
                Param::Ints(values) => query.bind($ints(values)),
                Param::Texts(values) => query.bind($texts(values)),
            };
        }
        query
    }};
}

/// A list as JSON, which SQLite reads as a table.
fn json<T: serde::Serialize>(values: Vec<T>) -> String {
    serde_json::to_string(&values).unwrap_or_default()
}

fn same<T>(values: T) -> T {
    values
}

impl Database {
    /// Opens `sqlite:PATH`, `sqlite::memory:` is not offered (each connection would see another one), or
    /// `postgres://...`, and brings its tables up to date.
    ///
    /// # Errors
    /// When the address is of another kind, or the database cannot be reached or is newer than this program.
    pub async fn open(url: &str) -> Result<Self> {
        let database = if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Self::open_postgres(url).await?
        } else if let Some(path) = url.strip_prefix("sqlite:") {
            Self::open_sqlite(path.trim_start_matches("//")).await?
        } else {
            return Err(Error::Options("a database is 'sqlite:PATH' or 'postgres://USER@HOST/NAME'".into()));
        };
        super::migrations::run(&database).await?;
        Ok(database)
    }

    async fn open_sqlite(path: &str) -> Result<Self> {
        make_private(path)?;
        let options = SqliteConnectOptions::from_str("sqlite:")?
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // What was acknowledged survives the machine too: one flush a transaction, and those hold many events.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT)
            .statement_cache_capacity(STATEMENTS)
            // Statements of a thousand rows are no reading matter.
            .disable_statement_logging()
            .pragma("temp_store", "memory")
            .pragma("mmap_size", "1073741824");
        let writing = options
            .clone()
            .pragma("cache_size", format!("-{WRITER_CACHE_KIB}"))
            .pragma("wal_autocheckpoint", LOG_PAGES.to_string());
        let writer = SqlitePoolOptions::new().max_connections(1).connect_with(writing).await?;
        let reading = options.pragma("cache_size", format!("-{READER_CACHE_KIB}"));
        let readers = SqlitePoolOptions::new().max_connections(READERS).connect_with(reading).await?;
        Ok(Self::Sqlite { readers, writer })
    }

    async fn open_postgres(url: &str) -> Result<Self> {
        let options = sqlx::postgres::PgConnectOptions::from_str(url)?;
        let options = options.statement_cache_capacity(STATEMENTS).disable_statement_logging();
        Ok(Self::Postgres(PgPoolOptions::new().max_connections(READERS + 2).connect_with(options).await?))
    }

    /// Whether it is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// `column` is one of the numbers of parameter `$n`.
    pub fn within_ints(&self, column: &str, n: usize) -> String {
        match self {
            Self::Sqlite { .. } => format!("{column} IN (SELECT value FROM json_each(${n}))"),
            Self::Postgres(_) => format!("{column} = ANY(${n})"),
        }
    }

    /// `column` is one of the texts of parameter `$n`.
    pub fn within_texts(&self, column: &str, n: usize) -> String {
        self.within_ints(column, n)
    }

    /// A pattern for [`Database::has_word`]: a word, without punctuation, that begins so.
    pub fn word_pattern(&self, beginning: &str) -> String {
        match self {
            Self::Sqlite { .. } => format!("*[{SEPARATORS}]{beginning}*"),
            Self::Postgres(_) => format!("[{}]{beginning}", SEPARATORS.replace('\\', "\\\\").replace('[', "\\[")),
        }
    }

    /// `column`, a text in lower case, has a word as in the pattern of parameter `$n`.
    pub fn has_word(&self, column: &str, n: usize) -> String {
        let operator = if self.is_postgres() { "~" } else { "GLOB" };
        format!("(' ' || {column}) {operator} ${n}")
    }

    /// Table definitions in the dialect of the database.
    pub fn translate(&self, ddl: &str) -> String {
        match self {
            Self::Sqlite { .. } => ddl.replace("ID_KEY", "INTEGER PRIMARY KEY").replace("CLUSTERED", "WITHOUT ROWID"),
            Self::Postgres(_) => {
                ddl.replace("ID_KEY", "BIGINT PRIMARY KEY").replace("CLUSTERED", "").replace(" BLOB", " BYTEA")
            }
        }
    }

    /// Begins a transaction that will write.
    ///
    /// # Errors
    /// When the database is not there or, with SQLite, stays busy.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(match self {
            Self::Sqlite { writer, .. } => Tx::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// Rows of a statement that only reads.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn rows(&self, sql: &str, params: Vec<Param>) -> Result<Vec<Row>> {
        match self {
            Self::Sqlite { readers, .. } => {
                let query = bind!(sqlx::query(AssertSqlSafe(sql)), params, json, json);
                query.fetch_all(readers).await?.iter().map(sqlite_row).collect()
            }
            Self::Postgres(pool) => {
                let query = bind!(sqlx::query(AssertSqlSafe(sql)), params, same, same);
                query.fetch_all(pool).await?.iter().map(postgres_row).collect()
            }
        }
    }

    /// Runs one statement that writes.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn execute(&self, sql: &str, params: Vec<Param>) -> Result<u64> {
        let mut tx = self.begin().await?;
        let changed = tx.execute(sql, params).await?;
        tx.commit().await?;
        Ok(changed)
    }

    /// Lets go of all connections.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { readers, writer } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    /// Rows of a statement.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn rows(&mut self, sql: &str, params: Vec<Param>) -> Result<Vec<Row>> {
        match self {
            Self::Sqlite(tx) => {
                let query = bind!(sqlx::query(AssertSqlSafe(sql)), params, json, json);
                query.fetch_all(&mut **tx).await?.iter().map(sqlite_row).collect()
            }
            Self::Postgres(tx) => {
                let query = bind!(sqlx::query(AssertSqlSafe(sql)), params, same, same);
                query.fetch_all(&mut **tx).await?.iter().map(postgres_row).collect()
            }
        }
    }

    /// Runs a statement and says how many rows it changed.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn execute(&mut self, sql: &str, params: Vec<Param>) -> Result<u64> {
        Ok(match self {
            Self::Sqlite(tx) => {
                bind!(sqlx::query(AssertSqlSafe(sql)), params, json, json).execute(&mut **tx).await?.rows_affected()
            }
            Self::Postgres(tx) => {
                bind!(sqlx::query(AssertSqlSafe(sql)), params, same, same).execute(&mut **tx).await?.rows_affected()
            }
        })
    }

    /// Runs several statements without parameters.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn script(&mut self, sql: &str) -> Result<()> {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        match self {
            Self::Sqlite(tx) => sql.execute(&mut **tx).await.map(|_| ())?,
            Self::Postgres(tx) => sql.execute(&mut **tx).await.map(|_| ())?,
        }
        Ok(())
    }

    /// Whether [`Tx::copy`] is to be had, which is the fastest way in.
    pub fn copies(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Appends rows to a table: their values, one row after the other. Only PostgreSQL has it.
    ///
    /// # Errors
    /// Those of the database, and [`Error::Corrupt`] where there is no such way.
    pub async fn copy(&mut self, table: &str, columns: &[&str], values: &[Param]) -> Result<()> {
        let Self::Postgres(tx) = self else { return Err(Error::Corrupt("SQLite has no COPY".into())) };
        let mut copy = tx.copy_in_raw(&format!("COPY {table} ({}) FROM STDIN", columns.join(", "))).await?;
        let mut text = String::with_capacity(values.len() * 12);
        for row in values.chunks(columns.len().max(1)) {
            for (index, value) in row.iter().enumerate() {
                if index > 0 {
                    text.push('\t');
                }
                copied(value, &mut text);
            }
            text.push('\n');
            if text.len() >= COPIED_BYTES {
                copy.send(text.as_bytes()).await?;
                text.clear();
            }
        }
        copy.send(text.as_bytes()).await?;
        copy.finish().await?;
        Ok(())
    }

    /// Whether parameters must be numbered.
    pub fn numbers_parameters(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// See [`Database::within_ints`].
    pub fn within(&self, column: &str, n: usize) -> String {
        match self {
            Self::Sqlite(_) => format!("{column} IN (SELECT value FROM json_each(${n}))"),
            Self::Postgres(_) => format!("{column} = ANY(${n})"),
        }
    }

    /// Makes it last.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

/// Makes the file, which holds what signs tokens, for its owner's eyes only; SQLite gives its log the same mode. A file that
/// is there keeps the mode that somebody gave it.
fn make_private(path: &str) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(source) if source.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(Error::Io { what: format!("making the database file {path}"), source })
        }
        _ => Ok(()),
    }
}

/// A value in the text format of COPY. Lists stand in no table.
fn copied(value: &Param, to: &mut String) {
    match value {
        Param::Int(Some(value)) => to.push_str(&value.to_string()),
        Param::Text(Some(value)) => value.chars().for_each(|c| match c {
            '\\' => to.push_str("\\\\"),
            '\t' => to.push_str("\\t"),
            '\n' => to.push_str("\\n"),
            '\r' => to.push_str("\\r"),
            c => to.push(c),
        }),
        Param::Bytes(bytes) => {
            to.push_str("\\\\x");
            to.push_str(&super::rows::hex(bytes));
        }
        Param::Int(None) | Param::Text(None) | Param::Ints(_) | Param::Texts(_) => to.push_str("\\N"),
    }
}

fn decode<T, E>(decoded: std::result::Result<T, E>) -> Result<T>
where
    E: std::fmt::Display,
{
    decoded.map_err(|e| Error::Corrupt(e.to_string()))
}

fn sqlite_row(row: &SqliteRow) -> Result<Row> {
    let values = (0..row.len()).map(|index| {
        let raw = row.try_get_raw(index)?;
        if raw.is_null() {
            return Ok(Value::Null);
        }
        Ok(match raw.type_info().name() {
            "TEXT" => Value::Text(decode(<String as Decode<Sqlite>>::decode(raw))?),
            "BLOB" => Value::Bytes(decode(<Vec<u8> as Decode<Sqlite>>::decode(raw))?),
            _ => Value::Int(decode(<i64 as Decode<Sqlite>>::decode(raw))?),
        })
    });
    values.collect::<Result<Vec<_>>>().map(Row)
}

fn postgres_row(row: &PgRow) -> Result<Row> {
    let values = (0..row.len()).map(|index| {
        let raw = row.try_get_raw(index)?;
        if raw.is_null() {
            return Ok(Value::Null);
        }
        Ok(match raw.type_info().name() {
            "INT8" => Value::Int(decode(<i64 as Decode<Postgres>>::decode(raw))?),
            "INT4" => Value::Int(decode(<i32 as Decode<Postgres>>::decode(raw))?.into()),
            "BOOL" => Value::Int(decode(<bool as Decode<Postgres>>::decode(raw))?.into()),
            "BYTEA" => Value::Bytes(decode(<Vec<u8> as Decode<Postgres>>::decode(raw))?),
            _ => Value::Text(decode(<String as Decode<Postgres>>::decode(raw))?),
        })
    });
    values.collect::<Result<Vec<_>>>().map(Row)
}
