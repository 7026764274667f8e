//! INSERT into sinks.

use super::catalog::{self, TestCatalog};
use super::context;
use crate::SqlResult;
use crate::binder::{Binder, BoundInsert};
use expect_test::{Expect, expect};
use headwater_sql_parser::ast::Statement;
use headwater_types::config::Configuration;

fn bind(sql: &str) -> SqlResult<BoundInsert> {
    let Statement::Insert(insert) = headwater_sql_parser::parse_statement(sql)? else { panic!("not an INSERT") };
    let (catalog, connectors, config) = (TestCatalog::new(), catalog::connectors(), Configuration::new());
    Binder::new(&catalog, &connectors, &config, context()).bind_insert(&insert)
}

fn check(sql: &str, expected: Expect) {
    let shown = match bind(sql) {
        Ok(bound) => {
            format!("{}\n{:?} {:?}", bound.plan.display_indent(), bound.sink.metadata, bound.sink.target_columns)
        }
        Err(error) => error.render(sql),
    };
    expected.assert_eq(&shown);
}

#[test]
fn columns_by_position_with_implicit_casts() {
    check(
        "INSERT INTO sink SELECT a, s FROM t",
        expect![[r#"
        Projection: CAST(a#6) AS k#8, s#7 AS n#9
          Projection: a#1 AS a#6, s#3 AS s#7
            TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
        [] []"#]],
    );
}

#[test]
fn a_column_list_leaves_the_others_null() {
    check(
        "INSERT INTO sink (n) VALUES ('x')",
        expect![[r#"
        Projection: Int64(NULL) AS k#2, EXPR$0#1 AS n#3
          Values(rows=1)
        [] [1]"#]],
    );
}

#[test]
fn static_partitions() {
    check(
        "INSERT INTO sink PARTITION (n = 'p') SELECT a FROM t",
        expect![[r#"
        Projection: CAST(a#6) AS k#7, Utf8("p") AS n#8
          Projection: a#1 AS a#6
            TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
        [] []"#]],
    );
}

#[test]
fn metadata_follows_physical_columns() {
    check(
        "INSERT INTO typed_sink SELECT 1, s, d FROM t WHERE FALSE",
        expect![[r#"
        Projection: EXPR$0#6 AS id#9, CAST(d#8) AS price#10, CAST(s#7) AS h#11
          Projection: Int32(1) AS EXPR$0#6, s#3 AS s#7, d#4 AS d#8
            Filter: Boolean(false)
              TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
        [WrittenMetadata { key: "headers", ty: LogicalType { root: VarChar(2147483647), nullable: true } }] []"#]],
    );
    check(
        "INSERT INTO typed_sink SELECT a, s, a FROM t",
        expect![[r#"
        Projection: a#6 AS id#9, CAST(a0#8) AS price#10, CAST(s#7) AS h#11
          Projection: a#1 AS a#6, s#3 AS s#7, a#1 AS a0#8
            TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
        [WrittenMetadata { key: "headers", ty: LogicalType { root: VarChar(2147483647), nullable: true } }] []"#]],
    );
}

#[test]
fn mismatches_show_both_schemas() {
    check(
        "INSERT INTO sink SELECT s, a FROM t",
        expect![[r#"
        error: Column types of query result and sink for 'c.d.sink' do not match.
        Cause: Incompatible types for sink column 'k' at position 0.

        Query schema: [s: STRING, a: INT]
        Sink schema:  [k: BIGINT, n: STRING]
         --> line 1, column 13
          |
        1 | INSERT INTO sink SELECT s, a FROM t
          |             ^^^^
          = help: CAST the value of type STRING to BIGINT"#]],
    );
    check(
        "INSERT INTO sink SELECT s FROM t",
        expect![[r#"
        error: Column types of query result and sink for 'c.d.sink' do not match.
        Cause: Different number of columns.

        Query schema: [s: STRING]
        Sink schema:  [k: BIGINT, n: STRING]
         --> line 1, column 13
          |
        1 | INSERT INTO sink SELECT s FROM t
          |             ^^^^"#]],
    );
    check(
        "INSERT INTO typed_sink (price) SELECT 1",
        expect![[r#"
        error: the column 'id' is NOT NULL and must be among the inserted columns
         --> line 1, column 13
          |
        1 | INSERT INTO typed_sink (price) SELECT 1
          |             ^^^^^^^^^^"#]],
    );
    check(
        "INSERT INTO sink (m) SELECT 1",
        expect![[r#"
            error: unknown column 'm'
             --> line 1, column 19
              |
            1 | INSERT INTO sink (m) SELECT 1
              |                   ^
              = help: available columns: k, n"#]],
    );
    check(
        "INSERT OVERWRITE sink SELECT a, s FROM t",
        expect![[r#"
        error: INSERT OVERWRITE requires that the underlying DynamicTableSink of table 'c.d.sink' implements the SupportsOverwrite interface.
         --> line 1, column 18
          |
        1 | INSERT OVERWRITE sink SELECT a, s FROM t
          |                  ^^^^
          = help: the connector 'stream' only adds rows"#]],
    );
}
