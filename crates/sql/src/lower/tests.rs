//! Lowering of SQL: what is shared, fused, pruned and refused.

use crate::session::{Session, StatementResult};
use expect_test::{Expect, expect};
use headwater_env::Env;
use headwater_plan::{OperatorSpec, codec};
use headwater_types::config::Configuration;

const DDL: &str = "
CREATE TABLE events (
  kind INT,
  bid ROW<auction BIGINT, bidder BIGINT, price BIGINT, dt TIMESTAMP(3), extra STRING>,
  person ROW<id BIGINT, name STRING, dt TIMESTAMP(3), extra STRING>,
  unread STRING,
  ts AS CASE WHEN kind = 0 THEN person.dt ELSE bid.dt END,
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND
) WITH ('connector' = 'filesystem', 'path' = '/nowhere', 'format' = 'json');
CREATE VIEW bid AS SELECT bid.auction, bid.bidder, bid.price, ts, bid.extra FROM events WHERE kind = 2;
CREATE VIEW person AS SELECT person.id, person.name, ts FROM events WHERE kind = 0;
CREATE TABLE sink (a BIGINT, b BIGINT) WITH ('connector' = 'blackhole');
CREATE TABLE sink2 (a BIGINT) WITH ('connector' = 'blackhole');
";

fn session(parallelism: u32, ddl: &str) -> Session {
    let mut config = Configuration::new();
    config.set("parallelism.default", parallelism.to_string());
    config.set("table.local-time-zone", "UTC");
    let (env, _) = Env::simulated(1, 0);
    let mut session = Session::new(config, headwater_connectors::registry(), env);
    run(&mut session, ddl).expect("the declarations are valid");
    session
}

fn run(session: &mut Session, script: &str) -> Result<Vec<StatementResult>, String> {
    let (statements, error) = headwater_sql_parser::parse_script(script);
    assert!(error.is_none(), "{error:?}");
    let execute = |s: &headwater_sql_parser::ParsedStatement| {
        session.execute(&s.statement, script).map_err(|e| e.message.clone())
    };
    statements.iter().map(execute).collect()
}

fn planned(parallelism: u32, query: &str) -> Result<(String, headwater_plan::JobGraph), String> {
    planned_over(DDL, parallelism, query)
}

/// The plan of the last statement of a script over these tables.
pub(super) fn planned_over(
    ddl: &str,
    parallelism: u32,
    query: &str,
) -> Result<(String, headwater_plan::JobGraph), String> {
    match run(&mut session(parallelism, ddl), query)?.pop() {
        Some(StatementResult::Query(query)) => Ok((query.optimized_text, query.graph)),
        Some(StatementResult::Job(job)) => Ok((job.optimized_text, job.graph)),
        other => Err(format!("not a job: {other:?}")),
    }
}

fn check(query: &str, expected: Expect) {
    let text = planned(2, query).map_or_else(|e| e, |(text, _)| text);
    expected.assert_eq(&text);
}

#[test]
fn not_in_matches_nulls_and_only_aggregates_need_even_hops() {
    let (_, graph) = planned(
        1,
        "SELECT L.auction FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '5' SECOND)) L WHERE L.price NOT IN (
           SELECT R.price FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '5' SECOND)) R
           WHERE L.window_start = R.window_start AND L.window_end = R.window_end)",
    )
    .expect("a window anti join");
    assert!(format!("{graph:?}").contains("IS NULL"), "the equality of NOT IN holds for NULL, too: {graph:?}");
    let hop = "TABLE(HOP(TABLE bid, DESCRIPTOR(ts), INTERVAL '4' SECOND, INTERVAL '10' SECOND))";
    assert!(planned(1, &format!("SELECT auction, window_end FROM {hop}")).is_ok());
    let aggregate = format!("SELECT window_start, window_end, COUNT(*) FROM {hop} GROUP BY window_start, window_end");
    let message = planned(1, &aggregate).expect_err("slices of 4 s do not make windows of 10 s");
    assert!(
        message.contains("requires size must be an integral multiple of slide, but got size 10000 ms"),
        "{message}"
    );
}

#[test]
fn reads_only_what_is_used_and_fuses_calcs() {
    check(
        "SELECT auction, price + 1 AS p FROM bid WHERE price > 10",
        expect![[r#"
        Sink(table=[default_catalog.default_database.collect], fields=[auction, p])
        +- Calc(select=[bid.auction AS auction, (bid.price + 1) AS p], where=[((kind = 2) AND (bid.price > 10))])
           +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 4000)])
              +- Calc(select=[kind, bid, CASE WHEN (kind = 0) THEN person.dt ELSE bid.dt END AS ts])
                 +- TableSourceScan(table=[[default_catalog, default_database, events]], fields=[kind, bid, person])

    "#]],
    );
}

#[test]
fn a_view_used_twice_is_computed_once() {
    check(
        "SELECT A.auction, A.num FROM (
           SELECT auction, COUNT(*) AS num, window_start AS s, window_end AS e
           FROM TABLE(HOP(TABLE bid, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '10' SECOND))
           GROUP BY auction, window_start, window_end
         ) A JOIN (
           SELECT MAX(num) AS m, s, e FROM (
             SELECT COUNT(*) AS num, window_start AS s, window_end AS e
             FROM TABLE(HOP(TABLE bid, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '10' SECOND))
             GROUP BY auction, window_start, window_end
           ) GROUP BY s, e
         ) M ON A.s = M.s AND A.e = M.e AND A.num >= M.m",
        expect![[r#"
            Sink(table=[default_catalog.default_database.collect], fields=[auction, num])
            +- Calc(select=[auction, num])
               +- WindowJoin(joinType=[Inner], where=[(num >= m)])
                  +- Exchange(distribution=[single]) <- Calc(select=[auction, COUNT AS num, window_start AS s, window_end AS e])
                     +- GlobalWindowAggregate(groupBy=[auction], window=[time_col=[$1], HOP(size=[10 s], slide=[2 s])], select=[COUNT(*)])(reuse_id=[1])
                        +- Exchange(distribution=[hash[auction]]) <- LocalWindowAggregate(groupBy=[auction], window=[time_col=[ts], HOP(size=[10 s], slide=[2 s])], select=[COUNT(*)])
                           +- Calc(select=[bid.auction AS auction, ts], where=[(kind = 2)])
                              +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 4000)])
                                 +- Calc(select=[kind, bid, CASE WHEN (kind = 0) THEN person.dt ELSE bid.dt END AS ts])
                                    +- TableSourceScan(table=[[default_catalog, default_database, events]], fields=[kind, bid, person])
                  +- Exchange(distribution=[single]) <- Calc(select=[MAX AS m, window_start AS s, window_end AS e])
                     +- WindowAggregate(window=[win_start=[s], win_end=[e], HOP(size=[10 s], slide=[2 s])], select=[MAX(num)])
                        +- Exchange(distribution=[single]) <- Calc(select=[COUNT AS num, window_start AS s, window_end AS e])
                           +- Reused(reference_id=[1])

        "#]],
    );
}

#[test]
fn sinks_share_the_scan() {
    check(
        "EXECUTE STATEMENT SET BEGIN
           INSERT INTO sink SELECT auction, bidder FROM bid;
           INSERT INTO sink2 SELECT id FROM person;
         END",
        expect![[r#"
            Sink(table=[default_catalog.default_database.sink], fields=[auction, bidder])
            +- Calc(select=[bid.auction AS auction, bid.bidder AS bidder], where=[(kind = 2)])
               +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 4000)])(reuse_id=[1])
                  +- Calc(select=[kind, bid, person, CASE WHEN (kind = 0) THEN person.dt ELSE bid.dt END AS ts])
                     +- TableSourceScan(table=[[default_catalog, default_database, events]], fields=[kind, bid, person])

            Sink(table=[default_catalog.default_database.sink2], fields=[id])
            +- Calc(select=[person.id AS id], where=[(kind = 0)])
               +- Reused(reference_id=[1])

        "#]],
    );
}

#[test]
fn windows_are_executed_where_their_columns_are_needed() {
    check(
        "SELECT auction, window_start FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE))",
        expect![[r#"
            Sink(table=[default_catalog.default_database.collect], fields=[auction, window_start])
            +- Calc(select=[auction, window_start])
               +- WindowTableFunction(window=[time_col=[ts], TUMBLE(size=[60 s])])
                  +- Calc(select=[bid.auction AS auction, ts], where=[(kind = 2)])
                     +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 4000)])
                        +- Calc(select=[kind, bid, CASE WHEN (kind = 0) THEN person.dt ELSE bid.dt END AS ts])
                           +- TableSourceScan(table=[[default_catalog, default_database, events]], fields=[kind, bid, person])

        "#]],
    );
}

#[test]
fn grouping_sets_expand_below_the_window() {
    check(
        "SELECT auction, bidder, COUNT(*) FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
         GROUP BY window_start, window_end, GROUPING SETS ((auction), (bidder), ())",
        expect![[r#"
            Sink(table=[default_catalog.default_database.collect], fields=[auction, bidder, EXPR$2])
            +- Calc(select=[auction, bidder, COUNT AS EXPR$2])
               +- GlobalWindowAggregate(groupBy=[auction, bidder, $e], window=[time_col=[$3], TUMBLE(size=[60 s])], select=[COUNT(*)])
                  +- Exchange(distribution=[hash[auction, bidder, $e]]) <- LocalWindowAggregate(groupBy=[auction, bidder, $e], window=[time_col=[ts], TUMBLE(size=[60 s])], select=[COUNT(*)])
                     +- Expand(projects=[3 grouping sets], fields=[auction, bidder, $e, ts])
                        +- Calc(select=[bid.auction AS auction, bid.bidder AS bidder, ts], where=[(kind = 2)])
                           +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 4000)])
                              +- Calc(select=[kind, bid, CASE WHEN (kind = 0) THEN person.dt ELSE bid.dt END AS ts])
                                 +- TableSourceScan(table=[[default_catalog, default_database, events]], fields=[kind, bid, person])

        "#]],
    );
}

#[test]
fn a_bounded_rank_becomes_a_window_top_n() {
    check(
        "SELECT auction, price, n FROM (
           SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end, bidder ORDER BY price DESC) AS n
           FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
         ) WHERE n <= 3",
        expect![[r#"
            Sink(table=[default_catalog.default_database.collect], fields=[auction, price, n])
            +- Calc(select=[auction, price, w0$o0 AS n])
               +- WindowRank(rankType=[RowNumber], rankRange=[1..3], partitionBy=[bidder], orderBy=[price DESC])
                  +- Exchange(distribution=[hash[bidder]]) <- Calc(select=[auction, bidder, price, window_start, window_end])
                     +- WindowTableFunction(window=[time_col=[ts], TUMBLE(size=[60 s])])
                        +- Calc(select=[bid.auction AS auction, bid.bidder AS bidder, bid.price AS price, ts], where=[(kind = 2)])
                           +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 4000)])
                              +- Calc(select=[kind, bid, CASE WHEN (kind = 0) THEN person.dt ELSE bid.dt END AS ts])
                                 +- TableSourceScan(table=[[default_catalog, default_database, events]], fields=[kind, bid, person])

        "#]],
    );
}

#[test]
fn plans_survive_encoding() {
    let (_, graph) = planned(4, "INSERT INTO sink SELECT auction, COUNT(*) FROM bid GROUP BY auction").expect("valid");
    let encoded = codec::encode(&graph).expect("a plan can be encoded");
    assert_eq!(codec::decode(&encoded).expect("what was encoded can be decoded"), graph);
    let sources = graph.vertices.iter().filter(|v| matches!(v.chain[0].spec, OperatorSpec::Source(_))).count();
    assert_eq!(sources, 1);
}

/// Every Nexmark query has a plan; the queries come with the reference measurements, where those are.
#[test]
fn nexmark_queries_plan() {
    let peers = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/peers/flink");
    let Ok(ddl) = std::fs::read_to_string(peers.join("ddl.sql")) else { return };
    let queries = std::fs::read_dir(peers.join("queries")).expect("the queries stand beside their tables");
    for query in queries {
        let path = query.expect("the directory can be listed").path();
        let text = std::fs::read_to_string(&path).expect("a query is text");
        let planned = planned_over(&ddl, 2, text.trim_end().trim_end_matches(';'));
        assert!(planned.is_ok(), "{}: {}", path.display(), planned.expect_err("it is not"));
    }
}
