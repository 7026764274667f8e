//! Plans of OVER aggregates.

use crate::lower::tests::planned_over;
use expect_test::{Expect, expect};

const DDL: &str = "
CREATE TABLE t (k STRING, v BIGINT, w INT, ts TIMESTAMP(3), p AS PROCTIME(), WATERMARK FOR ts AS ts)
  WITH ('connector' = 'filesystem', 'path' = '/nowhere', 'format' = 'json');
";

fn check(query: &str, expected: Expect) {
    let text = planned_over(DDL, 2, query).map_or_else(|e| e, |(text, _)| text);
    expected.assert_eq(&text);
}

fn check_over(query: &str, expected: Expect) {
    let text = planned_over(DDL, 2, query).map_or_else(|e| e, |(text, _)| text);
    let lines = text.lines().filter(|l| l.contains("OverAggregate("));
    let lines: Vec<_> = lines.map(|l| l.trim_start_matches([' ', '+', '-'])).collect();
    let shown = if lines.is_empty() { text } else { lines.join("\n") };
    expected.assert_eq(&format!("{shown}\n"));
}

#[test]
fn calls_over_one_window_share_an_operator() {
    check(
        "SELECT k, COUNT(v) OVER w, SUM(v + 1) OVER w, AVG(v) FILTER (WHERE v > 1) OVER w FROM t
         WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '10' SECOND PRECEDING AND CURRENT ROW)",
        expect![[r#"
            Sink(table=[default_catalog.default_database.collect], fields=[k, EXPR$1, EXPR$2, EXPR$3])
            +- Calc(select=[k, w0$o AS EXPR$1, w0$o0 AS EXPR$2, w0$o1 AS EXPR$3])
               +- OverAggregate(partitionBy=[k], orderBy=[ts ASC], window=[RANGE BETWEEN 10000 PRECEDING AND CURRENT ROW], select=[COUNT(v), SUM($b455add7), AVG(v) FILTER $5c1f15a4])
                  +- Exchange(distribution=[hash[k]]) <- Calc(select=[k, v, ts, (v + 1) AS $b455add7, (v > 1) AS $5c1f15a4])
                     +- WatermarkAssigner(rowtime=[ts], watermark=[ts])
                        +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[k, v, ts])

        "#]],
    );
}

#[test]
fn frames() {
    check_over(
        "SELECT SUM(v) OVER (PARTITION BY k ORDER BY ts) FROM t",
        expect![[r#"
        OverAggregate(partitionBy=[k], orderBy=[ts ASC], window=[RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW], select=[SUM(v)])
    "#]],
    );
    check_over(
        "SELECT SUM(v) OVER (ORDER BY p ROWS BETWEEN 5 PRECEDING AND CURRENT ROW) FROM t",
        expect![[r#"
        OverAggregate(orderBy=[p ASC], window=[ROWS BETWEEN 5 PRECEDING AND CURRENT ROW], select=[SUM(v)])
    "#]],
    );
    check_over(
        "SELECT SUM(v) OVER (PARTITION BY k ORDER BY v ROWS UNBOUNDED PRECEDING) FROM t",
        expect![[r#"
        OverAggregate(partitionBy=[k], orderBy=[v ASC], window=[ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW], select=[SUM(v)])
    "#]],
    );
    check_over(
        "SELECT LAG(v, 2, 0) OVER (PARTITION BY k ORDER BY ts), MAX(v) OVER (PARTITION BY k ORDER BY ts) FROM t",
        expect![[r#"
            OverAggregate(partitionBy=[k], orderBy=[ts ASC], window=[RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW], select=[MAX(v)])
            OverAggregate(partitionBy=[k], orderBy=[ts ASC], window=[ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW], select=[LAG(v)])
        "#]],
    );
    check_over(
        "SELECT SUM(v) OVER (w ROWS 3 PRECEDING) FROM t WINDOW w AS (PARTITION BY k ORDER BY ts)",
        expect![[r#"
            OverAggregate(partitionBy=[k], orderBy=[ts ASC], window=[ROWS BETWEEN 3 PRECEDING AND CURRENT ROW], select=[SUM(v)])
        "#]],
    );
    check_over(
        "SELECT k, SUM(COUNT(*)) OVER (ORDER BY k) FROM t GROUP BY k",
        expect![[r#"
        OverAggregate(orderBy=[k ASC], window=[RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW], select=[SUM(COUNT)])
    "#]],
    );
}

#[test]
fn ranks_without_a_bound_are_calls() {
    check_over(
        "SELECT ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts) AS n FROM t",
        expect![[r#"
        OverAggregate(partitionBy=[k], orderBy=[ts ASC], window=[ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW], select=[ROW_NUMBER(*)])
    "#]],
    );
}

#[test]
fn refused_windows() {
    check_over(
        "SELECT SUM(v) OVER (PARTITION BY k ORDER BY ts DESC) FROM t",
        expect![[r#"
        The window can only be ordered in ASCENDING mode.
    "#]],
    );
    check_over(
        "SELECT SUM(v) OVER (PARTITION BY k ORDER BY ts, v) FROM t",
        expect![[r#"
        The window can only be ordered by a single time column.
    "#]],
    );
    check_over(
        "SELECT SUM(v) OVER (PARTITION BY k ORDER BY v ROWS 3 PRECEDING) FROM t",
        expect![[r#"
        OVER windows' ordering in stream mode must be defined on a time attribute where the frame is bounded: ORDER BY a rowtime or processing-time column, or use UNBOUNDED PRECEDING
    "#]],
    );
    check_over(
        "SELECT SUM(v) OVER (PARTITION BY k) FROM t",
        expect![[r#"
        OVER without ORDER BY is not supported in stream mode
    "#]],
    );
    check_over(
        "SELECT SUM(v) OVER (ORDER BY ts ROWS BETWEEN CURRENT ROW AND 3 FOLLOWING) FROM t",
        expect![[r#"
        a frame that does not end at CURRENT ROW (FOLLOWING) is not supported yet
    "#]],
    );
    check_over(
        "SELECT NTILE(2) OVER (ORDER BY ts) FROM t",
        expect![[r#"
        NTILE Function is not supported in stream mode.
    "#]],
    );
    check_over(
        "SELECT UPPER(k) OVER (ORDER BY ts) FROM t",
        expect![[r#"
        'UPPER' is no function over a window of rows
    "#]],
    );
    check_over(
        "SELECT LAG(v) FROM t",
        expect![[r#"
        the function 'LAG' needs an OVER clause
    "#]],
    );
}

#[test]
fn batch_mode_has_more_functions() {
    check_over(
        "SET 'execution.runtime-mode' = 'batch';
         SELECT LEAD(v) OVER (PARTITION BY k ORDER BY ts), NTILE(4) OVER (PARTITION BY k ORDER BY ts) FROM t",
        expect![[r#"
            OverAggregate(partitionBy=[k], orderBy=[ts ASC], window=[ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW], select=[LEAD(v), NTILE(*)])
        "#]],
    );
    check_over(
        "SET 'execution.runtime-mode' = 'batch'; SELECT SUM(v) OVER (PARTITION BY k) FROM t",
        expect![[r#"
        OverAggregate(partitionBy=[k], orderBy=[], window=[RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW], select=[SUM(v)])
    "#]],
    );
}
