use crate::{run, session, shown};
use expect_test::{Expect, expect};

const TABLES: &str = "
CREATE TABLE t (a INT, b INT, c STRING, ts TIMESTAMP(3), tags ARRAY<STRING>, n ROW<x INT, y STRING>,
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'datagen');
CREATE TABLE u (a INT, d STRING, ts TIMESTAMP(3), p AS PROCTIME(),
  WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen');
CREATE TABLE v (a INT, w STRING, vt TIMESTAMP(3), PRIMARY KEY (a) NOT ENFORCED,
  WATERMARK FOR vt AS vt) WITH ('connector' = 'values', 'data-id' = 'v', 'bounded' = 'false', 'changelog-mode' = 'I,UB,UA,D');
CREATE TABLE codes (a INT, op STRING, d STRING) WITH ('connector' = 'values', 'data-id' = 'codes');
CREATE TABLE batched (a INT, b INT, c STRING) WITH ('connector' = 'datagen', 'number-of-rows' = '1');
CREATE VIEW seen AS SELECT a + 1 AS a1, c FROM t WHERE b > 3;
";

/// The lineage of a query's columns, inserted into a table of its columns.
fn check(query: &str, expected: Expect) {
    // Only a batch job orders by anything but time.
    let mut session = session(query.contains("FROM batched"));
    run(&mut session, TABLES);
    let (statements, error) = headwater_sql_parser::parse_script(query);
    assert!(error.is_none(), "{error:?}");
    let headwater_sql_parser::ast::Statement::Query(parsed) = &statements[0].statement else { panic!("a query") };
    let columns = session.query_columns(parsed, query).unwrap_or_else(|e| panic!("{}", e.render(query)));
    let columns: Vec<_> =
        columns.iter().map(|(name, ty)| format!("`{name}` {}", ty.clone().with_nullable(true))).collect();
    run(&mut session, &format!("CREATE TABLE o ({}) WITH ('connector' = 'print')", columns.join(", ")));
    let lineage = run(&mut session, &format!("INSERT INTO o {query}")).remove(0);
    let output = &lineage.outputs[0];
    let mut text = String::new();
    for column in &output.dataset.columns {
        let sources = output.columns.get(&column.name).map_or(&[][..], Vec::as_slice);
        let sources: Vec<_> = sources.iter().map(|source| shown(source, &lineage)).collect();
        let sources = if sources.is_empty() { "nothing".to_owned() } else { sources.join(", ") };
        text.push_str(&format!("{} <- {sources}\n", column.name));
    }
    for source in &output.rows {
        text.push_str(&format!("rows <- {}\n", shown(source, &lineage)));
    }
    expected.assert_eq(&text);
}

#[test]
fn values_are_passed_changed_or_hidden() {
    check(
        "SELECT a, a + b AS s, c AS other, CAST(a AS BIGINT) AS wide, CAST(c AS INT) AS parsed, MD5(c) AS h, 1 AS fixed,
           n.y AS y FROM t",
        expect![[r#"
            a <- t.a IDENTITY
            s <- t.a TRANSFORMATION, t.b TRANSFORMATION
            other <- t.c IDENTITY
            wide <- t.a IDENTITY
            parsed <- t.c TRANSFORMATION
            h <- t.c TRANSFORMATION*
            fixed <- nothing
            y <- t.n TRANSFORMATION
        "#]],
    );
}

#[test]
fn conditions_decide_which_value_is_taken() {
    check(
        "SELECT CASE WHEN b > 1 THEN a ELSE a + b END AS x, IF(a > 1, c, 'z') AS y FROM t",
        expect![[r#"
        x <- t.a IDENTITY+TRANSFORMATION, t.b TRANSFORMATION+CONDITIONAL
        y <- t.a CONDITIONAL, t.c IDENTITY
    "#]],
    );
}

#[test]
fn filters_groups_and_aggregates() {
    check(
        "SELECT c, COUNT(*) AS n, COUNT(a) AS na, SUM(a * 2) AS s, SUM(b) FILTER (WHERE a > 1) AS f FROM t
           WHERE b > 1 GROUP BY c HAVING MAX(b) > 2",
        expect![[r#"
            c <- t.c IDENTITY
            n <- nothing
            na <- t.a AGGREGATION*
            s <- t.a AGGREGATION
            f <- t.a FILTER, t.b AGGREGATION
            rows <- t.b FILTER
            rows <- t.c GROUP_BY
        "#]],
    );
}

#[test]
fn joins_drop_rows_of_the_side_that_is_not_kept() {
    check(
        "SELECT t.c, u.d FROM t JOIN u ON t.a = u.a",
        expect![[r#"
        c <- t.c IDENTITY
        d <- u.d IDENTITY
        rows <- t.a FILTER+JOIN
        rows <- u.a FILTER+JOIN
    "#]],
    );
    check(
        "SELECT t.c, u.d FROM t LEFT JOIN u ON t.a = u.a",
        expect![[r#"
        c <- t.c IDENTITY
        d <- u.d IDENTITY
        rows <- t.a JOIN
        rows <- u.a FILTER+JOIN
    "#]],
    );
    check(
        "SELECT c FROM t WHERE a IN (SELECT a FROM u)",
        expect![[r#"
        c <- t.c IDENTITY
        rows <- t.a FILTER+JOIN
        rows <- u.a FILTER+JOIN
    "#]],
    );
    check(
        "SELECT t.c, u.d FROM t JOIN u ON t.a = u.a AND u.ts BETWEEN t.ts AND t.ts + INTERVAL '1' HOUR",
        expect![[r#"
        c <- t.c IDENTITY
        d <- u.d IDENTITY
        rows <- t.a FILTER+JOIN
        rows <- t.ts FILTER+JOIN+WINDOW
        rows <- u.a FILTER+JOIN
        rows <- u.ts FILTER+JOIN+WINDOW
    "#]],
    );
}

#[test]
fn a_versioned_table_is_read_as_of_the_time_of_the_other_side() {
    check(
        "SELECT t.c, v.w FROM t JOIN v FOR SYSTEM_TIME AS OF t.ts ON t.a = v.a",
        expect![[r#"
        c <- t.c IDENTITY
        w <- v.w IDENTITY
        rows <- t.a FILTER+JOIN
        rows <- t.ts JOIN+WINDOW
        rows <- v.a FILTER+JOIN
        rows <- v.vt JOIN+WINDOW
    "#]],
    );
}

#[test]
fn windows_depend_on_event_time_and_watermark() {
    check(
        "SELECT window_start, SUM(a) AS s FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
           GROUP BY window_start, window_end",
        expect![[r#"
            window_start <- t.ts TRANSFORMATION
            s <- t.a AGGREGATION
            rows <- t.ts GROUP_BY+WINDOW
        "#]],
    );
    check(
        "SELECT SUM(a) OVER (PARTITION BY c ORDER BY ts) AS s FROM t",
        expect![[r#"
        s <- t.a AGGREGATION, t.c WINDOW, t.ts WINDOW
    "#]],
    );
}

#[test]
fn the_order_of_a_rank_decides_which_rows_stay() {
    check(
        "SELECT a, c FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY c ORDER BY b DESC) AS rn FROM t) WHERE rn <= 3",
        expect![[r#"
            a <- t.a IDENTITY
            c <- t.c IDENTITY
            rows <- t.b FILTER
            rows <- t.c FILTER
        "#]],
    );
}

#[test]
fn set_operations_views_and_collections() {
    check(
        "SELECT a, c FROM t UNION ALL SELECT a, d FROM u",
        expect![[r#"
        a <- t.a IDENTITY, u.a IDENTITY
        c <- t.c IDENTITY, u.d IDENTITY
    "#]],
    );
    check(
        "SELECT a FROM t UNION SELECT a FROM u",
        expect![[r#"
        a <- t.a IDENTITY, u.a IDENTITY
        rows <- t.a GROUP_BY
        rows <- u.a GROUP_BY
    "#]],
    );
    check(
        "SELECT a1, c FROM seen",
        expect![[r#"
        a1 <- t.a TRANSFORMATION
        c <- t.c IDENTITY
        rows <- t.b FILTER
    "#]],
    );
    check(
        "SELECT a, tag FROM t CROSS JOIN UNNEST(tags) AS x (tag)",
        expect![[r#"
        a <- t.a IDENTITY
        tag <- t.tags TRANSFORMATION
    "#]],
    );
    check(
        "SELECT a, b, COUNT(*) AS n FROM t GROUP BY GROUPING SETS ((a), (b))",
        expect![[r#"
        a <- t.a IDENTITY
        b <- t.b IDENTITY
        n <- nothing
        rows <- t.a GROUP_BY
        rows <- t.b GROUP_BY
    "#]],
    );
}

#[test]
fn measures_of_a_pattern_come_from_its_rows_and_conditions_decide() {
    check(
        "SELECT m.c, m.first_a, m.total, m.y FROM t MATCH_RECOGNIZE (
           PARTITION BY c ORDER BY ts
           MEASURES FIRST(A.a) AS first_a, SUM(A.a * 2) AS total, B.n.y AS y
           PATTERN (A+ B) WITHIN INTERVAL '1' MINUTE
           DEFINE A AS A.b > 1, B AS B.a > PREV(A.a)) AS m",
        expect![[r#"
            c <- t.c IDENTITY
            first_a <- t.a IDENTITY
            total <- t.a AGGREGATION
            y <- t.n TRANSFORMATION
            rows <- t.a FILTER
            rows <- t.b FILTER
            rows <- t.c GROUP_BY
            rows <- t.ts SORT+WINDOW
        "#]],
    );
}

#[test]
fn changelogs_pass_columns_and_the_code_decides() {
    check(
        "SELECT * FROM TO_CHANGELOG(input => TABLE v)",
        expect![[r#"
            op <- nothing
            a <- v.a IDENTITY
            w <- v.w IDENTITY
            vt <- v.vt IDENTITY
        "#]],
    );
    check(
        "SELECT d, a FROM FROM_CHANGELOG(input => TABLE codes)",
        expect![[r#"
            d <- codes.d IDENTITY
            a <- codes.a IDENTITY
            rows <- codes.op FILTER
        "#]],
    );
}

#[test]
fn the_strongest_kind_names_a_chain_and_a_mask_stays() {
    check(
        "WITH x AS (SELECT a AS k, CONCAT(c, '!') AS d, MD5(c) AS h FROM t),
           y AS (SELECT k, MAX(d) AS m, COUNT(h) AS n, MAX(CONCAT(h, 'x')) AS hidden FROM x GROUP BY k)
         SELECT k, UPPER(m) AS m, n + 1 AS n, hidden FROM y",
        expect![[r#"
            k <- t.a IDENTITY
            m <- t.c AGGREGATION
            n <- t.c AGGREGATION*
            hidden <- t.c AGGREGATION*
            rows <- t.a GROUP_BY
        "#]],
    );
}

#[test]
fn functions_over_windows() {
    check(
        "SELECT RANK() OVER (PARTITION BY c ORDER BY b) AS r, LAG(a, 1) OVER (PARTITION BY c ORDER BY b) AS l,
           FIRST_VALUE(a) OVER (PARTITION BY c ORDER BY b) AS f, COUNT(a) OVER (PARTITION BY c ORDER BY b) AS n
         FROM batched",
        expect![[r#"
            r <- batched.b WINDOW, batched.c WINDOW
            l <- batched.a TRANSFORMATION, batched.b WINDOW, batched.c WINDOW
            f <- batched.a AGGREGATION, batched.b WINDOW, batched.c WINDOW
            n <- batched.a AGGREGATION*, batched.b WINDOW, batched.c WINDOW
        "#]],
    );
}

#[test]
fn values_that_take_the_place_of_others() {
    check(
        "SELECT COALESCE(a, b) AS x, NULLIF(a, b) AS y, CASE c WHEN 'k' THEN a END AS z, a IN (b, 1) AS i,
           IF(b IS NULL, MD5(c), c) AS m FROM t",
        expect![[r#"
            x <- t.a TRANSFORMATION, t.b TRANSFORMATION
            y <- t.a TRANSFORMATION, t.b TRANSFORMATION
            z <- t.a IDENTITY, t.c CONDITIONAL
            i <- t.a TRANSFORMATION, t.b TRANSFORMATION
            m <- t.b CONDITIONAL, t.c IDENTITY+TRANSFORMATION*
        "#]],
    );
}

#[test]
fn set_operations_and_subqueries_decide_by_what_they_compare() {
    check(
        "SELECT a FROM t INTERSECT SELECT a FROM u",
        expect![[r#"
            a <- t.a IDENTITY
            rows <- t.a FILTER+JOIN+GROUP_BY
            rows <- u.a FILTER+JOIN
        "#]],
    );
    check(
        "SELECT a FROM t EXCEPT SELECT a FROM u",
        expect![[r#"
            a <- t.a IDENTITY
            rows <- t.a FILTER+JOIN+GROUP_BY
            rows <- u.a JOIN
        "#]],
    );
    check(
        "SELECT c FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.a = t.a)",
        expect![[r#"
            c <- t.c IDENTITY
            rows <- t.a FILTER+JOIN
            rows <- u.a JOIN
        "#]],
    );
    check(
        "SELECT a, (SELECT MAX(a) FROM u) AS m FROM t",
        expect![[r#"
            a <- t.a IDENTITY
            m <- u.a AGGREGATION
        "#]],
    );
}

#[test]
fn a_snapshot_is_joined_as_it_is() {
    check(
        "SELECT t.c, s.w FROM t LEFT JOIN LATERAL TABLE(SNAPSHOT(input => TABLE v)) AS s ON t.a = s.a",
        expect![[r#"
            c <- t.c IDENTITY
            w <- v.w IDENTITY
            rows <- t.a JOIN
            rows <- v.a FILTER+JOIN
        "#]],
    );
}

#[test]
fn lists_of_columns_partitions_and_views_over_views() {
    let mut streaming = session(false);
    run(&mut streaming, TABLES);
    let views = "
        CREATE VIEW shouted AS SELECT a1 + 1 AS a2, UPPER(c) AS c FROM seen;
        CREATE TABLE o (p INT, q STRING, z INT) WITH ('connector' = 'blackhole');
        INSERT INTO o (q, p) SELECT c, a2 FROM shouted;";
    let mut batch = session(true);
    run(&mut batch, TABLES);
    let tables = "
        CREATE TABLE days (p INT, dt STRING) PARTITIONED BY (dt)
          WITH ('connector' = 'filesystem', 'format' = 'csv', 'path' = '/nowhere/days');
        INSERT OVERWRITE days PARTITION (dt = '2026-01-01') SELECT a FROM batched;
        INSERT INTO days SELECT a, c FROM batched;
        CREATE TABLE copied WITH ('connector' = 'blackhole') AS SELECT a, b AS other FROM batched WHERE c = 'x';";
    let mut lines = String::new();
    for lineage in run(&mut streaming, views).into_iter().chain(run(&mut batch, tables)) {
        let output = &lineage.outputs[0];
        for (column, sources) in &output.columns {
            let sources: Vec<_> = sources.iter().map(|source| shown(source, &lineage)).collect();
            lines.push_str(&format!("{}.{column} <- {}\n", output.dataset.table[2], sources.join(", ")));
        }
        output.rows.iter().for_each(|source| lines.push_str(&format!("rows <- {}\n", shown(source, &lineage))));
    }
    expect![[r#"
        o.p <- t.a TRANSFORMATION
        o.q <- t.c TRANSFORMATION
        rows <- t.b FILTER
        days.p <- batched.a IDENTITY
        days.dt <- batched.c IDENTITY
        days.p <- batched.a IDENTITY
        copied.a <- batched.a IDENTITY
        copied.other <- batched.b IDENTITY
        rows <- batched.c FILTER
    "#]]
    .assert_eq(&lines);
}

#[test]
fn joins_of_other_kinds() {
    check(
        "SELECT a, d FROM t JOIN u USING (a)",
        expect![[r#"
            a <- t.a IDENTITY
            d <- u.d IDENTITY
            rows <- t.a FILTER+JOIN
            rows <- u.a FILTER+JOIN
        "#]],
    );
    check(
        "SELECT x.a, y.c FROM t AS x FULL JOIN t AS y ON x.a = y.b",
        expect![[r#"
            a <- t.a IDENTITY
            c <- t.c IDENTITY
            rows <- t.a JOIN
            rows <- t.b JOIN
        "#]],
    );
    check(
        "SELECT a FROM batched WHERE b > (SELECT AVG(b) FROM batched WHERE c = 'x')",
        expect![[r#"
            a <- batched.a IDENTITY
            rows <- batched.b FILTER+JOIN
            rows <- batched.c FILTER
        "#]],
    );
}

#[test]
fn a_table_is_one_input_however_often_it_is_read() {
    let mut session = session(false);
    run(&mut session, TABLES);
    let lineage = run(&mut session, "SELECT x.a FROM t AS x JOIN t AS y ON x.a = y.b").remove(0);
    assert_eq!((lineage.inputs.len(), lineage.outputs.len()), (1, 0));
}

#[test]
fn every_sink_of_a_set_has_its_own_sources() {
    let mut session = session(false);
    run(&mut session, TABLES);
    let script =
        "CREATE TABLE o1 (a INT) WITH ('connector' = 'print'); CREATE TABLE o2 (d STRING) WITH ('connector' = 'print');
        EXECUTE STATEMENT SET BEGIN INSERT INTO o1 SELECT a FROM t; INSERT INTO o2 SELECT d FROM u; END;";
    let lineage = run(&mut session, script).remove(0);
    let read = |at: usize| -> Vec<&str> {
        lineage.outputs[at].inputs.iter().map(|i| lineage.inputs[*i].dataset.table[2].as_str()).collect()
    };
    assert_eq!((read(0), read(1)), (vec!["t"], vec!["u"]));
    assert_eq!(lineage.sql.as_deref(), Some("INSERT INTO o1 SELECT a FROM t;\nINSERT INTO o2 SELECT d FROM u"));
}

#[test]
fn literals_are_masked_on_request() {
    let mut session = session(false);
    session.set_config("headwater.lineage.mask-literals", "true");
    let script = "CREATE TABLE t (a STRING) WITH ('connector' = 'datagen');
        CREATE TABLE o (a STRING) WITH ('connector' = 'blackhole');
        INSERT INTO o SELECT CONCAT(a, 'Miller') FROM t WHERE a <> 'Smith';";
    let lineage = run(&mut session, script).remove(0);
    let json = lineage.to_json();
    assert!(!json.contains("Smith") && !json.contains("Miller"), "{json}");
    assert!(json.contains("CONCAT(a, '?')"), "{json}");
}
