use super::*;
use headwater_sql::SqlError;
use headwater_sql_parser::parse_script;

/// Runs statements in a session on a store; what the last one shows.
fn run(store: &CatalogStore, engine: &mut Engine, script: &str) -> std::result::Result<Vec<String>, SqlError> {
    let (statements, error) = parse_script(script);
    assert!(error.is_none(), "{error:?}");
    let mut shown = vec![];
    for parsed in &statements {
        let result = store.around(engine, true, |engine| engine.execute(&parsed.statement, script))?;
        if let headwater_sql::session::StatementResult::Rows(rows) = result {
            shown = rows.rows.into_iter().map(|row| row[0].clone().unwrap_or_default()).collect();
        }
    }
    Ok(shown)
}

const DECLARATIONS: &str = "
CREATE CATALOG `my cat/../alog` COMMENT 'mine' WITH ('type' = 'generic_in_memory', 'default-database' = 'db');
CREATE DATABASE `my cat/../alog`.`d.b` COMMENT 'a database' WITH ('k' = 'v');
CREATE TABLE `my cat/../alog`.`d.b`.orders (
  id BIGINT, ts TIMESTAMP(3), total AS id * 2, `key` STRING METADATA VIRTUAL,
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND, PRIMARY KEY (id) NOT ENFORCED
) COMMENT 'some' WITH ('connector' = 'datagen', 'a.password' = 'hunter2');
CREATE TABLE t (id INT) WITH ('connector' = 'datagen');
CREATE VIEW v AS SELECT id + 1 AS n FROM t;
CREATE TEMPORARY TABLE gone (id INT) WITH ('connector' = 'datagen');";

#[test]
fn what_is_declared_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let before = {
        let store = CatalogStore::open(directory.path()).unwrap();
        let mut engine = Engine::new(Configuration::new());
        run(&store, &mut engine, DECLARATIONS).unwrap();
        engine.session().catalog().catalogs().clone()
    };
    let store = CatalogStore::open(directory.path()).unwrap();
    let mut engine = Engine::new(Configuration::new());
    assert_eq!(run(&store, &mut engine, "SHOW TABLES").unwrap(), ["t", "v"]);
    assert_eq!(engine.session().catalog().catalogs(), &before);
    run(&store, &mut engine, "DESCRIBE v; USE CATALOG `my cat/../alog`; USE `d.b`; DESCRIBE orders").unwrap();
    let files: Vec<_> = std::fs::read_dir(directory.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(files.len(), 4, "nothing is written beside the store: {files:?}");
}

#[test]
fn sessions_of_a_store_see_what_others_declare_and_drop() {
    let directory = tempfile::tempdir().unwrap();
    let store = CatalogStore::open(directory.path()).unwrap();
    let (mut one, mut two) = (Engine::new(Configuration::new()), Engine::new(Configuration::new()));
    run(&store, &mut one, DECLARATIONS).unwrap();
    assert_eq!(run(&store, &mut two, "SHOW TABLES").unwrap(), ["t", "v"]);
    run(&store, &mut two, "DROP VIEW v; ALTER TABLE t RENAME TO u").unwrap();
    assert_eq!(run(&store, &mut one, "SHOW TABLES").unwrap(), ["gone", "u"], "temporary ones are one's own");
    run(&store, &mut two, "DROP CATALOG `my cat/../alog`").unwrap();
    assert!(run(&store, &mut one, "USE CATALOG `my cat/../alog`").is_err());
    assert_eq!(files::read(directory.path()).unwrap(), *one.session().catalog().catalogs());
}

#[test]
fn a_store_that_cannot_be_written_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = CatalogStore::open(directory.path()).unwrap();
    let mut engine = Engine::new(Configuration::new());
    run(&store, &mut engine, "CREATE TABLE t (id INT) WITH ('connector' = 'datagen')").unwrap();
    let place = directory.path().join("default_catalog").join("default_database");
    std::fs::rename(&place, directory.path().join("away")).unwrap();
    std::fs::write(&place, "a file where the directory was").unwrap();
    let error = run(&store, &mut engine, "CREATE TABLE u (id INT) WITH ('connector' = 'datagen')").unwrap_err();
    assert_eq!(error.code, "catalog-store");
    assert!(engine.session().catalog().relation_names("default_catalog", "default_database") == ["t"]);
}

#[test]
fn damage_is_named() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("c.yaml"), "type: [generic").unwrap();
    let error = CatalogStore::open(directory.path()).err().unwrap();
    assert!(error.message().contains("c.yaml"), "{error}");
    std::fs::write(directory.path().join("c.yaml"), "type: generic_in_memory\n").unwrap();
    std::fs::create_dir(directory.path().join("c")).unwrap();
    std::fs::write(directory.path().join("c").join("d.json"), "{").unwrap();
    let error = CatalogStore::open(directory.path()).err().unwrap();
    assert!(error.message().contains("d.json") && error.message().contains("catalog 'c'"), "{error}");
}

fn on_postgres(url: &str, schema: &str) -> CatalogStore {
    let mut config = Configuration::new();
    config.set(KIND.name, "postgresql");
    config.set("table.catalog-store.postgresql.url", url);
    config.set("table.catalog-store.postgresql.schema", schema);
    CatalogStore::from_config(&config).unwrap().unwrap()
}

/// One server for all of this: its start takes longest.
#[test]
fn a_database_keeps_catalogs_and_is_shared() {
    let server = headwater_test_servers::postgres::Postgres::start().unwrap();
    survives_a_restart(&server.url());
    is_shared_by_gateways(&server.url());
    names_damage(&server.url());
    drop(server);
    let mut config = Configuration::new();
    config.set(KIND.name, "postgresql");
    config.set("table.catalog-store.postgresql.url", "postgresql://postgres@127.0.0.1:1/postgres");
    let error = CatalogStore::from_config(&config).err().unwrap();
    assert_eq!(error.code(), "catalog-store");
}

fn survives_a_restart(url: &str) {
    let mut engine = Engine::new(Configuration::new());
    run(&on_postgres(url, "headwater"), &mut engine, DECLARATIONS).unwrap();
    let before = engine.session().catalog().catalogs().clone();
    let mut engine = Engine::new(Configuration::new());
    let store = on_postgres(url, "headwater");
    assert_eq!(run(&store, &mut engine, "SHOW TABLES").unwrap(), ["t", "v"]);
    assert_eq!(engine.session().catalog().catalogs(), &before);
    let mut other = Engine::new(Configuration::new());
    assert!(run(&on_postgres(url, "empty"), &mut other, "SHOW TABLES").unwrap().is_empty(), "a schema of its own");
}

fn is_shared_by_gateways(url: &str) {
    let [one, two] = ["shared", "shared"].map(|schema| on_postgres(url, schema));
    let (mut first, mut second) = (Engine::new(Configuration::new()), Engine::new(Configuration::new()));
    run(&one, &mut first, DECLARATIONS).unwrap();
    assert_eq!(run(&two, &mut second, "SHOW TABLES").unwrap(), ["t", "v"]);
    run(&two, &mut second, "DROP VIEW v; ALTER TABLE t RENAME TO u").unwrap();
    assert_eq!(run(&one, &mut first, "SHOW TABLES").unwrap(), ["gone", "u"], "temporary ones are one's own");
    let create = "CREATE TABLE w (id INT) WITH ('connector' = 'datagen')";
    // While one gateway executes a statement, another declares something.
    let conflict = one.around(&mut first, true, |engine| {
        run(&two, &mut second, create).unwrap();
        let (statements, _) = parse_script(create);
        engine.execute(&statements[0].statement, create)
    });
    assert_eq!(conflict.err().unwrap().code, "catalog-store-conflict");
    assert_eq!(
        run(&one, &mut first, "SHOW TABLES").unwrap(),
        ["gone", "u", "w"],
        "what the other one declared is there"
    );
}

fn names_damage(url: &str) {
    run(&on_postgres(url, "damaged"), &mut Engine::new(Configuration::new()), DECLARATIONS).unwrap();
    let spoil = "UPDATE damaged.catalog_store_entries SET content = '{' WHERE relation = 't'";
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        use sqlx::Connection as _;
        let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
        sqlx::query(spoil).execute(&mut connection).await.unwrap();
    });
    let mut config = Configuration::new();
    config.set(KIND.name, "postgresql");
    config.set("table.catalog-store.postgresql.url", url);
    config.set("table.catalog-store.postgresql.schema", "damaged");
    let error = CatalogStore::from_config(&config).err().unwrap();
    assert!(error.message().contains("default_catalog.default_database.t"), "{error}");
}

#[test]
fn the_configuration_says_whether_there_is_a_store() {
    let store = |pairs: &[(&str, &str)]| {
        let mut config = Configuration::new();
        pairs.iter().for_each(|(key, value)| config.set(*key, *value));
        CatalogStore::from_config(&config).map(|store| store.is_some()).map_err(|error| error.code())
    };
    let directory = tempfile::tempdir().unwrap();
    let path = format!("file://{}", directory.path().display());
    assert_eq!(store(&[]), Ok(false));
    assert_eq!(store(&[(KIND.name, "file")]), Err("missing-option"));
    assert_eq!(store(&[(KIND.name, "file"), (FILE_PATH.name, &path)]), Ok(true));
    assert_eq!(store(&[(KIND.name, "hive")]), Err("bad-config-value"));
    let postgres = |pairs: &[(&str, &str)]| {
        let pairs: Vec<_> =
            pairs.iter().map(|(key, value)| (format!("table.catalog-store.postgresql.{key}"), *value)).collect();
        let mut all = vec![(KIND.name, "postgresql")];
        all.extend(pairs.iter().map(|(key, value)| (key.as_str(), *value)));
        store(&all)
    };
    assert_eq!(postgres(&[]), Err("missing-option"));
    for (key, value) in [
        ("url", "postgresql://me:secret@localhost/db"),
        ("url", "postgresql://localhost/db?password=secret"),
        ("url", "http//nothing"),
        ("schema", "a; DROP TABLE x"),
        ("schema", "1a"),
        ("pasword", "x"),
    ] {
        let pairs = [("url", "postgresql://localhost/db"), (key, value)];
        assert_eq!(postgres(&pairs), Err("bad-config-value"), "{key} {value}");
    }
}
