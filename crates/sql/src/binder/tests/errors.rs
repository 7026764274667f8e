//! Errors: place, message, nearest name.

use super::catalog::{self, TestCatalog, column, computed, table};
use super::{bind, check_error, context};
use crate::binder::Binder;
use crate::catalog::WatermarkDefinition;
use expect_test::expect;
use headwater_types::config::Configuration;
use headwater_types::{TimeAttribute, TypeRoot};

#[test]
fn names() {
    check_error(
        "SELECT auctoin FROM bid",
        expect![[r#"
        error: unknown column 'auctoin'
         --> line 1, column 8
          |
        1 | SELECT auctoin FROM bid
          |        ^^^^^^^
          = help: did you mean 'auction'?"#]],
    );
    check_error(
        "SELECT b.price FROM bid",
        expect![[r#"
        error: unknown name 'b'
         --> line 1, column 8
          |
        1 | SELECT b.price FROM bid
          |        ^
          = help: available names: bid, auction, bidder, price, double_price, channel, origin, ts"#]],
    );
    check_error(
        "SELECT bid.prise FROM bid",
        expect![[r#"
        error: unknown column 'prise' in table 'bid'
         --> line 1, column 12
          |
        1 | SELECT bid.prise FROM bid
          |            ^^^^^
          = help: did you mean 'price'?"#]],
    );
    check_error(
        "SELECT * FROM bids",
        expect![[r#"
        error: unknown table 'bids'
         --> line 1, column 15
          |
        1 | SELECT * FROM bids
          |               ^^^^
          = help: did you mean 'bid'?"#]],
    );
    check_error(
        "SELECT UPER(channel) FROM bid",
        expect![[r#"
        error: unknown function 'UPER'
         --> line 1, column 8
          |
        1 | SELECT UPER(channel) FROM bid
          |        ^^^^^^^^^^^^^
          = help: did you mean 'UPPER'?"#]],
    );
    check_error(
        "SELECT r.z FROM nested",
        expect![[r#"
            error: unknown field 'z'
             --> line 1, column 10
              |
            1 | SELECT r.z FROM nested
              |          ^
              = help: available fields: x, y"#]],
    );
    check_error(
        "SELECT ts FROM bid, person",
        expect![[r#"
        error: column 'ts' is ambiguous
         --> line 1, column 8
          |
        1 | SELECT ts FROM bid, person
          |        ^^
          = help: put the table's name or alias in front of it"#]],
    );
    check_error(
        "SELECT CAST(a AS STRNG) FROM t",
        expect![[r#"
        error: unknown type 'STRNG'
         --> line 1, column 18
          |
        1 | SELECT CAST(a AS STRNG) FROM t
          |                  ^^^^^
          = help: did you mean 'STRING'?"#]],
    );
}

#[test]
fn types() {
    check_error(
        "SELECT a FROM t WHERE a + 1",
        expect![[r#"
        error: WHERE needs a condition of type BOOLEAN, not INT
         --> line 1, column 23
          |
        1 | SELECT a FROM t WHERE a + 1
          |                       ^^^^^"#]],
    );
    check_error(
        "SELECT CASE WHEN a > 1 THEN 1 ELSE TIME '10:00:00' END FROM t",
        expect![[r#"
        error: the results of CASE have no common type: TIME(0) NOT NULL after INT NOT NULL
         --> line 1, column 36
          |
        1 | SELECT CASE WHEN a > 1 THEN 1 ELSE TIME '10:00:00' END FROM t
          |                                    ^^^^^^^^^^^^^^^"#]],
    );
    check_error(
        "SELECT UPPER(a) FROM t",
        expect![[r#"
        error: Cannot apply 'UPPER' to arguments of types (INT). Supported signature: UPPER(string <CHARACTER_STRING>)
         --> line 1, column 8
          |
        1 | SELECT UPPER(a) FROM t
          |        ^^^^^^^^"#]],
    );
    check_error(
        "SELECT CAST(ARRAY[1] AS INT)",
        expect![[r#"
        error: a value of type ARRAY<INT NOT NULL> NOT NULL cannot be cast to type INT
         --> line 1, column 8
          |
        1 | SELECT CAST(ARRAY[1] AS INT)
          |        ^^^^^^^^^^^^^^^^^^^^^"#]],
    );
    check_error(
        "SELECT DATE '2024-13-01'",
        expect![[r#"
        error: '2024-13-01' is not a valid DATE literal
         --> line 1, column 8
          |
        1 | SELECT DATE '2024-13-01'
          |        ^^^^^^^^^^^^^^^^^
          = help: write it '2024-12-31'"#]],
    );
    check_error(
        "SELECT a FROM t UNION ALL SELECT a, b FROM t",
        expect![[r#"
        error: set operations need equally many columns: 1 and 2
         --> line 1, column 1
          |
        1 | SELECT a FROM t UNION ALL SELECT a, b FROM t
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"#]],
    );
}

#[test]
fn aggregates() {
    check_error(
        "SELECT a, SUM(b) FROM t GROUP BY s",
        expect![[r#"
        error: expression 'a' is not being grouped
         --> line 1, column 8
          |
        1 | SELECT a, SUM(b) FROM t GROUP BY s
          |        ^
          = help: add it to GROUP BY, or aggregate it"#]],
    );
    check_error(
        "SELECT a FROM t WHERE SUM(b) > 1",
        expect![[r#"
        error: the aggregate function 'SUM' is not allowed in WHERE
         --> line 1, column 23
          |
        1 | SELECT a FROM t WHERE SUM(b) > 1
          |                       ^^^^^^
          = help: conditions on groups stand in HAVING"#]],
    );
    check_error(
        "SELECT SUM(MAX(a)) FROM t",
        expect![[r#"
        error: aggregate functions cannot be nested: 'MAX' stands inside another one
         --> line 1, column 12
          |
        1 | SELECT SUM(MAX(a)) FROM t
          |            ^^^^^^"#]],
    );
    check_error(
        "SELECT SUM(s) FROM t",
        expect![[r#"
        error: Cannot apply the aggregate function 'SUM' to an argument of type STRING
         --> line 1, column 8
          |
        1 | SELECT SUM(s) FROM t
          |        ^^^^^^"#]],
    );
}

#[test]
fn aliases_are_not_columns() {
    check_error(
        "SELECT a + 1 AS x FROM t WHERE x > 1",
        expect![[r#"
        error: unknown column 'x'
         --> line 1, column 32
          |
        1 | SELECT a + 1 AS x FROM t WHERE x > 1
          |                                ^
          = help: aliases of the select list are visible in ORDER BY only: repeat the expression, or use a subquery"#]],
    );
    check_error(
        "SELECT a + 1 AS x, COUNT(*) FROM t GROUP BY x",
        expect![[r#"
        error: unknown column 'x'
         --> line 1, column 45
          |
        1 | SELECT a + 1 AS x, COUNT(*) FROM t GROUP BY x
          |                                             ^
          = help: aliases of the select list are visible in ORDER BY only: repeat the expression, or use a subquery"#]],
    );
}

#[test]
fn windows() {
    check_error(
        "SELECT * FROM TABLE(TUMBLE(TABLE nested, DESCRIPTOR(id), INTERVAL '5' SECOND))",
        expect![[r#"
        error: The window function requires the timecol is a time attribute type, but is INT.
         --> line 1, column 53
          |
        1 | SELECT * FROM TABLE(TUMBLE(TABLE nested, DESCRIPTOR(id), INTERVAL '5' SECOND))
          |                                                     ^^"#]],
    );
    check_error(
        "SELECT * FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(tss), INTERVAL '5' SECOND))",
        expect![[r#"
        error: unknown column 'tss'
         --> line 1, column 50
          |
        1 | SELECT * FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(tss), INTERVAL '5' SECOND))
          |                                                  ^^^
          = help: did you mean 'ts'?"#]],
    );
    check_error(
        "SELECT * FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts)))",
        expect![[r#"
        error: the argument SIZE of TUMBLE is missing
         --> line 1, column 21
          |
        1 | SELECT * FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts)))
          |                     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          = help: TUMBLE(DATA, TIMECOL, SIZE, [OFFSET])"#]],
    );
    check_error(
        "SELECT * FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MONTH))",
        expect![[r#"
        error: the argument SIZE of a window must be a constant INTERVAL of days to seconds
         --> line 1, column 55
          |
        1 | SELECT * FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MONTH))
          |                                                       ^^^^^^^^^^^^^^^^^^
          = help: for instance INTERVAL '10' MINUTE"#]],
    );
}

#[test]
fn not_supported_yet() {
    check_error(
        "SELECT SUM(a) OVER (ORDER BY ts ROWS BETWEEN CURRENT ROW AND 3 FOLLOWING) FROM t",
        expect![[r#"
        error: a frame that does not end at CURRENT ROW (FOLLOWING) is not supported yet
         --> line 1, column 33
          |
        1 | SELECT SUM(a) OVER (ORDER BY ts ROWS BETWEEN CURRENT ROW AND 3 FOLLOWING) FROM t
          |                                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"#]],
    );
    check_error(
        "SELECT * FROM bid FOR SYSTEM_TIME AS OF TIMESTAMP '2024-01-01 00:00:00'",
        expect![[r#"
        error: FOR SYSTEM_TIME AS OF outside of a join is not supported yet
         --> line 1, column 15
          |
        1 | SELECT * FROM bid FOR SYSTEM_TIME AS OF TIMESTAMP '2024-01-01 00:00:00'
          |               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"#]],
    );
    check_error(
        "SELECT * FROM t, LATERAL TABLE(f(a))",
        expect![[r#"
        error: LATERAL TABLE with the function 'F' is not supported yet
         --> line 1, column 32
          |
        1 | SELECT * FROM t, LATERAL TABLE(f(a))
          |                                ^^^^"#]],
    );
}

/// The types of a table's columns as resolved, or the error.
fn resolved(columns: &[(&str, &str)], watermark: Option<(&str, &str)>) -> String {
    let columns = columns.iter().map(|(name, expr)| computed(name, expr, TypeRoot::Null.into()));
    let base = [column("a", TypeRoot::Int), column("ts", TypeRoot::Timestamp(3, TimeAttribute::None))];
    let mut table = table("x", "stream", base.into_iter().chain(columns).collect());
    table.watermark =
        watermark.map(|(column, expr)| WatermarkDefinition { column: column.to_owned(), expr: expr.to_owned() });
    let (catalog, connectors, config) = (TestCatalog::new(), catalog::connectors(), Configuration::new());
    match Binder::new(&catalog, &connectors, &config, context()).resolve_table(&table) {
        Ok(resolved) => format!("{:?}", resolved.columns.iter().map(|(n, t)| format!("{n} {t}")).collect::<Vec<_>>()),
        Err(error) => error.render(""),
    }
}

#[test]
fn stored_texts_show_their_own_source() {
    expect![[r#"["a INT", "ts TIMESTAMP(3)", "b INT"]"#]].assert_eq(&resolved(&[("b", "a + 1")], Some(("ts", "ts"))));
    expect![[r#"
        error: unknown column 'c'
         --> line 1, column 7
          |
        1 | `a` + c
          |       ^
          = note: in the computed column 'b'
          = help: available columns: a, ts"#]]
    .assert_eq(&resolved(&[("b", "`a` + c")], None));
    expect!["error: the watermark of 'ts' must be a timestamp, not a value of type INT"]
        .assert_eq(&resolved(&[], Some(("ts", "a"))));
    expect!["error: the time field 'a' of a watermark must be of type TIMESTAMP(p) or TIMESTAMP_LTZ(p) with p from 0 to 3, not INT"].assert_eq(&resolved(&[], Some(("a", "ts"))));
}

#[test]
fn source_watermarks_and_processing_time_resolve() {
    expect![[r#"["a INT", "ts TIMESTAMP(3)", "p TIMESTAMP_LTZ(3) NOT NULL"]"#]]
        .assert_eq(&resolved(&[("p", "PROCTIME()")], Some(("ts", "SOURCE_WATERMARK()"))));
}

#[test]
fn connectors_and_misplaced_calls() {
    check_error(
        "SELECT a FROM t /*+ OPTIONS('connector' = 'strem') */",
        expect![[r#"
        error: there is no connector 'strem'; did you mean 'stream'? available connectors: file, stream
         --> line 1, column 15
          |
        1 | SELECT a FROM t /*+ OPTIONS('connector' = 'strem') */
          |               ^"#]],
    );
    check_error(
        "SELECT JSON(s) FROM t",
        expect![[r#"
        error: The JSON() function is currently only supported inside JSON_ARRAY() or as the VALUE param of JSON_OBJECT()
         --> line 1, column 8
          |
        1 | SELECT JSON(s) FROM t
          |        ^^^^^^^"#]],
    );
    check_error(
        "SELECT TUMBLE(ts, INTERVAL '1' HOUR) FROM t",
        expect![[r#"
        error: the window function TUMBLE stands in FROM or in GROUP BY, not in SELECT
         --> line 1, column 8
          |
        1 | SELECT TUMBLE(ts, INTERVAL '1' HOUR) FROM t
          |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          = help: write FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(time_column), …))"#]],
    );
    check_error(
        "SELECT TUMBLE_START(ts, INTERVAL '1' HOUR) FROM t",
        expect![[r#"
        error: TUMBLE_START needs the window TUMBLE(…) in GROUP BY
         --> line 1, column 8
          |
        1 | SELECT TUMBLE_START(ts, INTERVAL '1' HOUR) FROM t
          |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"#]],
    );
    check_error(
        "SELECT ROW_NUMBER() FROM t",
        expect![[r#"
        error: the function 'ROW_NUMBER' needs an OVER clause
         --> line 1, column 8
          |
        1 | SELECT ROW_NUMBER() FROM t
          |        ^^^^^^^^^^^^
          = help: write ROW_NUMBER() OVER (PARTITION BY … ORDER BY …)"#]],
    );
    check_error(
        "SELECT a FROM t WHERE ROW_NUMBER() OVER (ORDER BY a) = 1",
        expect![[r#"
        error: OVER is not allowed in WHERE
         --> line 1, column 23
          |
        1 | SELECT a FROM t WHERE ROW_NUMBER() OVER (ORDER BY a) = 1
          |                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          = help: compute the rank in a subquery and filter outside, or use QUALIFY"#]],
    );
    check_error(
        "SELECT a FROM t LIMIT 1.5",
        expect![[r#"
        error: LIMIT needs a whole number of rows, not negative
         --> line 1, column 23
          |
        1 | SELECT a FROM t LIMIT 1.5
          |                       ^^^"#]],
    );
    check_error(
        "SELECT a FROM t ORDER BY 2",
        expect![[r#"
        error: ORDER BY position 2 is not in the select list, which has 1 columns
         --> line 1, column 26
          |
        1 | SELECT a FROM t ORDER BY 2
          |                          ^"#]],
    );
}

/// Binds and optimises on a stack of the size that main threads have.
fn planned(sql: String) -> Option<&'static str> {
    let plan = move || {
        let bound = bind(&sql).map_err(|e| e.code)?;
        crate::optimizer::optimize(bound.plan).map(|_| ()).map_err(|e| e.code())
    };
    let thread = std::thread::Builder::new().stack_size(8 << 20).spawn(plan).expect("a thread starts");
    thread.join().expect("planning does not panic").err()
}

#[test]
fn nesting_is_bounded_not_fatal() {
    let nested = |n: usize| format!("{}SELECT 1 AS a{}", "SELECT a FROM (".repeat(n), ")".repeat(n));
    assert_eq!(planned(nested(24)), None);
    let chained = |n: usize| {
        let steps: Vec<_> = (1..n).map(|i| format!("c{i} AS (SELECT a FROM c{})", i - 1)).collect();
        format!("WITH c0 AS (SELECT 1 AS a), {} SELECT * FROM c{}", steps.join(", "), n - 1)
    };
    assert_eq!(planned(chained(64)), None);
    assert_eq!(planned(chained(100)), Some("views-too-deep"));
    let crossed = |n: usize| format!("SELECT 1 FROM t{}", ", t".repeat(n));
    assert_eq!(planned(crossed(150)), None);
    assert_eq!(planned(crossed(320)), Some("statement-too-large"));
    let doubled = (1..12).map(|i| format!("c{i} AS (SELECT x.a FROM c{0} AS x, c{0} AS y)", i - 1));
    let doubled = format!("WITH c0 AS (SELECT 1 AS a), {} SELECT * FROM c11", doubled.collect::<Vec<_>>().join(", "));
    assert_eq!(planned(doubled), Some("statement-too-large"));
    assert_eq!(planned(format!("SELECT {} FROM t", vec!["a"; 120].join(" + "))), None);
    assert_eq!(planned(format!("SELECT a FROM t WHERE {}", vec!["a = 1"; 2000].join(" OR "))), None);
}
