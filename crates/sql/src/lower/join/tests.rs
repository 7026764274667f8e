//! Plans of joins: which kind a query becomes, with which keys and bounds.

use crate::lower::tests::planned_over;
use expect_test::{Expect, expect};

const DDL: &str = "
CREATE TABLE a (id INT, k STRING, v BIGINT, t TIMESTAMP(3), p AS PROCTIME(), WATERMARK FOR t AS t - INTERVAL '1' SECOND)
  WITH ('connector' = 'filesystem', 'path' = '/nowhere/a', 'format' = 'json');
CREATE TABLE b (id BIGINT, k STRING, w BIGINT, u TIMESTAMP(3), p AS PROCTIME(), WATERMARK FOR u AS u)
  WITH ('connector' = 'filesystem', 'path' = '/nowhere/b', 'format' = 'json');
CREATE TABLE rates (currency STRING, rate BIGINT, since TIMESTAMP(3), note STRING,
    PRIMARY KEY (currency) NOT ENFORCED, WATERMARK FOR since AS since)
  WITH ('connector' = 'filesystem', 'path' = '/nowhere/r', 'format' = 'json');
";

/// The plan without the parts below the join's inputs that every test shares.
fn check(query: &str, expected: Expect) {
    let text = planned_over(DDL, 2, query).map_or_else(|e| e, |(text, _)| text);
    expected.assert_eq(&text);
}

/// The lines of the plan that name joins, aggregates over rows, or calcs.
fn check_joins(query: &str, expected: Expect) {
    let text = planned_over(DDL, 2, query).map_or_else(|e| e, |(text, _)| text);
    let of_join = |line: &&str| line.contains("Join(") || line.contains("OverAggregate(");
    let lines: Vec<_> = text.lines().filter(of_join).map(|l| l.trim_start_matches([' ', '+', '-'])).collect();
    let shown = if lines.is_empty() { text } else { lines.join("\n") };
    expected.assert_eq(&format!("{shown}\n"));
}

#[test]
fn a_comma_join_with_equalities_is_an_equi_join_of_what_is_read() {
    check(
        "SELECT a.v, b.w FROM a, b WHERE a.k = b.k AND a.v > 3 AND b.w < 5 AND a.v < b.w",
        expect![[r#"
        Sink(table=[default_catalog.default_database.collect], fields=[v, w])
        +- Calc(select=[v, w])
           +- Join(joinType=[Inner], where=[k = k0 AND (w > v)], leftInputSpec=[NoUniqueKey], rightInputSpec=[NoUniqueKey])
              +- Exchange(distribution=[hash[k]]) <- Calc(select=[k, v], where=[(v > 3)])
                 +- WatermarkAssigner(rowtime=[t], watermark=[(t - 1000)])
                    +- TableSourceScan(table=[[default_catalog, default_database, a]], fields=[k, v, t])
              +- Exchange(distribution=[hash[k]]) <- Calc(select=[k, w], where=[(w < 5)])
                 +- WatermarkAssigner(rowtime=[u], watermark=[u])
                    +- TableSourceScan(table=[[default_catalog, default_database, b]], fields=[k, w, u])

    "#]],
    );
}

#[test]
fn keys_are_cast_computed_and_may_equal_null() {
    check(
        "SELECT a.v, b.w FROM a LEFT JOIN b ON a.id = b.id AND UPPER(a.k) IS NOT DISTINCT FROM b.k",
        expect![[r#"
            Sink(table=[default_catalog.default_database.collect], fields=[v, w])
            +- Calc(select=[v, w])
               +- Join(joinType=[Left], where=[$f120e8e3 = id AND $e947766f IS NOT DISTINCT FROM k], leftInputSpec=[NoUniqueKey], rightInputSpec=[NoUniqueKey])
                  +- Exchange(distribution=[hash[$f120e8e3, $e947766f]]) <- Calc(select=[v, CAST(id AS BIGINT) AS $f120e8e3, UPPER(k) AS $e947766f])
                     +- WatermarkAssigner(rowtime=[t], watermark=[(t - 1000)])
                        +- TableSourceScan(table=[[default_catalog, default_database, a]], fields=[id, k, v, t])
                  +- Exchange(distribution=[hash[id, k]]) <- Calc(select=[id, k, w])
                     +- WatermarkAssigner(rowtime=[u], watermark=[u])
                        +- TableSourceScan(table=[[default_catalog, default_database, b]], fields=[id, k, w, u])

        "#]],
    );
}

#[test]
fn kinds_of_regular_joins() {
    check_joins(
        "SELECT * FROM a RIGHT JOIN b USING (k)",
        expect![[r#"
        Join(joinType=[Right], where=[k = k0], leftInputSpec=[NoUniqueKey], rightInputSpec=[NoUniqueKey])
    "#]],
    );
    check_joins(
        "SELECT * FROM a FULL JOIN b ON a.k = b.k AND a.v > b.w",
        expect![[r#"
        Join(joinType=[Full], where=[k = k0 AND (v > w)], leftInputSpec=[NoUniqueKey], rightInputSpec=[NoUniqueKey])
    "#]],
    );
    check_joins(
        "SELECT a.v FROM a CROSS JOIN b",
        expect![[r#"
        Join(joinType=[Inner], where=[true], leftInputSpec=[NoUniqueKey], rightInputSpec=[NoUniqueKey])
    "#]],
    );
    check_joins(
        "SELECT a.v, b.w, c.rate FROM a JOIN b ON a.k = b.k JOIN rates c ON c.currency = b.k",
        expect![[r#"
            Join(joinType=[Inner], where=[k0 = currency], leftInputSpec=[NoUniqueKey], rightInputSpec=[JoinKeyContainsUniqueKey])
            Join(joinType=[Inner], where=[k = k0], leftInputSpec=[NoUniqueKey], rightInputSpec=[NoUniqueKey])
        "#]],
    );
}

#[test]
fn subqueries_are_semi_and_anti_joins() {
    check_joins(
        "SELECT v FROM a WHERE k IN (SELECT k FROM b WHERE w > 1)",
        expect![[r#"
        Join(joinType=[Semi], where=[k = k0], leftInputSpec=[NoUniqueKey], rightInputSpec=[NoUniqueKey])
    "#]],
    );
    check_joins(
        "SELECT v FROM a WHERE k NOT IN (SELECT k FROM b)",
        expect![[r#"
        Join(joinType=[Anti], where=[((k = k0) OR k IS NULL OR k0 IS NULL)], leftInputSpec=[NoUniqueKey], rightInputSpec=[NoUniqueKey])
    "#]],
    );
    check_joins(
        "SELECT v FROM a WHERE EXISTS (SELECT 1 FROM b WHERE a.k = b.k AND a.v < b.w)",
        expect![[r#"
        Join(joinType=[Semi], where=[k = k0 AND (v < w)], leftInputSpec=[NoUniqueKey], rightInputSpec=[NoUniqueKey])
    "#]],
    );
    check_joins(
        "SELECT v FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE a.k = b.k)",
        expect![[r#"
        Join(joinType=[Anti], where=[k = k0], leftInputSpec=[NoUniqueKey], rightInputSpec=[NoUniqueKey])
    "#]],
    );
    check(
        "SELECT v FROM a WHERE v > 7 OR k IN (SELECT k FROM b)",
        expect![[r#"
            Sink(table=[default_catalog.default_database.collect], fields=[v])
            +- Calc(select=[v], where=[((v > 7) OR mark)])
               +- Calc(select=[v, TRUE AS mark])
                  +- Join(joinType=[Semi], where=[k = k0], leftInputSpec=[NoUniqueKey], rightInputSpec=[NoUniqueKey])
                     +- Exchange(distribution=[hash[k]]) <- Calc(select=[k, v])(reuse_id=[1])
                        +- WatermarkAssigner(rowtime=[t], watermark=[(t - 1000)])
                           +- TableSourceScan(table=[[default_catalog, default_database, a]], fields=[k, v, t])
                     +- Exchange(distribution=[hash[k]]) <- Calc(select=[k])(reuse_id=[2])
                        +- WatermarkAssigner(rowtime=[u], watermark=[u])
                           +- TableSourceScan(table=[[default_catalog, default_database, b]], fields=[k, u])
               +- Calc(select=[v, FALSE AS mark])
                  +- Join(joinType=[Anti], where=[k = k0], leftInputSpec=[NoUniqueKey], rightInputSpec=[NoUniqueKey])
                     +- Exchange(distribution=[hash[k]]) <- Reused(reference_id=[1])
                     +- Exchange(distribution=[hash[k]]) <- Reused(reference_id=[2])

        "#]],
    );
}

#[test]
fn scalar_subqueries() {
    check_joins(
        "SELECT v, (SELECT MAX(w) FROM b WHERE b.k = a.k) AS m FROM a",
        expect![[r#"
            Join(joinType=[Left], where=[k = k0], leftInputSpec=[NoUniqueKey], rightInputSpec=[JoinKeyContainsUniqueKey])
        "#]],
    );
    check(
        "SELECT v FROM a WHERE v > (SELECT w FROM b)",
        expect![[r#"
            Sink(table=[default_catalog.default_database.collect], fields=[v])
            +- Calc(select=[v])
               +- Join(joinType=[Inner], where=[(w < v)], leftInputSpec=[NoUniqueKey], rightInputSpec=[JoinKeyContainsUniqueKey])
                  +- Exchange(distribution=[single]) <- Calc(select=[v])
                     +- WatermarkAssigner(rowtime=[t], watermark=[(t - 1000)])
                        +- TableSourceScan(table=[[default_catalog, default_database, a]], fields=[v, t])
                  +- Exchange(distribution=[single]) <- GroupAggregate(select=[SINGLE_VALUE(w)])
                     +- Exchange(distribution=[single]) <- Calc(select=[w])
                        +- WatermarkAssigner(rowtime=[u], watermark=[u])
                           +- TableSourceScan(table=[[default_catalog, default_database, b]], fields=[w, u])

        "#]],
    );
    check_joins(
        "SELECT v, (SELECT w FROM b WHERE b.k = a.k) AS m FROM a",
        expect![[r#"
            Join(joinType=[Left], where=[k = k0], leftInputSpec=[NoUniqueKey], rightInputSpec=[JoinKeyContainsUniqueKey])
        "#]],
    );
}

#[test]
fn time_bounds_make_interval_joins() {
    check(
        "SELECT a.v, b.w, a.t FROM a JOIN b ON a.k = b.k
         WHERE a.t BETWEEN b.u - INTERVAL '5' SECOND AND b.u + INTERVAL '1' MINUTE AND a.v < b.w",
        expect![[r#"
            Sink(table=[default_catalog.default_database.collect], fields=[v, w, t])
            +- Calc(select=[v, w, t])
               +- IntervalJoin(joinType=[Inner], where=[k = k0 AND (w > v)], windowBounds=[isRowTime=true, leftLowerBound=-5000, leftUpperBound=60000, leftTime=t, rightTime=u])
                  +- Exchange(distribution=[hash[k]]) <- WatermarkAssigner(rowtime=[t], watermark=[(t - 1000)])
                     +- TableSourceScan(table=[[default_catalog, default_database, a]], fields=[k, v, t])
                  +- Exchange(distribution=[hash[k]]) <- WatermarkAssigner(rowtime=[u], watermark=[u])
                     +- TableSourceScan(table=[[default_catalog, default_database, b]], fields=[k, w, u])

        "#]],
    );
    check_joins(
        "SELECT a.v, b.w FROM a LEFT JOIN b ON a.k = b.k AND a.t > b.u AND a.t < b.u + INTERVAL '3' SECOND",
        expect![[r#"
            IntervalJoin(joinType=[Left], where=[k = k0], windowBounds=[isRowTime=true, leftLowerBound=1, leftUpperBound=2999, leftTime=t, rightTime=u])
        "#]],
    );
    check_joins(
        "SELECT a.v, b.w FROM a JOIN b ON a.t = b.u",
        expect![[r#"
        IntervalJoin(joinType=[Inner], where=[t = u], windowBounds=[isRowTime=true, leftLowerBound=0, leftUpperBound=0, leftTime=t, rightTime=u])
    "#]],
    );
    check_joins(
        "SELECT a.v, b.w FROM a JOIN b ON a.k = b.k AND b.p BETWEEN a.p AND a.p + INTERVAL '1' HOUR",
        expect![[r#"
            IntervalJoin(joinType=[Inner], where=[k = k0], windowBounds=[isRowTime=false, leftLowerBound=-3600000, leftUpperBound=0, leftTime=p, rightTime=p0])
        "#]],
    );
    check_joins(
        "SELECT v FROM a WHERE EXISTS (SELECT 1 FROM b WHERE a.k = b.k AND b.u BETWEEN a.t AND a.t + INTERVAL '1' DAY)",
        expect![[r#"
            IntervalJoin(joinType=[Semi], where=[k = k0], windowBounds=[isRowTime=true, leftLowerBound=-86400000, leftUpperBound=0, leftTime=t, rightTime=u])
        "#]],
    );
}

#[test]
fn open_bounds_leave_a_regular_join() {
    check_joins(
        "SELECT a.v, b.w FROM a JOIN b ON a.k = b.k AND a.t > b.u",
        expect![[r#"
        Join(joinType=[Inner], where=[k = k0 AND (t > u)], leftInputSpec=[NoUniqueKey], rightInputSpec=[NoUniqueKey])
    "#]],
    );
    check_joins(
        "SELECT a.v, b.w FROM a JOIN b ON a.k = b.k AND a.t > b.p AND a.t < b.p",
        expect![[r#"
        Join(joinType=[Inner], where=[k = k0 AND ((CAST(t AS TIMESTAMP_LTZ(3)) > p) AND (CAST(t AS TIMESTAMP_LTZ(3)) < p))], leftInputSpec=[NoUniqueKey], rightInputSpec=[NoUniqueKey])
    "#]],
    );
}

#[test]
fn versioned_tables() {
    check(
        "SELECT a.v * r.rate FROM a JOIN rates FOR SYSTEM_TIME AS OF a.t AS r ON a.k = r.currency",
        expect![[r#"
        Sink(table=[default_catalog.default_database.collect], fields=[EXPR$0])
        +- Calc(select=[(v * rate) AS EXPR$0])
           +- TemporalJoin(joinType=[Inner], where=[k = currency], asOf=[t], versionedBy=[since])
              +- Exchange(distribution=[hash[k]]) <- WatermarkAssigner(rowtime=[t], watermark=[(t - 1000)])
                 +- TableSourceScan(table=[[default_catalog, default_database, a]], fields=[k, v, t])
              +- Exchange(distribution=[hash[currency]]) <- WatermarkAssigner(rowtime=[since], watermark=[since])
                 +- TableSourceScan(table=[[default_catalog, default_database, rates]], fields=[currency, rate, since])

    "#]],
    );
    check_joins(
        "SELECT a.v * r.rate FROM a LEFT JOIN rates FOR SYSTEM_TIME AS OF a.t AS r
         ON a.k = r.currency AND a.v > r.rate AND r.note = 'x' WHERE a.v > 1",
        expect![[r#"
            TemporalJoin(joinType=[Left], where=[k = currency AND ((v > rate) AND (note = 'x'))], asOf=[t], versionedBy=[since])
        "#]],
    );
    check_joins(
        "SELECT a.v * r.rate FROM a JOIN rates FOR SYSTEM_TIME AS OF a.p AS r ON a.k = r.currency",
        expect![[r#"
            TemporalJoin(joinType=[Inner], where=[k = currency], asOf=[processing time])
        "#]],
    );
    check_joins(
        "SELECT a.v FROM a JOIN b FOR SYSTEM_TIME AS OF a.t AS r ON a.k = r.k",
        expect![[r#"
        Event-Time Temporal Table Join requires both primary key and row time attribute in versioned table, but no primary key can be found
    "#]],
    );
    check_joins(
        "SELECT a.v FROM a JOIN rates FOR SYSTEM_TIME AS OF a.t AS r ON a.k = r.note",
        expect![[r#"
        Temporal table's primary key [currency] must be included in the equivalence condition of temporal join
    "#]],
    );
    check_joins(
        "SELECT a.v FROM a JOIN rates FOR SYSTEM_TIME AS OF a.id AS r ON a.k = r.note",
        expect![[r#"
        Temporal table join currently only supports 'FOR SYSTEM_TIME AS OF' left table's time attribute field
    "#]],
    );
    check_joins(
        "SELECT a.v FROM a RIGHT JOIN rates FOR SYSTEM_TIME AS OF a.t AS r ON a.k = r.currency",
        expect![[r#"
        a join with a table FOR SYSTEM_TIME AS OF, or with a SNAPSHOT, must be an inner or a left join
    "#]],
    );
}

#[test]
fn set_operations() {
    check_joins(
        "SELECT k FROM a INTERSECT SELECT k FROM b",
        expect![[r#"
        Join(joinType=[Semi], where=[k IS NOT DISTINCT FROM k0], leftInputSpec=[JoinKeyContainsUniqueKey], rightInputSpec=[NoUniqueKey])
    "#]],
    );
    check_joins(
        "SELECT k, v FROM a EXCEPT SELECT k, w FROM b",
        expect![[r#"
        Join(joinType=[Anti], where=[k IS NOT DISTINCT FROM k0 AND v IS NOT DISTINCT FROM w], leftInputSpec=[JoinKeyContainsUniqueKey], rightInputSpec=[NoUniqueKey])
    "#]],
    );
    check(
        "SELECT k FROM a INTERSECT ALL SELECT k FROM b",
        expect![[r#"
        Sink(table=[default_catalog.default_database.collect], fields=[k])
        +- Calc(select=[k])
           +- Correlate(unnest=[SPLIT(REPEAT('x', CAST(CAST(CASE WHEN ($right > $left) THEN $left ELSE $right END AS INT NOT NULL) AS BIGINT NOT NULL)), '')], joinType=[INNER])
              +- Calc(select=[k, $left, $right], where=[(CASE WHEN ($right > $left) THEN $left ELSE $right END > 0)])
                 +- GroupAggregate(groupBy=[k], select=[SUM($left), SUM($right)])
                    +- Exchange(distribution=[hash[k]]) <- Calc(select=[k, 1 AS $left, 0 AS $right])
                       +- WatermarkAssigner(rowtime=[t], watermark=[(t - 1000)])
                          +- TableSourceScan(table=[[default_catalog, default_database, a]], fields=[k, t])
                    +- Exchange(distribution=[hash[k]]) <- Calc(select=[k, 0 AS $left, 1 AS $right])
                       +- WatermarkAssigner(rowtime=[u], watermark=[u])
                          +- TableSourceScan(table=[[default_catalog, default_database, b]], fields=[k, u])

    "#]],
    );
    check(
        "SELECT k, id FROM a EXCEPT ALL SELECT k, id FROM b",
        expect![[r#"
        Sink(table=[default_catalog.default_database.collect], fields=[k, id])
        +- Calc(select=[k, id])
           +- Correlate(unnest=[SPLIT(REPEAT('x', CAST(CAST(($left - $right) AS INT NOT NULL) AS BIGINT NOT NULL)), '')], joinType=[INNER])
              +- Calc(select=[k, id, $left, $right], where=[(($left - $right) > 0)])
                 +- GroupAggregate(groupBy=[k, id], select=[SUM($left), SUM($right)])
                    +- Exchange(distribution=[hash[k, id]]) <- Calc(select=[k, CAST(id AS BIGINT) AS id, 1 AS $left, 0 AS $right])
                       +- WatermarkAssigner(rowtime=[t], watermark=[(t - 1000)])
                          +- TableSourceScan(table=[[default_catalog, default_database, a]], fields=[id, k, t])
                    +- Exchange(distribution=[hash[k, id]]) <- Calc(select=[k, id, 0 AS $left, 1 AS $right])
                       +- WatermarkAssigner(rowtime=[u], watermark=[u])
                          +- TableSourceScan(table=[[default_catalog, default_database, b]], fields=[id, k, u])

    "#]],
    );
    check(
        "SELECT k FROM a UNION SELECT k FROM b",
        expect![[r#"
        Sink(table=[default_catalog.default_database.collect], fields=[k])
        +- GroupAggregate(groupBy=[k], select=[])
           +- Exchange(distribution=[hash[k]]) <- Calc(select=[k])
              +- WatermarkAssigner(rowtime=[t], watermark=[(t - 1000)])
                 +- TableSourceScan(table=[[default_catalog, default_database, a]], fields=[k, t])
           +- Exchange(distribution=[hash[k]]) <- Calc(select=[k])
              +- WatermarkAssigner(rowtime=[u], watermark=[u])
                 +- TableSourceScan(table=[[default_catalog, default_database, b]], fields=[k, u])

    "#]],
    );
}

#[test]
fn subqueries_as_values() {
    check_joins(
        "SELECT v, EXISTS (SELECT 1 FROM b WHERE b.k = a.k) FROM a",
        expect![[r#"
        Join(joinType=[Left], where=[k = k0], leftInputSpec=[NoUniqueKey], rightInputSpec=[JoinKeyContainsUniqueKey])
    "#]],
    );
    check(
        "SELECT v, k IN (SELECT k FROM b) FROM a",
        expect![[r#"
            Sink(table=[default_catalog.default_database.collect], fields=[v, EXPR$1])
            +- Calc(select=[v, ($found IS NOT NULL OR (k IS NULL AND $found0 IS NOT NULL AND $found IS NULL AND NULL) OR ($found1 IS NOT NULL AND $found IS NULL AND (k IS NOT NULL OR $found0 IS NULL) AND NULL)) AS EXPR$1])
               +- Join(joinType=[Left], where=[true], leftInputSpec=[NoUniqueKey], rightInputSpec=[JoinKeyContainsUniqueKey])
                  +- Exchange(distribution=[single]) <- Join(joinType=[Left], where=[true], leftInputSpec=[NoUniqueKey], rightInputSpec=[JoinKeyContainsUniqueKey])
                     +- Exchange(distribution=[single]) <- Calc(select=[k, v, $found])
                        +- Join(joinType=[Left], where=[k = k0], leftInputSpec=[NoUniqueKey], rightInputSpec=[JoinKeyContainsUniqueKey])
                           +- Exchange(distribution=[hash[k]]) <- Calc(select=[k, v])
                              +- WatermarkAssigner(rowtime=[t], watermark=[(t - 1000)])
                                 +- TableSourceScan(table=[[default_catalog, default_database, a]], fields=[k, v, t])
                           +- Exchange(distribution=[hash[k]]) <- GroupAggregate(groupBy=[k], select=[MAX($row)])
                              +- Exchange(distribution=[hash[k]]) <- Calc(select=[k, TRUE AS $row])
                                 +- WatermarkAssigner(rowtime=[u], watermark=[u])(reuse_id=[1])
                                    +- TableSourceScan(table=[[default_catalog, default_database, b]], fields=[k, u])
                     +- Exchange(distribution=[single]) <- GroupAggregate(select=[MAX($row)])
                        +- Exchange(distribution=[single]) <- Calc(select=[TRUE AS $row])
                           +- Reused(reference_id=[1])
                  +- Exchange(distribution=[single]) <- GroupAggregate(select=[MAX($row)])
                     +- Exchange(distribution=[single]) <- Calc(select=[TRUE AS $row], where=[k IS NULL])
                        +- Reused(reference_id=[1])

        "#]],
    );
    check_joins(
        "SELECT v FROM a WHERE CASE WHEN k NOT IN (SELECT k FROM b) THEN 1 ELSE 2 END NOT IN (SELECT w FROM b WHERE b.k = a.k)",
        expect![[r#"
            Join(joinType=[Anti], where=[k = k0 AND (($needle = w) OR $needle IS NULL OR w IS NULL)], leftInputSpec=[NoUniqueKey], rightInputSpec=[NoUniqueKey])
            Join(joinType=[Left], where=[true], leftInputSpec=[NoUniqueKey], rightInputSpec=[JoinKeyContainsUniqueKey])
            Exchange(distribution=[single]) <- Join(joinType=[Left], where=[true], leftInputSpec=[NoUniqueKey], rightInputSpec=[JoinKeyContainsUniqueKey])
            Join(joinType=[Left], where=[k = k0], leftInputSpec=[NoUniqueKey], rightInputSpec=[JoinKeyContainsUniqueKey])
        "#]],
    );
    check_joins(
        "SELECT v FROM a WHERE v > 3 OR k NOT IN (SELECT k FROM b)",
        expect![[r#"
        Join(joinType=[Left], where=[true], leftInputSpec=[NoUniqueKey], rightInputSpec=[JoinKeyContainsUniqueKey])
        Join(joinType=[Left], where=[true], leftInputSpec=[NoUniqueKey], rightInputSpec=[JoinKeyContainsUniqueKey])
        Join(joinType=[Left], where=[k = k0], leftInputSpec=[NoUniqueKey], rightInputSpec=[JoinKeyContainsUniqueKey])
    "#]],
    );
    check_joins(
        "SELECT v FROM a JOIN b ON a.k = b.k AND a.v IN (SELECT rate FROM rates)",
        expect![[r#"
        a subquery of this form is not supported yet: conditions between a subquery and the query around it must stand in the WHERE of the subquery, and be equalities where it aggregates; subqueries in ON are not supported
    "#]],
    );
    check_joins(
        "SELECT v FROM a WHERE v = (SELECT MAX(w) FROM b WHERE b.w < a.v)",
        expect![[r#"
        a subquery of this form is not supported yet: conditions between a subquery and the query around it must stand in the WHERE of the subquery, and be equalities where it aggregates; subqueries in ON are not supported
    "#]],
    );
    check_joins(
        "SELECT v FROM a WHERE (k, v) IN (SELECT k, w FROM b)",
        expect![[r#"
        Join(joinType=[Semi], where=[k = k0 AND v = w], leftInputSpec=[NoUniqueKey], rightInputSpec=[NoUniqueKey])
    "#]],
    );
}

#[test]
fn times_after_joins() {
    let window = "SELECT COUNT(*) FROM TABLE(TUMBLE(TABLE j, DESCRIPTOR(t), INTERVAL '1' HOUR)) GROUP BY window_start, window_end";
    let regular = "CREATE VIEW j AS SELECT a.v, a.t FROM a JOIN b ON a.k = b.k;";
    check_joins(
        &format!("{regular} {window}"),
        expect![[r#"
        The window function requires the timecol is a time attribute type, but is TIMESTAMP(3). A join without time bounds and an aggregation without a window make plain timestamps of time attributes
    "#]],
    );
    let bounded = "CREATE VIEW j AS SELECT a.v, a.t FROM a JOIN b ON a.k = b.k AND a.t BETWEEN b.u AND b.u + INTERVAL '1' SECOND;";
    check_joins(
        &format!("{bounded} {window}"),
        expect![[r#"
        IntervalJoin(joinType=[Inner], where=[k = k0], windowBounds=[isRowTime=true, leftLowerBound=0, leftUpperBound=1000, leftTime=t, rightTime=u])
    "#]],
    );
    let versioned = "CREATE VIEW v AS SELECT k, w, u FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY u DESC) AS n FROM b) WHERE n = 1;";
    check_joins(
        &format!("{versioned} SELECT a.v, v.w FROM a JOIN v FOR SYSTEM_TIME AS OF a.t ON a.k = v.k"),
        expect![[r#"
            TemporalJoin(joinType=[Inner], where=[k = k0], asOf=[t], versionedBy=[u])
        "#]],
    );
}

#[test]
fn joins_of_updating_inputs() {
    check(
        "SELECT a.v, c.n FROM a JOIN (SELECT k, COUNT(*) AS n FROM b GROUP BY k) c ON a.k = c.k",
        expect![[r#"
        Sink(table=[default_catalog.default_database.collect], fields=[v, n])
        +- Calc(select=[v, COUNT AS n])
           +- Join(joinType=[Inner], where=[k = k0], leftInputSpec=[NoUniqueKey], rightInputSpec=[JoinKeyContainsUniqueKey])
              +- Exchange(distribution=[hash[k]]) <- Calc(select=[k, v])
                 +- WatermarkAssigner(rowtime=[t], watermark=[(t - 1000)])
                    +- TableSourceScan(table=[[default_catalog, default_database, a]], fields=[k, v, t])
              +- Exchange(distribution=[hash[k]]) <- GroupAggregate(groupBy=[k], select=[COUNT(*)])
                 +- Exchange(distribution=[hash[k]]) <- Calc(select=[k])
                    +- WatermarkAssigner(rowtime=[u], watermark=[u])
                       +- TableSourceScan(table=[[default_catalog, default_database, b]], fields=[k, u])

    "#]],
    );
}

#[test]
fn batch_joins_wait_for_the_end() {
    let batch = "SET 'execution.runtime-mode' = 'batch';";
    check_joins(
        &format!(
            "{batch} SELECT a.v, b.w FROM a LEFT JOIN b ON a.k = b.k AND a.t BETWEEN b.u AND b.u + INTERVAL '1' DAY"
        ),
        expect![[r#"
            Join(joinType=[Left], where=[k = k0 AND ((t >= u) AND (t <= (u + 86400000)))], leftInputSpec=[NoUniqueKey], rightInputSpec=[NoUniqueKey])
        "#]],
    );
}

/// They have to have all rows of a window, and nothing tells when those of several subtasks are there.
#[test]
fn joins_and_ranks_of_windows_want_event_time() {
    let windows = |table: &str, time: &str| {
        format!(
            "(SELECT k, window_start, window_end, COUNT(*) AS n
              FROM TABLE(TUMBLE(TABLE {table}, DESCRIPTOR({time}), INTERVAL '1' SECOND))
              GROUP BY k, window_start, window_end)"
        )
    };
    for (times, refused) in [(("t", "u"), false), (("p", "p"), true)] {
        let (left, right) = (windows("a", times.0), windows("b", times.1));
        let join = format!(
            "SELECT x.k FROM {left} x JOIN {right} y
             ON x.window_start = y.window_start AND x.window_end = y.window_end AND x.k = y.k"
        );
        let rank = format!(
            "SELECT k FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY n DESC) AS r
             FROM {left}) WHERE r <= 3"
        );
        let again = format!("SELECT window_end, SUM(n) FROM {left} GROUP BY window_start, window_end");
        for (query, refused) in [(join, refused), (rank, refused), (again, false)] {
            let planned = planned_over(DDL, 2, &query).map(drop);
            let as_expected = match &planned {
                Ok(()) => !refused,
                Err(message) => refused && message.contains("over windows of processing time is not supported"),
            };
            assert!(as_expected, "{query}: {planned:?}");
        }
    }
}
