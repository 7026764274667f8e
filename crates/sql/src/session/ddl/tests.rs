//! DDL by scripts: every line of the output is the answer of one statement.

use crate::session::tests::run;
use expect_test::expect;

#[test]
fn temporary_tables_shadow_permanent_ones() {
    expect![[r#"
        ok
        ok
        b
        error: Temporary table with identifier '`default_catalog`.`default_database`.`t`' exists. Drop it first before removing the permanent table.
        ok
        a
        ok
        error: Table with identifier 'default_catalog.default_database.t' does not exist."#]]
    .assert_eq(&run("CREATE TABLE t (a INT); CREATE TEMPORARY TABLE t (b INT); SHOW COLUMNS FROM t; DROP TABLE t;
                     DROP TEMPORARY TABLE t; SHOW COLUMNS FROM t; DROP TABLE t; DROP TABLE t;"));
}

#[test]
fn declarations_are_validated() {
    for (statement, expected) in [
        ("CREATE TABLE t (a INT, a INT)", "A regular Column named 'a' already exists in the table."),
        ("CREATE TABLE t (a INT, PRIMARY KEY (b) NOT ENFORCED)", "Primary key column 'b' is not defined in the schema"),
        ("CREATE TABLE t (a INT, PRIMARY KEY (a, a) NOT ENFORCED)", "the primary key names the column 'a' twice"),
        ("CREATE TABLE t (a INT, PRIMARY KEY (a))", "Flink doesn't support ENFORCED mode for PRIMARY KEY"),
        ("CREATE TABLE t (a AS 1, PRIMARY KEY (a) NOT ENFORCED)", "Could not create a PRIMARY KEY with column 'a'."),
        ("CREATE TABLE t (a INT) PARTITIONED BY (b)", "Partition column 'b' not defined in the table schema."),
        ("CREATE TABLE t (a INT, WATERMARK FOR b AS b)", "The rowtime attribute field 'b' is not defined"),
        ("CREATE TABLE t (a INT, WATERMARK FOR a AS a)", "Invalid data type of time field for watermark definition."),
        ("CREATE TABLE t (a TIMESTAMP(6), WATERMARK FOR a AS a)", "Invalid data type of time field for watermark"),
        ("CREATE TABLE t (a DECIMAL(39, 2))", "DECIMAL(39, 2): the precision must be between 1 and 38"),
        ("CREATE TABLE t (a TIMESTAMP(10))", "the precision of TIMESTAMP must be between 0 and 9, not 10"),
    ] {
        let answer = run(statement);
        assert!(answer.starts_with(&format!("error: {expected}")), "{statement}\n{answer}");
    }
}

#[test]
fn like_merges_feature_by_feature() {
    let base = "CREATE TABLE base (a INT, c AS a + 1, ts TIMESTAMP(3), PRIMARY KEY (a) NOT ENFORCED,
                WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'x', 'k' = '1');";
    expect![[r#"
        ok
        ok
        CREATE TABLE `default_catalog`.`default_database`.`t` (
          `a` INT NOT NULL,
          `ts` TIMESTAMP(3),
          `b` VARCHAR(2147483647),
          CONSTRAINT `PK_a` PRIMARY KEY (`a`) NOT ENFORCED
        )
        WITH (
          'connector' = 'x',
          'k' = '2'
        )
    "#]]
    .assert_eq(&run(&format!(
        "{base} CREATE TABLE t (b STRING) WITH ('k' = '2') LIKE base (EXCLUDING GENERATED EXCLUDING WATERMARKS);
         SHOW CREATE TABLE t"
    )));
    for (clause, expected) in [
        ("CREATE TABLE t (a INT) LIKE base", "A column named 'a' already exists in the base table."),
        ("CREATE TABLE t (c AS a + 2) LIKE base", "A generated column named 'c' already exists in the base table."),
        ("CREATE TABLE t (b INT, PRIMARY KEY (b) NOT ENFORCED) LIKE base", "The base table already has a primary key."),
        ("CREATE TABLE t WITH ('k' = '2') LIKE base (INCLUDING ALL)", "There already exists an option ['k' -> '1']"),
        (
            "CREATE TABLE t LIKE base (OVERWRITING CONSTRAINTS)",
            "Illegal merging strategy 'OVERWRITING' for 'CONSTRAINTS'",
        ),
        ("CREATE TABLE t (WATERMARK FOR ts AS ts) LIKE base", "There already exists a watermark spec for column 'ts'"),
    ] {
        let answer = run(&format!("{base} {clause}"));
        assert!(answer.contains(&format!("error: {expected}")), "{clause}\n{answer}");
    }
}

#[test]
fn alter_refuses_to_break_what_refers_to_a_column() {
    let base = "CREATE TABLE t (a INT, b INT, c AS b + 1, d INT, PRIMARY KEY (a) NOT ENFORCED);";
    for (action, expected) in [
        ("DROP b", "The column `b` is referenced by computed column `c`."),
        ("DROP a", "The column `a` is used as the primary key."),
        ("DROP z", "The column `z` does not exist in the base table."),
        ("RENAME b TO e", "The column `b` is referenced by computed column `c`."),
        ("RENAME d TO a", "The column `a` already existed in table schema."),
        ("ADD PRIMARY KEY (d) NOT ENFORCED", "The current table has already defined the primary key constraint [`a`]."),
        ("DROP CONSTRAINT x", "The current table does not define a primary key constraint named 'x'."),
        ("DROP WATERMARK", "The current table does not define any watermark strategy."),
        ("MODIFY z INT", "Column `z` does not exist in the table."),
    ] {
        let answer = run(&format!("{base} ALTER TABLE t {action}"));
        let expected = format!("error: Failed to execute ALTER TABLE statement.\n{expected}");
        assert!(answer.contains(&expected), "{action}\n{answer}");
    }
    assert_eq!(
        run(&format!("{base} ALTER TABLE t DROP (b, c); ALTER TABLE t RENAME a TO z; SHOW COLUMNS FROM t")),
        "ok\nok\nok\nz\nd"
    );
}

#[test]
fn functions_of_users_are_declared_as_in_flink() {
    for (statement, expected) in [
        ("CREATE FUNCTION f AS 'a.F'; SHOW USER FUNCTIONS", "ok\nf"),
        (
            "CREATE FUNCTION uPPer2 AS 'a.F'; SHOW USER FUNCTIONS; DROP FUNCTION UPPER2; SHOW USER FUNCTIONS",
            "ok\nupper2\nok",
        ),
        (
            "CREATE FUNCTION f AS 'a.F'; CREATE FUNCTION IF NOT EXISTS f AS 'b.F'; CREATE FUNCTION f AS 'c.F'",
            "ok\nok\nerror: Function default_database.f already exists in Catalog default_catalog.",
        ),
        (
            "CREATE TEMPORARY FUNCTION g AS 'm.f' LANGUAGE PYTHON; CREATE TEMPORARY SYSTEM FUNCTION h AS 'F'; \
             SHOW USER FUNCTIONS; DROP FUNCTION g",
            "ok\nok\ng\nh\nerror: Function default_database.g does not exist in Catalog default_catalog.",
        ),
        (
            "CREATE TEMPORARY SYSTEM FUNCTION f AS 'F' LANGUAGE SCALA USING JAR 'x.jar'; SELECT f(1)",
            "ok\nerror: the function 'f' of the Scala class 'F' is not supported yet",
        ),
        (
            "CREATE FUNCTION f AS 'a.F'; ALTER FUNCTION f AS 'b.F'; SELECT f(1)",
            "ok\nok\nerror: the function 'f' of the Java class 'b.F'",
        ),
        ("CREATE FUNCTION `upper` AS 'a.F'; EXPLAIN SELECT upper('a')", "ok\n== Abstract"),
        (
            "CREATE DATABASE d; CREATE FUNCTION d.f AS 'F'; DROP DATABASE d",
            "ok\nok\nerror: Database d in catalog default_catalog is not empty.",
        ),
        ("CREATE FUNCTION absent.f AS 'F'", "error: Database absent does not exist in Catalog default_catalog."),
        ("CREATE FUNCTION nowhere.db.f.g AS 'F'", "error: a name has one to three parts"),
        ("DROP FUNCTION f", "error: Function default_database.f does not exist in Catalog default_catalog."),
        ("DROP FUNCTION IF EXISTS f", "ok"),
        ("DROP FUNCTION IF EXISTS nowhere.f", "ok"),
        (
            "DROP TEMPORARY FUNCTION f",
            "error: Temporary catalog function `default_catalog`.`default_database`.`f` doesn't exist",
        ),
        ("DROP TEMPORARY FUNCTION IF EXISTS f", "ok"),
        (
            "DROP TEMPORARY SYSTEM FUNCTION `upper`",
            "error: Could not drop temporary system function. A function named 'upper'",
        ),
        ("DROP TEMPORARY SYSTEM FUNCTION IF EXISTS f", "ok"),
        ("ALTER FUNCTION f AS 'F'", "error: Function default_database.f does not exist in Catalog default_catalog."),
        ("ALTER FUNCTION IF EXISTS f AS 'F'", "ok"),
        ("ALTER TEMPORARY FUNCTION f AS 'F'", "error: Alter temporary catalog function is not supported"),
        ("SHOW USER FUNCTIONS", ""),
        ("DESCRIBE FUNCTION uppper", "error: Function with the identifier '`uppper`' doesn't exist."),
        ("DESCRIBE FUNCTION `UPPER`", "is system function"),
    ] {
        let answer = run(statement);
        assert!(answer.starts_with(expected), "{statement}\n{answer}");
    }
}
