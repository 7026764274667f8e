//! How aggregations of unbounded input are planned.

use super::super::tests::planned_over;
use expect_test::{Expect, expect};

const DDL: &str = "
CREATE TABLE t (k BIGINT, v BIGINT, s STRING) WITH ('connector' = 'datagen');
CREATE TABLE changed (k BIGINT, v BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'values',
  'data-id' = 'none', 'changelog-mode' = 'I,UB,UA,D');
SET 'table.exec.mini-batch.allow-latency' = '1 s';
SET 'table.exec.mini-batch.size' = '100';
";

fn check(settings: &[(&str, &str)], query: &str, expected: Expect) {
    let settings: String = settings.iter().map(|(key, value)| format!("SET '{key}' = '{value}';\n")).collect();
    let text = planned_over(&format!("{DDL}{settings}"), 2, query).map_or_else(|e| e, |(text, _)| text);
    expected.assert_eq(&text);
}

const BUNDLES: (&str, &str) = ("table.exec.mini-batch.enabled", "true");
const ONE_PHASE: (&str, &str) = ("table.optimizer.agg-phase-strategy", "ONE_PHASE");
const SPLIT: (&str, &str) = ("table.optimizer.distinct-agg.split.enabled", "true");

#[test]
fn bundles_are_summed_up_before_the_exchange() {
    check(
        &[BUNDLES],
        "SELECT k, COUNT(*), SUM(v) FILTER (WHERE v > 1) FROM t GROUP BY k",
        expect![[r#"
        Sink(table=[default_catalog.default_database.collect], fields=[k, COUNT, SUM])
        +- GlobalGroupAggregate(groupBy=[k], select=[COUNT(*), SUM(v) FILTER (WHERE $5c1f15a4)])
           +- Exchange(distribution=[hash[k]]) <- LocalGroupAggregate(groupBy=[k], select=[COUNT(*), SUM(v) FILTER $5c1f15a4])
              +- Calc(select=[k, v, (v > 1) AS $5c1f15a4])
                 +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[k, v])

    "#]],
    );
    check(
        &[BUNDLES, ONE_PHASE],
        "SELECT k, COUNT(*) FROM t GROUP BY k",
        expect![[r#"
        Sink(table=[default_catalog.default_database.collect], fields=[k, COUNT])
        +- GroupAggregate(groupBy=[k], select=[COUNT(*)])
           +- Exchange(distribution=[hash[k]]) <- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[k])

    "#]],
    );
}

#[test]
fn sums_of_changes_say_how_many_rows_they_stand_for() {
    check(
        &[BUNDLES],
        "SELECT v, COUNT(*), AVG(k) FROM changed GROUP BY v",
        expect![[r#"
        Sink(table=[default_catalog.default_database.collect], fields=[v, COUNT, AVG])
        +- GlobalGroupAggregate(groupBy=[v], select=[COUNT(*), AVG(k)])
           +- Exchange(distribution=[hash[v]]) <- LocalGroupAggregate(groupBy=[v], select=[COUNT(*), AVG(k)])
              +- Calc(select=[v, k])
                 +- TableSourceScan(table=[[default_catalog, default_database, changed]], fields=[k, v])

    "#]],
    );
    check(
        &[BUNDLES],
        "SELECT v, MAX(k) FROM changed GROUP BY v",
        expect![[r#"
        Sink(table=[default_catalog.default_database.collect], fields=[v, MAX])
        +- GroupAggregate(groupBy=[v], select=[MAX(k)])
           +- Exchange(distribution=[hash[v]]) <- Calc(select=[v, k])
              +- TableSourceScan(table=[[default_catalog, default_database, changed]], fields=[k, v])

    "#]],
    );
}

#[test]
fn distinct_values_are_counted_in_buckets() {
    check(
        &[SPLIT],
        "SELECT k, COUNT(DISTINCT v) FROM t GROUP BY k",
        expect![[r#"
            Sink(table=[default_catalog.default_database.collect], fields=[k, COUNT])
            +- GroupAggregate(groupBy=[k], select=[$SUM0(COUNT(DISTINCT v))])
               +- Exchange(distribution=[hash[k]]) <- Calc(select=[k, COUNT(DISTINCT v)])
                  +- GroupAggregate(groupBy=[k, $bucket_1024], select=[COUNT(DISTINCT v)])
                     +- Exchange(distribution=[hash[k, $bucket_1024]]) <- Calc(select=[k, v, (HASH_CODE(v) % 1024) AS $bucket_1024])
                        +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[k, v])

        "#]],
    );
}

#[test]
fn other_calls_get_rows_of_their_own() {
    check(
        &[SPLIT, ("table.optimizer.distinct-agg.split.bucket-num", "16")],
        "SELECT COUNT(DISTINCT v), SUM(DISTINCT v) FILTER (WHERE k > 1), COUNT(DISTINCT s), MIN(v) FROM t",
        expect![[r#"
            Sink(table=[default_catalog.default_database.collect], fields=[COUNT, SUM, COUNT, MIN])
            +- GroupAggregate(select=[$SUM0(COUNT(DISTINCT v)), SUM(SUM(DISTINCT v) FILTER (WHERE $6188e379)), $SUM0(COUNT(DISTINCT s)), MIN(MIN(v))])
               +- Exchange(distribution=[single]) <- Calc(select=[COUNT(DISTINCT v), SUM(DISTINCT v) FILTER (WHERE $6188e379), COUNT(DISTINCT s), MIN(v)])
                  +- GroupAggregate(groupBy=[$bucket_16, $e], select=[COUNT(DISTINCT v) FILTER $e = 10386, SUM(DISTINCT v) FILTER $e = 10386 AND $6188e379, COUNT(DISTINCT s) FILTER $e = 10293, MIN(v) FILTER $e = 0])
                     +- Exchange(distribution=[hash[$bucket_16, $e]]) <- Calc(select=[v, s, $bucket_16, $e, ($e = 10386) AS $e = 10386, (($e = 10386) AND $6188e379) AS $e = 10386 AND $6188e379, ($e = 10293) AS $e = 10293, ($e = 0) AS $e = 0])
                        +- Expand(projects=[3 grouping sets], fields=[v, $6188e379, s, $bucket_16, $e])
                           +- Calc(select=[v, (k > 1) AS $6188e379, s, (HASH_CODE(v) % 16) AS $bucket_16, (HASH_CODE(s) % 16) AS $bucket_16_1])
                              +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[k, v, s])

        "#]],
    );
}
