//! A catalog store in PostgreSQL, which several gateways may share.
//!
//! A number rises with every change. A statement looks at it first and reads the entries anew when it is not the one
//! that was seen last; whoever writes locks it and writes nothing when somebody else was faster. So every gateway plans
//! with what is declared at that moment, and no declaration is lost.

use super::{Catalogs, Medium, entries};
use entries::Place;
use headwater_types::config::{Configuration, Key, nearest};
use headwater_types::{Error, Result};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection, Row};
use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;
use tokio::runtime::Runtime;

const URL: Key = Key { name: "table.catalog-store.postgresql.url", default: "" };
const USERNAME: Key = Key { name: "table.catalog-store.postgresql.username", default: "" };
const PASSWORD: Key = Key { name: "table.catalog-store.postgresql.password", default: "" };
const SCHEMA: Key = Key { name: "table.catalog-store.postgresql.schema", default: "headwater" };
const KEYS: [&str; 4] = [URL.name, USERNAME.name, PASSWORD.name, SCHEMA.name];
const PREFIX: &str = "table.catalog-store.postgresql.";

/// How long the database may take for what one statement needs.
const TIMEOUT: Duration = Duration::from_secs(30);

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/catalog_store");

/// Entries in tables of a schema.
pub(super) struct Postgres {
    runtime: Runtime,
    options: PgConnectOptions,
    schema: String,
    /// `None` before the first use, and after it failed.
    connection: Option<PgConnection>,
    /// The number of the entries that were read or written last.
    version: i64,
}

impl Postgres {
    /// The store that a configuration names.
    ///
    /// # Errors
    /// When a value is missing or makes no sense.
    pub(super) fn from_config(config: &Configuration) -> Result<Self> {
        known_keys(config)?;
        let text = |key: Key| config.text(key).trim();
        let bad = |message: String| Error::user("bad-config-value", message);
        if text(URL).is_empty() {
            let message =
                format!("'table.catalog-store.kind' = 'postgresql' needs '{}': postgresql://HOST/NAME", URL.name);
            return Err(Error::user("missing-option", message));
        }
        if has_password(text(URL)) {
            return Err(bad(format!("'{}' must not hold a password: set '{}'", URL.name, PASSWORD.name)));
        }
        let mut options = PgConnectOptions::from_str(text(URL))
            .map_err(|error| bad(format!("'{}' is no URL of PostgreSQL: {error}", URL.name)))?;
        if !text(USERNAME).is_empty() {
            options = options.username(text(USERNAME));
        }
        if !text(PASSWORD).is_empty() {
            options = options.password(text(PASSWORD));
        }
        let schema = text(SCHEMA).to_owned();
        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !schema.chars().all(is_word) || !schema.starts_with(|c: char| is_word(c) && !c.is_ascii_digit()) {
            return Err(bad(format!("'{}' has to be a name of a-z, 0-9 and _, not '{schema}'", SCHEMA.name)));
        }
        let options = options.application_name("headwater").options([("search_path", schema.as_str())]);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime =
            runtime.map_err(|e| Error::retryable("no-runtime", "no runtime could be started").with_source(e))?;
        Ok(Self { runtime, options, schema, connection: None, version: -1 })
    }

    /// Does something with the connection, which is made when there is none. After an error there is none.
    fn with<T>(&mut self, work: impl AsyncFnOnce(&mut PgConnection, &mut i64) -> Result<T>) -> Result<T> {
        let Self { runtime, options, schema, connection, version } = self;
        let bounded = async {
            let done = async {
                let mut current = match connection.take() {
                    Some(current) => current,
                    None => open(options, schema).await?,
                };
                let done = work(&mut current, version).await?;
                *connection = Some(current);
                Ok::<T, Error>(done)
            };
            tokio::time::timeout(TIMEOUT, done).await
        };
        let done = runtime.block_on(bounded);
        let late = |_| {
            let message = format!("the database of the catalog store did not answer within {} s", TIMEOUT.as_secs());
            Error::retryable("catalog-store", message)
        };
        done.map_err(late)?
    }
}

impl Medium for Postgres {
    fn is_current(&mut self) -> Result<bool> {
        self.with(async |connection, known| Ok(version(connection, "").await? == *known))
    }

    fn read(&mut self) -> Result<Catalogs> {
        self.with(async |connection, known| {
            let mut transaction = connection.begin().await.map_err(unusable)?;
            let found = version(&mut transaction, " FOR SHARE").await?;
            let rows = sqlx::query("SELECT catalog, database, relation, content FROM catalog_store_entries");
            let rows = rows.fetch_all(&mut *transaction).await.map_err(unusable)?;
            transaction.commit().await.map_err(unusable)?;
            let mut all = BTreeMap::new();
            for row in rows {
                let text = |at: usize| row.try_get::<String, _>(at).map_err(unusable);
                all.insert([text(0)?, text(1)?, text(2)?], text(3)?);
            }
            *known = found;
            entries::assemble(&all)
        })
    }

    fn write(&mut self, before: &Catalogs, after: &Catalogs) -> Result<()> {
        let (old, new) = (entries::of(before)?, entries::of(after)?);
        self.with(async |connection, known| {
            let mut transaction = connection.begin().await.map_err(unusable)?;
            if version(&mut transaction, " FOR UPDATE").await? != *known {
                return Err(changed_elsewhere());
            }
            for place in old.keys().filter(|place| !new.contains_key(*place)) {
                remove(&mut transaction, place).await?;
            }
            for (place, content) in new.iter().filter(|(place, content)| old.get(*place) != Some(content)) {
                put(&mut transaction, place, content).await?;
            }
            let next = sqlx::query("UPDATE catalog_store_version SET version = version + 1");
            next.execute(&mut *transaction).await.map_err(unusable)?;
            transaction.commit().await.map_err(unusable)?;
            *known += 1;
            Ok(())
        })
    }
}

/// Connects, and brings the tables up to date.
async fn open(options: &PgConnectOptions, schema: &str) -> Result<PgConnection> {
    let mut connection = PgConnection::connect_with(options).await.map_err(unusable)?;
    // The name was checked to be one.
    let create = sqlx::query(AssertSqlSafe(format!("CREATE SCHEMA IF NOT EXISTS {schema}")));
    create.execute(&mut connection).await.map_err(unusable)?;
    MIGRATIONS.run(&mut connection).await.map_err(|error| {
        let message = format!("the tables of the catalog store cannot be brought up to date: {error}");
        Error::user("catalog-store", message)
    })?;
    Ok(connection)
}

async fn version(connection: &mut PgConnection, lock: &'static str) -> Result<i64> {
    let query = format!("SELECT version FROM catalog_store_version{lock}");
    let row = sqlx::query(AssertSqlSafe(query)).fetch_one(connection).await.map_err(unusable)?;
    row.try_get(0).map_err(unusable)
}

async fn remove(connection: &mut PgConnection, [catalog, database, relation]: &Place) -> Result<()> {
    sqlx::query("DELETE FROM catalog_store_entries WHERE catalog = $1 AND database = $2 AND relation = $3")
        .bind(catalog)
        .bind(database)
        .bind(relation)
        .execute(connection)
        .await
        .map(drop)
        .map_err(unusable)
}

async fn put(connection: &mut PgConnection, [catalog, database, relation]: &Place, content: &str) -> Result<()> {
    sqlx::query(
        "INSERT INTO catalog_store_entries (catalog, database, relation, content) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (catalog, database, relation) DO UPDATE SET content = EXCLUDED.content",
    )
    .bind(catalog)
    .bind(database)
    .bind(relation)
    .bind(content)
    .execute(connection)
    .await
    .map(drop)
    .map_err(unusable)
}

/// Refuses keys that look like ours and are not, such as misspelled ones.
fn known_keys(config: &Configuration) -> Result<()> {
    let mut keys = config.iter().map(|(key, _)| key);
    match keys.find(|key| key.starts_with(PREFIX) && !KEYS.contains(key)) {
        None => Ok(()),
        Some(unknown) => {
            let near = nearest(unknown, KEYS).map(|near| format!("; did you mean '{near}'?"));
            let message = format!("'{unknown}' is no key of the catalog store{}", near.unwrap_or_default());
            Err(Error::user("bad-config-value", message))
        }
    }
}

/// Whether a URL holds a password, which would be shown with the configuration.
fn has_password(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else { return false };
    let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = place.split('/').next().unwrap_or_default();
    let in_authority = authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'));
    in_authority || parameters.split('&').any(|parameter| parameter.starts_with("password="))
}

fn changed_elsewhere() -> Error {
    let message = "another gateway has declared something at the same moment: run the statement again";
    Error::retryable("catalog-store-conflict", message)
}

fn unusable(error: sqlx::Error) -> Error {
    Error::retryable("catalog-store", format!("the database of the catalog store cannot be used: {error}"))
}
