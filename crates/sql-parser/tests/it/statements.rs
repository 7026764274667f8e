//! Every statement.

use headwater_sql_parser::ast::{ColumnKind, Statement};
use headwater_sql_parser::parse_statement;

use crate::roundtrip::{check_lines, statement};

fn check(lines: &str) {
    check_lines(lines, statement);
}

#[test]
fn create_table() {
    check(
        "
        CREATE TABLE t
        CREATE TABLE t () WITH ('connector' = 'x') ~> CREATE TABLE t WITH ('connector' = 'x')
        CREATE TEMPORARY TABLE IF NOT EXISTS c.d.t (a INT NOT NULL COMMENT 'key', PRIMARY KEY (a) NOT ENFORCED) COMMENT 'it''s' WITH ('k' = 'v', 'l' = '')
        CREATE TABLE t (a INT PRIMARY KEY NOT ENFORCED, b STRING UNIQUE, c INT CONSTRAINT n PRIMARY KEY ENFORCED)
        CREATE TABLE t (ts TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL COMMENT 'x', m INT METADATA, n INT METADATA VIRTUAL)
        CREATE TABLE t (a INT, b AS a + 1 COMMENT 'x', p AS PROCTIME())
        CREATE TABLE t (ts TIMESTAMP(3), r ROW<ts TIMESTAMP(3)>, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND, CONSTRAINT pk PRIMARY KEY (ts, r) NOT ENFORCED)
        CREATE TABLE t (WATERMARK FOR r.ts AS SOURCE_WATERMARK(), a INT) ~> CREATE TABLE t (a INT, WATERMARK FOR r.ts AS SOURCE_WATERMARK())
        CREATE TABLE t (a INT) DISTRIBUTED BY HASH(a, b) INTO 4 BUCKETS PARTITIONED BY (a) WITH ('k' = 'v')
        CREATE TABLE t (a INT) DISTRIBUTED BY (a)
        CREATE TABLE t (a INT) DISTRIBUTED INTO 4 BUCKETS
        CREATE TABLE t (a INT) DISTRIBUTED BY RANGE(a)
        CREATE TABLE t (a INT) USING CONNECTION c WITH ('k' = 'v')
        CREATE TABLE t LIKE s
        CREATE TABLE t (a INT) WITH ('k' = 'v') LIKE s (INCLUDING ALL OVERWRITING OPTIONS EXCLUDING WATERMARKS INCLUDING GENERATED EXCLUDING METADATA EXCLUDING PARTITIONS EXCLUDING CONSTRAINTS EXCLUDING DISTRIBUTION)
        CREATE TABLE t WITH ('k' = 'v') AS SELECT * FROM s
        CREATE TABLE t (a, b) AS SELECT b, a FROM s
        REPLACE TABLE t AS SELECT 1
        CREATE OR REPLACE TABLE t (a INT) AS SELECT 1
    ",
    );
}

#[test]
fn columns_keep_their_kind() {
    let sql = "CREATE TABLE t (a INT, b INT METADATA, c AS a, d)";
    let Statement::CreateTable(table) = parse_statement(sql).expect("valid") else {
        panic!("not a table");
    };
    let kinds: Vec<&str> = table.schema.columns.iter().map(|column| kind(&column.kind)).collect();
    assert_eq!(kinds, ["physical", "metadata", "computed", "name"]);
    assert_eq!(table.schema.columns[1].span.text(sql), "b INT METADATA");
}

fn kind(kind: &ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Physical { .. } => "physical",
        ColumnKind::Metadata { .. } => "metadata",
        ColumnKind::Computed(_) => "computed",
        ColumnKind::NameOnly => "name",
    }
}

#[test]
fn create_others() {
    check(
        "
        CREATE VIEW v AS SELECT 1
        CREATE TEMPORARY VIEW IF NOT EXISTS d.v (a, b COMMENT 'x') COMMENT 'y' AS SELECT 1, 2
        CREATE OR REPLACE VIEW v AS SELECT 1
        CREATE CATALOG IF NOT EXISTS c COMMENT 'x' WITH ('type' = 'generic_in_memory')
        CREATE DATABASE IF NOT EXISTS c.d COMMENT 'x' WITH ('k' = 'v')
        CREATE FUNCTION f AS 'com.F'
        CREATE TEMPORARY SYSTEM FUNCTION IF NOT EXISTS f AS 'm.f' LANGUAGE PYTHON USING JAR 'a', ARTIFACT 'b' WITH ('k' = 'v')
        CREATE TEMPORARY FUNCTION c.d.f AS 'com.F' LANGUAGE JAVA USING JAR 'a'
        CREATE MODEL IF NOT EXISTS m INPUT (a INT COMMENT 'x', b STRING) OUTPUT (c DOUBLE) COMMENT 'y' WITH ('provider' = 'p')
        CREATE TEMPORARY MODEL m WITH ('k' = 'v') AS SELECT 1
        CREATE CONNECTION IF NOT EXISTS c COMMENT 'x' WITH ('k' = 'v')
        CREATE TEMPORARY SYSTEM CONNECTION c WITH ('k' = 'v')
        CREATE MATERIALIZED TABLE IF NOT EXISTS m (PRIMARY KEY (a) NOT ENFORCED) COMMENT 'x' PARTITIONED BY (a) WITH ('k' = 'v') FRESHNESS = INTERVAL '3' MINUTE REFRESH_MODE = FULL AS SELECT 1
        CREATE OR ALTER MATERIALIZED TABLE m START_MODE = FROM_NOW(INTERVAL '1' DAY) REFRESH_MODE = CONTINUOUS AS SELECT 1
        CREATE MATERIALIZED TABLE m START_MODE = RESUME_OR_FROM_BEGINNING AS SELECT 1
    ",
    );
}

#[test]
fn alter() {
    check(
        "
        ALTER TABLE IF EXISTS t RENAME TO u
        ALTER TABLE t RENAME a.b TO c
        ALTER TABLE t SET ('k' = 'v', 'k' = 'w')
        ALTER TABLE t SET ()
        ALTER TABLE t RESET ('k', 'l')
        ALTER TABLE t ADD a INT FIRST ~> ALTER TABLE t ADD (a INT FIRST)
        ALTER TABLE t ADD (a INT COMMENT 'x' AFTER b.c, PRIMARY KEY (a) NOT ENFORCED, WATERMARK FOR ts AS ts, m AS a + 1)
        ALTER TABLE t ADD CONSTRAINT c UNIQUE (a) ~> ALTER TABLE t ADD (CONSTRAINT c UNIQUE (a))
        ALTER TABLE t ADD DISTRIBUTION BY HASH(a) INTO 2 BUCKETS ~> ALTER TABLE t ADD (DISTRIBUTION BY HASH(a) INTO 2 BUCKETS)
        ALTER TABLE t MODIFY (a STRING NOT NULL FIRST, WATERMARK FOR ts AS ts)
        ALTER TABLE t MODIFY DISTRIBUTION INTO 3 BUCKETS ~> ALTER TABLE t MODIFY (DISTRIBUTION INTO 3 BUCKETS)
        ALTER TABLE t DROP a ~> ALTER TABLE t DROP (a)
        ALTER TABLE t DROP (a, b.c)
        ALTER TABLE t DROP PRIMARY KEY
        ALTER TABLE t DROP CONSTRAINT c
        ALTER TABLE t DROP WATERMARK
        ALTER TABLE t DROP DISTRIBUTION
        ALTER TABLE t ADD IF NOT EXISTS PARTITION (a = 1, b = 'x') WITH ('k' = 'v') PARTITION (a = 2)
        ALTER TABLE t DROP IF EXISTS PARTITION (a = 1), PARTITION (a = 2)
        ALTER VIEW v RENAME TO w
        ALTER VIEW v AS SELECT 1
        ALTER DATABASE c.d SET ('k' = 'v')
        ALTER CATALOG c SET ('k' = 'v')
        ALTER CATALOG c RESET ('k')
        ALTER CATALOG c COMMENT 'x'
        ALTER TEMPORARY SYSTEM FUNCTION IF EXISTS f AS 'x' LANGUAGE SCALA
        ALTER FUNCTION d.f AS 'x'
        ALTER MODEL IF EXISTS m SET ('k' = 'v')
        ALTER MODEL m RENAME TO n
        ALTER CONNECTION c RESET ('k')
        ALTER MATERIALIZED TABLE m SUSPEND
        ALTER MATERIALIZED TABLE m RESUME WITH ('k' = 'v')
        ALTER MATERIALIZED TABLE m REFRESH PARTITION (a = 1)
        ALTER MATERIALIZED TABLE m REFRESH
        ALTER MATERIALIZED TABLE m AS SELECT 1
        ALTER MATERIALIZED TABLE m ADD (a AS 1)
        ALTER MATERIALIZED TABLE m RENAME TO n
    ",
    );
}

#[test]
fn drop() {
    check(
        "
        DROP CATALOG IF EXISTS c
        DROP DATABASE d CASCADE
        DROP DATABASE IF EXISTS c.d RESTRICT
        DROP TEMPORARY TABLE IF EXISTS t
        DROP MATERIALIZED TABLE m
        DROP VIEW v
        DROP TEMPORARY VIEW v
        DROP TEMPORARY SYSTEM FUNCTION IF EXISTS f
        DROP MODEL IF EXISTS m
        DROP TEMPORARY CONNECTION IF EXISTS c
    ",
    );
}

#[test]
fn data_manipulation() {
    check(
        "
        INSERT INTO t SELECT 1
        INSERT INTO t /*+ OPTIONS('a' = 'b') */ VALUES (1), (2) ~> INSERT INTO t /*+ OPTIONS('a' = 'b') */ VALUES 1, 2
        INSERT INTO t (a, b.c) VALUES (1, 2)
        INSERT INTO t (SELECT 1) UNION ALL (SELECT 2)
        INSERT INTO t ((SELECT 1)) ~> INSERT INTO t SELECT 1
        INSERT OVERWRITE t PARTITION (a = 1, b) (c) SELECT 1
        INSERT INTO t SELECT * FROM s ON CONFLICT DO NOTHING
        INSERT INTO t SELECT * FROM s JOIN r ON TRUE ON CONFLICT DO DEDUPLICATE
        INSERT INTO t WITH c AS (SELECT 1) SELECT * FROM c ON CONFLICT DO ERROR
        EXECUTE INSERT INTO t SELECT 1 ~> INSERT INTO t SELECT 1
        EXECUTE SELECT 1 ~> SELECT 1
        EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; INSERT INTO b SELECT CASE WHEN c THEN 1 END; END
        STATEMENT SET BEGIN INSERT INTO a SELECT 1; END ~> EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; END
        BEGIN STATEMENT SET
        END
        COMPILE PLAN 'p' IF NOT EXISTS FOR INSERT INTO t SELECT 1
        COMPILE AND EXECUTE PLAN 'p' FOR STATEMENT SET BEGIN INSERT INTO a SELECT 1; END
        EXECUTE PLAN 'p'
        UPDATE t AS x SET a = a + 1, b = NULL WHERE c
        DELETE FROM t WHERE a = 1
        DELETE FROM t
        TRUNCATE TABLE a.b.t
        ANALYZE TABLE t COMPUTE STATISTICS
        ANALYZE TABLE t PARTITION (a = 1, b) COMPUTE STATISTICS FOR COLUMNS a, b
        ANALYZE TABLE t COMPUTE STATISTICS FOR ALL COLUMNS
        CALL c.d.p(1, a => 'x')
        CALL p()
    ",
    );
}

#[test]
fn show_and_describe() {
    check(
        "
        SHOW CATALOGS
        SHOW CATALOGS NOT ILIKE 'a%'
        SHOW CURRENT CATALOG
        SHOW CURRENT DATABASE
        SHOW DATABASES IN c LIKE 'x' ~> SHOW DATABASES FROM c LIKE 'x'
        SHOW TABLES
        SHOW TABLES FROM c.d NOT LIKE 'a%'
        SHOW VIEWS FROM d
        SHOW MATERIALIZED TABLES LIKE 'x'
        SHOW FUNCTIONS
        SHOW USER FUNCTIONS FROM d ILIKE 'x'
        SHOW PROCEDURES FROM d
        SHOW MODELS
        SHOW CONNECTIONS FROM d LIKE 'x'
        SHOW MODULES
        SHOW FULL MODULES
        SHOW COLUMNS FROM t LIKE 'x'
        SHOW PARTITIONS t PARTITION (a = 1)
        SHOW CREATE TABLE t
        SHOW CREATE VIEW v
        SHOW CREATE CATALOG c
        SHOW CREATE MODEL m
        SHOW CREATE CONNECTION c
        SHOW CREATE OR ALTER MATERIALIZED TABLE m
        SHOW JARS
        SHOW JOBS
        DESC t ~> DESCRIBE t
        DESCRIBE EXTENDED a.b
        DESCRIBE CATALOG EXTENDED c
        DESCRIBE catalog ~> DESCRIBE catalog
        DESCRIBE FUNCTION EXTENDED f
        DESC DATABASE EXTENDED d ~> DESCRIBE DATABASE EXTENDED d
        DESCRIBE MODEL m
        DESCRIBE CONNECTION EXTENDED c
        DESCRIBE JOB 'id'
        EXPLAIN SELECT 1
        EXPLAIN PLAN FOR SELECT 1 ~> EXPLAIN SELECT 1
        EXPLAIN ESTIMATED_COST, CHANGELOG_MODE, PLAN_ADVICE, JSON_EXECUTION_PLAN INSERT INTO t SELECT 1
        EXPLAIN SELECT a FROM t COMPATIBLE WITH 'file:/savepoints/1'
        EXPLAIN CHANGELOG_MODE INSERT INTO t SELECT 1 COMPATIBLE WITH 's'
        EXPLAIN STATEMENT SET BEGIN INSERT INTO t SELECT 1; END
        EXPLAIN CREATE TABLE t AS SELECT 1
    ",
    );
}

#[test]
fn session() {
    check(
        "
        USE CATALOG c
        USE c.d
        USE MODULES core, hive
        SET
        SET 'k' = 'v'
        RESET
        RESET 'k'
        LOAD MODULE m WITH ('k' = 'v')
        UNLOAD MODULE m
        ADD JAR 'x'
        REMOVE JAR 'x'
        STOP JOB 'id' WITH SAVEPOINT WITH DRAIN
        STOP JOB 'id'
        QUIT
        exit ~> QUIT
        CLEAR
        HELP
        SOURCE 'file'
    ",
    );
}

#[test]
fn non_reserved_keywords_are_names() {
    check(
        "
        SELECT name, key, ts, type, data, state, job, size, first, last, model, source, version FROM options AS plan
        CREATE TABLE events (id INT, name STRING, type STRING, location STRING, path STRING)
        SELECT load, stop, add FROM help, jar
    ",
    );
}

#[test]
fn reserved_words_need_backticks() {
    for word in [
        "value",
        "date",
        "timestamp",
        "time",
        "year",
        "language",
        "method",
        "result",
        "row",
        "start",
        "end",
        "order",
        "table",
        "comment",
        "user",
        "count",
    ] {
        let sql = format!("CREATE TABLE t ({word} INT)");
        let error = parse_statement(&sql).expect_err(word);
        let hint = error.hint.expect("a hint");
        assert!(hint.contains(&format!("`{word}`")), "{hint}");
        statement(&format!("CREATE TABLE t (`{word}` INT)"));
    }
}
