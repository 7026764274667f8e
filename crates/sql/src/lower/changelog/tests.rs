//! Changelogs of plans: who emits what, by which keys, and what stands in front of sinks.

use crate::session::{Session, StatementResult};
use expect_test::{Expect, expect};
use headwater_env::Env;
use headwater_types::config::Configuration;

const DDL: &str = "
CREATE TABLE orders (id BIGINT, user_id BIGINT, product STRING, amount INT, ts TIMESTAMP(3), proc AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'values', 'data-id' = 'orders');
CREATE TABLE items (a INT PRIMARY KEY NOT ENFORCED, b STRING, c INT)
  WITH ('connector' = 'values', 'data-id' = 'items');
CREATE TABLE upserts (k STRING, v INT NOT NULL, w STRING, ts TIMESTAMP(3), computed AS v + 1,
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND, PRIMARY KEY (k) NOT ENFORCED)
  WITH ('connector' = 'values', 'data-id' = 'upserts', 'changelog-mode' = 'I,UA,D');
CREATE TABLE retracts (name STRING, score INT)
  WITH ('connector' = 'values', 'data-id' = 'retracts', 'changelog-mode' = 'I,UB,UA,D');
CREATE TABLE cdc (id BIGINT PRIMARY KEY NOT ENFORCED, score INT)
  WITH ('connector' = 'values', 'data-id' = 'cdc', 'changelog-mode' = 'I,UB,UA,D');
CREATE TABLE all_sink (a BIGINT, b BIGINT) WITH ('connector' = 'values', 'data-id' = 's');
CREATE TABLE append_sink (a BIGINT, b BIGINT) WITH ('connector' = 'values', 'data-id' = 's', 'sink-insert-only' = 'true');
CREATE TABLE pk_sink (a BIGINT PRIMARY KEY NOT ENFORCED, b BIGINT) WITH ('connector' = 'values', 'data-id' = 's');
CREATE TABLE name_sink (name STRING PRIMARY KEY NOT ENFORCED, score BIGINT)
  WITH ('connector' = 'values', 'data-id' = 's');
CREATE TABLE retract_sink (name STRING PRIMARY KEY NOT ENFORCED, score BIGINT)
  WITH ('connector' = 'values', 'data-id' = 's', 'sink-changelog-mode-enforced' = 'I,UB,UA,D');
CREATE TABLE upsert_sink (k STRING PRIMARY KEY NOT ENFORCED, v INT, w STRING)
  WITH ('connector' = 'values', 'data-id' = 's');
";

fn session(settings: &[(&str, &str)]) -> Session {
    let mut config = Configuration::new();
    config.set("parallelism.default", "2");
    config.set("table.local-time-zone", "UTC");
    settings.iter().for_each(|(key, value)| config.set(*key, *value));
    let (env, _) = Env::simulated(1, 0);
    let mut session = Session::new(config, headwater_connectors::registry(), env);
    run(&mut session, DDL).expect("the declarations are valid");
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

fn plan_with(settings: &[(&str, &str)], statement: &str) -> Result<String, String> {
    match run(&mut session(settings), statement)?.pop() {
        Some(StatementResult::Query(query)) => Ok(query.changelog_text),
        Some(StatementResult::Job(job)) => Ok(job.changelog_text),
        other => Err(format!("not a job: {other:?}")),
    }
}

fn check_with(settings: &[(&str, &str)], statement: &str, expected: Expect) {
    let text = plan_with(settings, statement).unwrap_or_else(|e| format!("error: {e}"));
    expected.assert_eq(&format!("{}\n", text.trim_end()));
}

fn check(statement: &str, expected: Expect) {
    check_with(&[], statement, expected);
}

#[test]
fn groups_update_a_sink_of_their_key_without_update_before() {
    check(
        "INSERT INTO pk_sink SELECT user_id, COUNT(*) FROM orders GROUP BY user_id",
        expect![[r#"
        Sink(table=[default_catalog.default_database.pk_sink], fields=[user_id, COUNT], changelogMode=[NONE])
        +- Calc(select=[$REQUIRE_NOT_NULL(user_id, 'a') AS user_id, COUNT], changelogMode=[I,UA])
           +- GroupAggregate(groupBy=[user_id], select=[COUNT(*)], changelogMode=[I,UA])
              +- Exchange(distribution=[hash[user_id]]) <- Calc(select=[user_id], changelogMode=[I])
                 +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000)], changelogMode=[I])
                    +- TableSourceScan(table=[[default_catalog, default_database, orders]], fields=[user_id, ts], changelogMode=[I])
    "#]],
    );
}

#[test]
fn a_sink_of_all_kinds_gets_update_before() {
    check(
        "INSERT INTO all_sink SELECT user_id, COUNT(*) FROM orders GROUP BY user_id",
        expect![[r#"
        Sink(table=[default_catalog.default_database.all_sink], fields=[user_id, COUNT], changelogMode=[NONE])
        +- GroupAggregate(groupBy=[user_id], select=[COUNT(*)], changelogMode=[I,UB,UA])
           +- Exchange(distribution=[hash[user_id]]) <- Calc(select=[user_id], changelogMode=[I])
              +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000)], changelogMode=[I])
                 +- TableSourceScan(table=[[default_catalog, default_database, orders]], fields=[user_id, ts], changelogMode=[I])
    "#]],
    );
}

#[test]
fn an_append_only_sink_refuses_updates() {
    check(
        "INSERT INTO append_sink SELECT user_id, COUNT(*) + 1 FROM orders GROUP BY user_id",
        expect![[r#"
        error: Table sink 'default_catalog.default_database.append_sink' doesn't support consuming update changes which is produced by node GroupAggregate(groupBy=[user_id], select=[COUNT(*)])
    "#]],
    );
    check(
        "INSERT INTO append_sink SELECT DISTINCT user_id, id FROM orders",
        expect![[r#"
        Sink(table=[default_catalog.default_database.append_sink], fields=[user_id, id], changelogMode=[NONE])
        +- GroupAggregate(groupBy=[user_id, id], select=[], changelogMode=[I])
           +- Exchange(distribution=[hash[user_id, id]]) <- Calc(select=[user_id, id], changelogMode=[I])
              +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000)], changelogMode=[I])
                 +- TableSourceScan(table=[[default_catalog, default_database, orders]], fields=[id, user_id, ts], changelogMode=[I])
    "#]],
    );
}

#[test]
fn a_filter_on_a_result_needs_update_before_below_it() {
    check(
        "INSERT INTO pk_sink SELECT user_id, COUNT(*) FROM orders GROUP BY user_id HAVING COUNT(*) < 10",
        expect![[r#"
            Sink(table=[default_catalog.default_database.pk_sink], fields=[user_id, COUNT], changelogMode=[NONE])
            +- DropUpdateBefore(key=[user_id], changelogMode=[I,UA,D])
               +- Calc(select=[$REQUIRE_NOT_NULL(user_id, 'a') AS user_id, COUNT], where=[(COUNT < 10)], changelogMode=[I,UB,UA])
                  +- GroupAggregate(groupBy=[user_id], select=[COUNT(*)], changelogMode=[I,UB,UA])
                     +- Exchange(distribution=[hash[user_id]]) <- Calc(select=[user_id], changelogMode=[I])
                        +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000)], changelogMode=[I])
                           +- TableSourceScan(table=[[default_catalog, default_database, orders]], fields=[user_id, ts], changelogMode=[I])
        "#]],
    );
}

#[test]
fn consumers_of_one_aggregate_get_what_they_need() {
    check(
        "EXECUTE STATEMENT SET BEGIN
           INSERT INTO pk_sink SELECT user_id, COUNT(*) FROM orders GROUP BY user_id;
           INSERT INTO all_sink SELECT user_id, COUNT(*) FROM orders GROUP BY user_id;
         END",
        expect![[r#"
            Sink(table=[default_catalog.default_database.pk_sink], fields=[user_id, COUNT], changelogMode=[NONE])
            +- Calc(select=[$REQUIRE_NOT_NULL(user_id, 'a') AS user_id, COUNT], changelogMode=[I,UA])
               +- DropUpdateBefore(changelogMode=[I,UA])
                  +- GroupAggregate(groupBy=[user_id], select=[COUNT(*)], changelogMode=[I,UB,UA])(reuse_id=[1])
                     +- Exchange(distribution=[hash[user_id]]) <- Calc(select=[user_id], changelogMode=[I])
                        +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000)], changelogMode=[I])
                           +- TableSourceScan(table=[[default_catalog, default_database, orders]], fields=[user_id, ts], changelogMode=[I])

            Sink(table=[default_catalog.default_database.all_sink], fields=[user_id, COUNT], changelogMode=[NONE])
            +- Reused(reference_id=[1])
        "#]],
    );
}

#[test]
fn an_aggregate_of_an_aggregate_takes_rows_back() {
    check(
        "SELECT n, COUNT(*) FROM (SELECT user_id, COUNT(*) AS n FROM orders GROUP BY user_id) GROUP BY n",
        expect![[r#"
            Sink(table=[default_catalog.default_database.collect], fields=[n, COUNT], changelogMode=[NONE])
            +- GroupAggregate(groupBy=[n], select=[COUNT(*)], changelogMode=[I,UB,UA,D])
               +- Exchange(distribution=[hash[n]]) <- Calc(select=[COUNT AS n], changelogMode=[I,UB,UA])
                  +- GroupAggregate(groupBy=[user_id], select=[COUNT(*)], changelogMode=[I,UB,UA])
                     +- Exchange(distribution=[hash[user_id]]) <- Calc(select=[user_id], changelogMode=[I])
                        +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000)], changelogMode=[I])
                           +- TableSourceScan(table=[[default_catalog, default_database, orders]], fields=[user_id, ts], changelogMode=[I])
        "#]],
    );
}

#[test]
fn another_key_than_the_sinks_is_materialised() {
    check(
        "INSERT INTO name_sink SELECT UPPER(name), score FROM retracts ON CONFLICT DO DEDUPLICATE",
        expect![[r#"
        Sink(table=[default_catalog.default_database.name_sink], fields=[name, score], changelogMode=[NONE])
        +- SinkUpsertMaterializer(key=[name], changelogMode=[I,UA,D])
           +- Exchange(distribution=[hash[name]]) <- Calc(select=[$REQUIRE_NOT_NULL(UPPER(name), 'name') AS name, CAST(score AS BIGINT) AS score], changelogMode=[I,UB,UA,D])
              +- TableSourceScan(table=[[default_catalog, default_database, retracts]], fields=[name, score], changelogMode=[I,UB,UA,D])
    "#]],
    );
    let off = [("table.exec.sink.upsert-materialize", "NONE"), ("table.exec.sink.require-on-conflict", "false")];
    check_with(
        &off,
        "INSERT INTO name_sink SELECT UPPER(name), score FROM retracts",
        expect![[r#"
        Sink(table=[default_catalog.default_database.name_sink], fields=[name, score], changelogMode=[NONE])
        +- DropUpdateBefore(key=[name], changelogMode=[I,UA,D])
           +- Calc(select=[$REQUIRE_NOT_NULL(UPPER(name), 'name') AS name, CAST(score AS BIGINT) AS score], changelogMode=[I,UB,UA,D])
              +- TableSourceScan(table=[[default_catalog, default_database, retracts]], fields=[name, score], changelogMode=[I,UB,UA,D])
    "#]],
    );
    check(
        "INSERT INTO retract_sink SELECT UPPER(name), score FROM retracts",
        expect![[r#"
        Sink(table=[default_catalog.default_database.retract_sink], fields=[name, score], changelogMode=[NONE])
        +- Calc(select=[$REQUIRE_NOT_NULL(UPPER(name), 'name') AS name, CAST(score AS BIGINT) AS score], changelogMode=[I,UB,UA,D])
           +- TableSourceScan(table=[[default_catalog, default_database, retracts]], fields=[name, score], changelogMode=[I,UB,UA,D])
    "#]],
    );
}

#[test]
fn conflicts_are_refused_or_decided() {
    let into = |query: &str| plan_with(&[], &format!("INSERT INTO {query}")).expect_err("the statement is refused");
    let cases = [
        ("name_sink SELECT UPPER(name), score FROM retracts", "has an upsert key that differs from the primary key"),
        (
            "name_sink SELECT name, score FROM retracts ON CONFLICT DO NOTHING",
            "requires all source tables to define watermarks",
        ),
        (
            "name_sink SELECT name, score FROM retracts ON CONFLICT DO ERROR",
            "requires all source tables to define watermarks",
        ),
        (
            "retract_sink SELECT name, COUNT(*) FROM retracts GROUP BY name ON CONFLICT DO DEDUPLICATE",
            "The sink 'default_catalog.default_database.retract_sink' is not an upsert sink because it requires UPDATE_BEFORE (retract mode).",
        ),
    ];
    for (query, part) in cases {
        let message = into(query);
        assert!(message.contains(part), "{query}: {message}");
    }
    check(
        "INSERT INTO pk_sink SELECT user_id, amount FROM orders ON CONFLICT DO NOTHING",
        expect![[r#"
        Sink(table=[default_catalog.default_database.pk_sink], fields=[a, b], changelogMode=[NONE])
        +- Deduplicate(keep=[FirstRow], key=[a], order=[PROCTIME], changelogMode=[I])
           +- Exchange(distribution=[hash[a]]) <- Calc(select=[$REQUIRE_NOT_NULL(user_id, 'a') AS a, CAST(amount AS BIGINT) AS b], changelogMode=[I])
              +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000)], changelogMode=[I])
                 +- TableSourceScan(table=[[default_catalog, default_database, orders]], fields=[user_id, amount, ts], changelogMode=[I])
    "#]],
    );
    let lenient = [("table.exec.sink.require-on-conflict", "false")];
    check_with(
        &lenient,
        "INSERT INTO pk_sink SELECT user_id, amount FROM orders",
        expect![[r#"
        Sink(table=[default_catalog.default_database.pk_sink], fields=[a, b], changelogMode=[NONE])
        +- Calc(select=[$REQUIRE_NOT_NULL(user_id, 'a') AS a, CAST(amount AS BIGINT) AS b], changelogMode=[I])
           +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000)], changelogMode=[I])
              +- TableSourceScan(table=[[default_catalog, default_database, orders]], fields=[user_id, amount, ts], changelogMode=[I])
    "#]],
    );
}

#[test]
fn top_n_follows_what_its_input_does() {
    let top = |from: &str, order: &str| {
        format!(
            "SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY b ORDER BY {order}) AS rn FROM {from}) WHERE rn <= 3"
        )
    };
    check(
        &top("items", "c DESC"),
        expect![[r#"
        Sink(table=[default_catalog.default_database.collect], fields=[a, b, c, w0$o0], changelogMode=[NONE])
        +- Rank(strategy=[AppendFastStrategy], rankType=[ROW_NUMBER], rankRange=[rankStart=1, rankEnd=3], partitionBy=[b], orderBy=[c DESC], changelogMode=[I,UB,UA,D])
           +- Exchange(distribution=[hash[b]]) <- TableSourceScan(table=[[default_catalog, default_database, items]], fields=[a, b, c], changelogMode=[I])
    "#]],
    );
    let counts = "(SELECT a, b, COUNT(*) AS n FROM items GROUP BY a, b)";
    check(
        &top(counts, "n DESC, a"),
        expect![[r#"
        Sink(table=[default_catalog.default_database.collect], fields=[a, b, COUNT, w0$o0], changelogMode=[NONE])
        +- Rank(strategy=[UpdateFastStrategy[a, b]], rankType=[ROW_NUMBER], rankRange=[rankStart=1, rankEnd=3], partitionBy=[b], orderBy=[COUNT DESC, a ASC], changelogMode=[I,UB,UA,D])
           +- Exchange(distribution=[hash[b]]) <- GroupAggregate(groupBy=[a, b], select=[COUNT(*)], changelogMode=[I,UA])
              +- Exchange(distribution=[hash[a, b]]) <- TableSourceScan(table=[[default_catalog, default_database, items]], fields=[a, b], changelogMode=[I])
    "#]],
    );
    check(
        &top(counts, "n ASC"),
        expect![[r#"
        Sink(table=[default_catalog.default_database.collect], fields=[a, b, COUNT, w0$o0], changelogMode=[NONE])
        +- Rank(strategy=[RetractStrategy], rankType=[ROW_NUMBER], rankRange=[rankStart=1, rankEnd=3], partitionBy=[b], orderBy=[COUNT ASC], changelogMode=[I,UB,UA,D])
           +- Exchange(distribution=[hash[b]]) <- GroupAggregate(groupBy=[a, b], select=[COUNT(*)], changelogMode=[I,UB,UA])
              +- Exchange(distribution=[hash[a, b]]) <- TableSourceScan(table=[[default_catalog, default_database, items]], fields=[a, b], changelogMode=[I])
    "#]],
    );
    let filtered = "(SELECT a, b, COUNT(*) AS n FROM items GROUP BY a, b HAVING COUNT(*) < 5)";
    check(
        &top(filtered, "n DESC"),
        expect![[r#"
        Sink(table=[default_catalog.default_database.collect], fields=[a, b, COUNT, w0$o0], changelogMode=[NONE])
        +- Rank(strategy=[RetractStrategy], rankType=[ROW_NUMBER], rankRange=[rankStart=1, rankEnd=3], partitionBy=[b], orderBy=[COUNT DESC], changelogMode=[I,UB,UA,D])
           +- Exchange(distribution=[hash[b]]) <- Calc(select=[a, b, COUNT], where=[(COUNT < 5)], changelogMode=[I,UB,UA])
              +- GroupAggregate(groupBy=[a, b], select=[COUNT(*)], changelogMode=[I,UB,UA])
                 +- Exchange(distribution=[hash[a, b]]) <- TableSourceScan(table=[[default_catalog, default_database, items]], fields=[a, b], changelogMode=[I])
    "#]],
    );
}

#[test]
fn top_n_ranges() {
    let ranked = |condition: &str| {
        format!(
            "SELECT a FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY b ORDER BY c) AS rn FROM items) WHERE {condition}"
        )
    };
    check(
        &ranked("rn BETWEEN 2 AND 4"),
        expect![[r#"
        Sink(table=[default_catalog.default_database.collect], fields=[a], changelogMode=[NONE])
        +- Calc(select=[a], changelogMode=[I,UB,UA,D])
           +- Rank(strategy=[AppendFastStrategy], rankType=[ROW_NUMBER], rankRange=[rankStart=2, rankEnd=4], partitionBy=[b], orderBy=[c ASC], changelogMode=[I,UB,UA,D])
              +- Exchange(distribution=[hash[b]]) <- TableSourceScan(table=[[default_catalog, default_database, items]], fields=[a, b, c], changelogMode=[I])
    "#]],
    );
    check(
        &ranked("rn = 2"),
        expect![[r#"
        Sink(table=[default_catalog.default_database.collect], fields=[a], changelogMode=[NONE])
        +- Calc(select=[a], changelogMode=[I,UB,UA,D])
           +- Rank(strategy=[AppendFastStrategy], rankType=[ROW_NUMBER], rankRange=[rankStart=2, rankEnd=2], partitionBy=[b], orderBy=[c ASC], changelogMode=[I,UB,UA,D])
              +- Exchange(distribution=[hash[b]]) <- TableSourceScan(table=[[default_catalog, default_database, items]], fields=[a, b, c], changelogMode=[I])
    "#]],
    );
    check(
        &ranked("rn <= a AND b <> 'x'"),
        expect![[r#"
            Sink(table=[default_catalog.default_database.collect], fields=[a], changelogMode=[NONE])
            +- Calc(select=[a], where=[(b <> 'x')], changelogMode=[I,UB,UA,D])
               +- Rank(strategy=[AppendFastStrategy], rankType=[ROW_NUMBER], rankRange=[rankStart=1, rankEnd=$rank end], partitionBy=[b], orderBy=[c ASC], changelogMode=[I,UB,UA,D])
                  +- Exchange(distribution=[hash[b]]) <- Calc(select=[a, b, c, CAST(a AS BIGINT NOT NULL) AS $rank end], changelogMode=[I])
                     +- TableSourceScan(table=[[default_catalog, default_database, items]], fields=[a, b, c], changelogMode=[I])
        "#]],
    );
    check(
        &ranked("rn <= 3 AND rn >= 5"),
        expect![[r#"
        error: Rank end can't smaller than rank start. The rank start is 5 rank end is 3
    "#]],
    );
}

#[test]
fn one_row_in_the_order_of_time_is_a_deduplication() {
    let first = |order: &str, columns: &str| {
        format!(
            "SELECT {columns} FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY product ORDER BY {order}) AS rn FROM orders)
             WHERE rn = 1"
        )
    };
    check(
        &first("proc", "id"),
        expect![[r#"
            Sink(table=[default_catalog.default_database.collect], fields=[id], changelogMode=[NONE])
            +- Calc(select=[id], changelogMode=[I])
               +- Deduplicate(keep=[FirstRow], key=[product], order=[PROCTIME], changelogMode=[I])
                  +- Exchange(distribution=[hash[product]]) <- Calc(select=[id, product], changelogMode=[I])
                     +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000)], changelogMode=[I])
                        +- TableSourceScan(table=[[default_catalog, default_database, orders]], fields=[id, product, ts], changelogMode=[I])
        "#]],
    );
    check(
        &first("proc DESC", "id, rn"),
        expect![[r#"
            Sink(table=[default_catalog.default_database.collect], fields=[id, rn], changelogMode=[NONE])
            +- Calc(select=[id, 1 AS rn], changelogMode=[I,UB,UA])
               +- Deduplicate(keep=[LastRow], key=[product], order=[PROCTIME], changelogMode=[I,UB,UA])
                  +- Exchange(distribution=[hash[product]]) <- Calc(select=[id, product], changelogMode=[I])
                     +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000)], changelogMode=[I])
                        +- TableSourceScan(table=[[default_catalog, default_database, orders]], fields=[id, product, ts], changelogMode=[I])
        "#]],
    );
    check(
        &first("ts DESC", "id"),
        expect![[r#"
        Sink(table=[default_catalog.default_database.collect], fields=[id], changelogMode=[NONE])
        +- Calc(select=[id], changelogMode=[I,UB,UA])
           +- Deduplicate(keep=[LastRow], key=[product], order=[ROWTIME], changelogMode=[I,UB,UA])
              +- Exchange(distribution=[hash[product]]) <- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000)], changelogMode=[I])
                 +- TableSourceScan(table=[[default_catalog, default_database, orders]], fields=[id, product, ts], changelogMode=[I])
    "#]],
    );
    check(
        &first("ts", "id"),
        expect![[r#"
        Sink(table=[default_catalog.default_database.collect], fields=[id], changelogMode=[NONE])
        +- Calc(select=[id], changelogMode=[I,UB,UA])
           +- Deduplicate(keep=[FirstRow], key=[product], order=[ROWTIME], changelogMode=[I,UB,UA])
              +- Exchange(distribution=[hash[product]]) <- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000)], changelogMode=[I])
                 +- TableSourceScan(table=[[default_catalog, default_database, orders]], fields=[id, product, ts], changelogMode=[I])
    "#]],
    );
    check(
        &first("amount", "id"),
        expect![[r#"
            Sink(table=[default_catalog.default_database.collect], fields=[id], changelogMode=[NONE])
            +- Calc(select=[id], changelogMode=[I,UB,UA,D])
               +- Rank(strategy=[AppendFastStrategy], rankType=[ROW_NUMBER], rankRange=[rankStart=1, rankEnd=1], partitionBy=[product], orderBy=[amount ASC], changelogMode=[I,UB,UA,D])
                  +- Exchange(distribution=[hash[product]]) <- Calc(select=[id, product, amount], changelogMode=[I])
                     +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000)], changelogMode=[I])
                        +- TableSourceScan(table=[[default_catalog, default_database, orders]], fields=[id, product, amount, ts], changelogMode=[I])
        "#]],
    );
}

#[test]
fn the_first_rows_of_a_changelog() {
    check(
        "SELECT * FROM (SELECT user_id, COUNT(*) AS n FROM orders GROUP BY user_id) ORDER BY n DESC LIMIT 3",
        expect![[r#"
            Sink(table=[default_catalog.default_database.collect], fields=[user_id, COUNT], changelogMode=[NONE])
            +- Rank(strategy=[UpdateFastStrategy[user_id]], rankType=[ROW_NUMBER], rankRange=[rankStart=1, rankEnd=3], partitionBy=[], orderBy=[COUNT DESC], changelogMode=[I,UB,UA,D])
               +- Exchange(distribution=[single]) <- GroupAggregate(groupBy=[user_id], select=[COUNT(*)], changelogMode=[I,UA])
                  +- Exchange(distribution=[hash[user_id]]) <- Calc(select=[user_id], changelogMode=[I])
                     +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000)], changelogMode=[I])
                        +- TableSourceScan(table=[[default_catalog, default_database, orders]], fields=[user_id, ts], changelogMode=[I])
        "#]],
    );
    check(
        "SELECT id FROM orders ORDER BY amount LIMIT 3 OFFSET 2",
        expect![[r#"
        Sink(table=[default_catalog.default_database.collect], fields=[id], changelogMode=[NONE])
        +- Calc(select=[id], changelogMode=[I,UB,UA,D])
           +- Rank(strategy=[AppendFastStrategy], rankType=[ROW_NUMBER], rankRange=[rankStart=3, rankEnd=5], partitionBy=[], orderBy=[$s ASC], changelogMode=[I,UB,UA,D])
              +- Exchange(distribution=[single]) <- Calc(select=[id, amount AS $s], changelogMode=[I])
                 +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000)], changelogMode=[I])
                    +- TableSourceScan(table=[[default_catalog, default_database, orders]], fields=[id, amount, ts], changelogMode=[I])
    "#]],
    );
    check(
        "SELECT user_id, COUNT(*) FROM orders GROUP BY user_id LIMIT 2",
        expect![[r#"
        Sink(table=[default_catalog.default_database.collect], fields=[user_id, COUNT], changelogMode=[NONE])
        +- Rank(strategy=[RetractStrategy], rankType=[ROW_NUMBER], rankRange=[rankStart=1, rankEnd=2], partitionBy=[], orderBy=[], changelogMode=[I,UB,UA,D])
           +- Exchange(distribution=[single]) <- GroupAggregate(groupBy=[user_id], select=[COUNT(*)], changelogMode=[I,UB,UA])
              +- Exchange(distribution=[hash[user_id]]) <- Calc(select=[user_id], changelogMode=[I])
                 +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000)], changelogMode=[I])
                    +- TableSourceScan(table=[[default_catalog, default_database, orders]], fields=[user_id, ts], changelogMode=[I])
    "#]],
    );
}

#[test]
fn upserts_are_normalised_behind_their_watermarks() {
    check(
        "SELECT k, v FROM upserts",
        expect![[r#"
            Sink(table=[default_catalog.default_database.collect], fields=[k, v], changelogMode=[NONE])
            +- ChangelogNormalize(key=[k], changelogMode=[I,UB,UA,D])
               +- Exchange(distribution=[hash[k]]) <- Calc(select=[k, v], changelogMode=[I,UA,D])
                  +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000)], changelogMode=[I,UA,D])
                     +- TableSourceScan(table=[[default_catalog, default_database, upserts]], fields=[k, v, ts], changelogMode=[I,UA,D])
        "#]],
    );
    check(
        "SELECT k, w FROM upserts WHERE k <> 'x' AND v < 10",
        expect![[r#"
            Sink(table=[default_catalog.default_database.collect], fields=[k, w], changelogMode=[NONE])
            +- Calc(select=[k, w], changelogMode=[I,UB,UA,D])
               +- ChangelogNormalize(key=[k], condition=[(v < 10)], changelogMode=[I,UB,UA,D])
                  +- Exchange(distribution=[hash[k]]) <- Calc(select=[k, v, w], where=[(k <> 'x')], changelogMode=[I,UA,D])
                     +- Calc(select=[k, v, w], changelogMode=[I,UA,D])
                        +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000)], changelogMode=[I,UA,D])
                           +- TableSourceScan(table=[[default_catalog, default_database, upserts]], fields=[k, v, w, ts], changelogMode=[I,UA,D])
        "#]],
    );
    check(
        "SELECT computed, ts FROM upserts WHERE computed < 3",
        expect![[r#"
        Sink(table=[default_catalog.default_database.collect], fields=[computed, ts], changelogMode=[NONE])
        +- Calc(select=[computed, ts], changelogMode=[I,UB,UA,D])
           +- ChangelogNormalize(key=[k], condition=[(computed < 3)], changelogMode=[I,UB,UA,D])
              +- Exchange(distribution=[hash[k]]) <- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000)], changelogMode=[I,UA,D])
                 +- Calc(select=[k, ts, (v + 1) AS computed], changelogMode=[I,UA,D])
                    +- TableSourceScan(table=[[default_catalog, default_database, upserts]], fields=[k, v, ts], changelogMode=[I,UA,D])
    "#]],
    );
}

#[test]
fn upserts_into_a_sink_of_their_key_need_no_normalisation() {
    check(
        "INSERT INTO upsert_sink SELECT k, v, w FROM upserts",
        expect![[r#"
        Sink(table=[default_catalog.default_database.upsert_sink], fields=[k, v, w], changelogMode=[NONE])
        +- Calc(select=[k, v, w], changelogMode=[I,UA,D])
           +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000)], changelogMode=[I,UA,D])
              +- TableSourceScan(table=[[default_catalog, default_database, upserts]], fields=[k, v, w, ts], changelogMode=[I,UA,D])
    "#]],
    );
    check(
        "INSERT INTO upsert_sink SELECT k, v + 1, w FROM upserts",
        expect![[r#"
            Sink(table=[default_catalog.default_database.upsert_sink], fields=[k, EXPR$1, w], changelogMode=[NONE])
            +- Calc(select=[k, (v + 1) AS EXPR$1, w], changelogMode=[I,UA,D])
               +- ChangelogNormalize(key=[k], changelogMode=[I,UA,D])
                  +- Exchange(distribution=[hash[k]]) <- Calc(select=[k, v, w], changelogMode=[I,UA,D])
                     +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000)], changelogMode=[I,UA,D])
                        +- TableSourceScan(table=[[default_catalog, default_database, upserts]], fields=[k, v, w, ts], changelogMode=[I,UA,D])
        "#]],
    );
}

#[test]
fn repeated_changes_are_normalised_if_the_source_repeats_them() {
    check(
        "INSERT INTO pk_sink SELECT id, score FROM cdc",
        expect![[r#"
        Sink(table=[default_catalog.default_database.pk_sink], fields=[a, b], changelogMode=[NONE])
        +- Calc(select=[id AS a, CAST(score AS BIGINT) AS b], changelogMode=[I,UA,D])
           +- DropUpdateBefore(changelogMode=[I,UA,D])
              +- TableSourceScan(table=[[default_catalog, default_database, cdc]], fields=[id, score], changelogMode=[I,UB,UA,D])
    "#]],
    );
    check_with(
        &[("table.exec.source.cdc-events-duplicate", "true")],
        "SELECT id, score FROM cdc",
        expect![[r#"
        Sink(table=[default_catalog.default_database.collect], fields=[id, score], changelogMode=[NONE])
        +- ChangelogNormalize(key=[id], changelogMode=[I,UB,UA,D])
           +- Exchange(distribution=[hash[id]]) <- DropUpdateBefore(changelogMode=[I,UA,D])
              +- TableSourceScan(table=[[default_catalog, default_database, cdc]], fields=[id, score], changelogMode=[I,UB,UA,D])
    "#]],
    );
    let message = plan_with(&[("table.exec.source.cdc-events-duplicate", "true")], "SELECT * FROM retracts");
    assert!(message.expect_err("there is no key").contains("requires the changelog sources to define a PRIMARY KEY"));
}

#[test]
fn joins_know_their_keys() {
    check(
        "SELECT u.k, n FROM upserts u JOIN (SELECT product, COUNT(*) AS n FROM orders GROUP BY product) o ON u.k = o.product",
        expect![[r#"
            Sink(table=[default_catalog.default_database.collect], fields=[k, n], changelogMode=[NONE])
            +- Calc(select=[k, COUNT AS n], changelogMode=[I,UB,UA,D])
               +- Join(joinType=[Inner], where=[k = product], leftInputSpec=[JoinKeyContainsUniqueKey], rightInputSpec=[JoinKeyContainsUniqueKey], changelogMode=[I,UB,UA,D])
                  +- Exchange(distribution=[hash[k]]) <- ChangelogNormalize(key=[k], changelogMode=[I,UB,UA,D])
                     +- Exchange(distribution=[hash[k]]) <- Calc(select=[k], changelogMode=[I,UA,D])
                        +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000)], changelogMode=[I,UA,D])
                           +- TableSourceScan(table=[[default_catalog, default_database, upserts]], fields=[k, ts], changelogMode=[I,UA,D])
                  +- Exchange(distribution=[hash[product]]) <- GroupAggregate(groupBy=[product], select=[COUNT(*)], changelogMode=[I,UB,UA])
                     +- Exchange(distribution=[hash[product]]) <- Calc(select=[product], changelogMode=[I])
                        +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000)], changelogMode=[I])
                           +- TableSourceScan(table=[[default_catalog, default_database, orders]], fields=[product, ts], changelogMode=[I])
        "#]],
    );
    check(
        "INSERT INTO upsert_sink SELECT u.k, u.v, o.w FROM upserts u JOIN upserts o ON u.k = o.k WHERE u.v > 1",
        expect![[r#"
            Sink(table=[default_catalog.default_database.upsert_sink], fields=[k, v, w], changelogMode=[NONE])
            +- DropUpdateBefore(key=[k], changelogMode=[I,UA,D])
               +- Calc(select=[k, v, w0 AS w], changelogMode=[I,UB,UA,D])
                  +- Join(joinType=[Inner], where=[k = k0], leftInputSpec=[JoinKeyContainsUniqueKey], rightInputSpec=[JoinKeyContainsUniqueKey], changelogMode=[I,UB,UA,D])
                     +- Exchange(distribution=[hash[k]]) <- Calc(select=[k, v], where=[(v > 1)], changelogMode=[I,UB,UA,D])
                        +- ChangelogNormalize(key=[k], changelogMode=[I,UB,UA,D])(reuse_id=[1])
                           +- Exchange(distribution=[hash[k]]) <- Calc(select=[k, v, w], changelogMode=[I,UA,D])
                              +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000)], changelogMode=[I,UA,D])
                                 +- TableSourceScan(table=[[default_catalog, default_database, upserts]], fields=[k, v, w, ts], changelogMode=[I,UA,D])
                     +- Exchange(distribution=[hash[k]]) <- Calc(select=[k, w], changelogMode=[I,UB,UA,D])
                        +- Reused(reference_id=[1])
        "#]],
    );
}

#[test]
fn state_lives_as_long_as_settings_and_hints_say() {
    let ttls = |settings: &[(&str, &str)], query: &str| match run(&mut session(settings), query).map(|mut r| r.pop()) {
        Ok(Some(StatementResult::Query(query))) => {
            let tables = query.state.iter().flat_map(|s| s.tables.iter().map(|t| (t.name.clone(), t.ttl_ms)));
            let tables: Vec<_> = tables.map(|(name, ttl)| format!("{name}: {ttl}")).collect();
            format!("{} warnings; {}", query.warnings.len(), tables.join(", "))
        }
        other => format!("{other:?}"),
    };
    let group = "SELECT /*+ STATE_TTL('o' = '1 d') */ user_id, COUNT(*) FROM orders o GROUP BY user_id";
    let join =
        "SELECT /*+ STATE_TTL('o' = '1 h', 'items' = '0 s') */ o.id FROM orders o JOIN items ON o.amount = items.c";
    let hour = [("table.exec.state.ttl", "2 h")];
    expect!["0 warnings; accumulators: 86400000"].assert_eq(&ttls(&[], group));
    expect!["0 warnings; accumulators: 7200000"]
        .assert_eq(&ttls(&hour, &group.replace("/*+ STATE_TTL('o' = '1 d') */", "")));
    expect!["0 warnings; left-rows: 3600000, right-rows: 0"].assert_eq(&ttls(&hour, join));
    for (hint, part) in [
        ("STATE_TTL('x' = '1 d')", "cannot match the name of input tables or views"),
        ("STATE_TTL('o' = 'soon')", "'soon' is not a duration"),
        ("STATE_TTL(o)", "Invalid STATE_TTL hint"),
        ("BROADCAST(nothing)", "cannot match the name of input tables or views"),
    ] {
        let error = plan_with(&[], &format!("SELECT /*+ {hint} */ id FROM orders o")).expect_err("a bad hint");
        assert!(error.contains(part), "{hint}: {error}");
    }
}

#[test]
fn rows_are_bundled_when_asked_to() {
    let settings = [
        ("table.exec.mini-batch.enabled", "true"),
        ("table.exec.mini-batch.allow-latency", "1 s"),
        ("table.exec.mini-batch.size", "5"),
    ];
    let query = "SELECT user_id, COUNT(*) FROM orders GROUP BY user_id";
    match run(&mut session(&settings), query).map(|mut results| results.pop()) {
        Ok(Some(StatementResult::Query(query))) => {
            assert!(format!("{:?}", query.graph).contains("MiniBatch { rows: 5, latency_ms: 1000 }"));
        }
        other => panic!("{other:?}"),
    }
    let error = plan_with(&settings[..2], query).expect_err("there is no size");
    assert!(error.contains("'table.exec.mini-batch.size' must be positive"), "{error}");
}

#[test]
fn names_say_what_operators_are_for() {
    let uids = |query: &str| match run(&mut session(&[]), query).map(|mut results| results.pop()) {
        Ok(Some(StatementResult::Query(query))) => {
            let operators = query.graph.vertices.iter().flat_map(|v| &v.chain);
            operators.map(|o| o.uid.clone()).collect::<Vec<_>>().join("\n")
        }
        other => format!("{other:?}"),
    };
    expect![[r#"
        table-source-scan[default_catalog.default_database.orders]
        watermark-assigner[ts]
        calc
        group-aggregate[user_id]
        table-source-scan[default_catalog.default_database.items]
        calc-2
        join[COUNT=$bc112955]
        calc-3
        calc-4
        group-aggregate[user_id]-2
        calc-5
        sink[default_catalog.default_database.collect]"#]]
    .assert_eq(&uids(
        "SELECT user_id, n FROM (SELECT user_id, COUNT(*) AS n FROM orders GROUP BY user_id) o JOIN items ON n = a
         UNION ALL SELECT user_id, MAX(amount) FROM orders GROUP BY user_id",
    ));
}

#[test]
fn what_is_kept_and_why_it_ends() {
    let states = |query: &str| match run(&mut session(&[]), query).map(|mut results| results.pop()) {
        Ok(Some(StatementResult::Query(query))) => {
            query.state.iter().map(|s| format!("{}: {:?}\n", s.uid, s.bound)).collect::<String>()
        }
        other => format!("{other:?}"),
    };
    let unbounded =
        "CREATE TABLE numbers (n BIGINT, t AS TIMESTAMP '2020-01-01 00:00:00') WITH ('connector' = 'datagen'); ";
    expect![[r#"
        group-aggregate[n]: Unbounded("it keeps every group and its distinct values for ever")
    "#]]
    .assert_eq(&states(&format!("{unbounded} SELECT n, COUNT(DISTINCT t) FROM numbers GROUP BY n")));
    expect![[r#"
        group-aggregate[]: Bounded("there is one group")
    "#]]
    .assert_eq(&states(&format!("{unbounded} SELECT COUNT(*) FROM numbers")));
    expect![[r#"
        sort-limit: Bounded("the first 5 rows")
    "#]]
    .assert_eq(&states(&format!("{unbounded} SELECT * FROM numbers ORDER BY n LIMIT 5")));
    expect![[r#"
        group-aggregate[user_id]: Bounded("the input ends")
    "#]]
    .assert_eq(&states("SELECT user_id, COUNT(*) FROM orders GROUP BY user_id"));
}

#[test]
fn explain_shows_what_is_kept() {
    let explained = |statement: &str| match run(&mut session(&[]), statement).map(|mut results| results.pop()) {
        Ok(Some(StatementResult::Rows(rows))) => rows.rows[0][0].clone().unwrap_or_default(),
        other => format!("{other:?}"),
    };
    let numbers = "CREATE TABLE numbers (n BIGINT, t STRING) WITH ('connector' = 'datagen'); ";
    let text =
        explained(&format!("{numbers} EXPLAIN CHANGELOG_MODE SELECT n, COUNT(DISTINCT t) FROM numbers GROUP BY n"));
    let shown = text.split_once("== Optimized Physical Plan ==").map_or("", |(_, shown)| shown);
    expect![[r#"

        GroupAggregate(groupBy=[n], select=[COUNT(DISTINCT t)], changelogMode=[I,UB,UA])
        +- Exchange(distribution=[hash[n]]) <- TableSourceScan(table=[[default_catalog, default_database, numbers]], fields=[n, t], changelogMode=[I])

        == Optimized Execution Plan ==
        GroupAggregate(groupBy=[n], select=[COUNT(DISTINCT t)])
        +- Exchange(distribution=[hash[n]]) <- TableSourceScan(table=[[default_catalog, default_database, numbers]], fields=[n, t])

        == State ==
        group-aggregate[n]
           key: n BIGINT
           table 'accumulators': [COUNT(DISTINCT t) BYTES NOT NULL]
           table 'distinct t': by [t STRING] [occurrences BIGINT NOT NULL]
           NOT BOUNDED: it keeps every group and its distinct values for ever
           WARNING: the state of 'group-aggregate[n]' grows without bound: it keeps every group and its distinct values for ever. Set 'table.exec.state.ttl' or a STATE_TTL hint to let idle state expire, or bound it by a window or an interval of time
    "#]].assert_eq(shown);
    let advice = explained(&format!("{numbers} EXPLAIN PLAN_ADVICE SELECT n, COUNT(*) FROM numbers GROUP BY n"));
    assert!(advice.contains("advice[1]: [ADVICE] the state of 'group-aggregate[n]' grows without bound"), "{advice}");
    let compared = run(
        &mut session(&[]),
        "EXPLAIN SELECT user_id, COUNT(*) FROM orders GROUP BY user_id COMPATIBLE WITH 'file:/savepoint'",
    );
    match compared.map(|mut results| results.pop()) {
        Ok(Some(StatementResult::CompareState(compared))) => {
            assert_eq!((compared.savepoint.as_str(), compared.state.len()), ("file:/savepoint", 1));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn ties_and_bounded_input_are_ranked_as_a_whole() {
    let ranked =
        "SELECT a FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY b ORDER BY c) AS rn FROM items) WHERE rn <= 2";
    check_with(
        &[("execution.runtime-mode", "batch")],
        ranked,
        expect![[r#"
        Sink(table=[default_catalog.default_database.collect], fields=[a], changelogMode=[NONE])
        +- Calc(select=[a], where=[(w0$o0 <= 2)], changelogMode=[I])
           +- OverAggregate(partitionBy=[b], orderBy=[c ASC], window=[ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW], select=[ROW_NUMBER(*)], changelogMode=[I])
              +- Exchange(distribution=[hash[b]]) <- TableSourceScan(table=[[default_catalog, default_database, items]], fields=[a, b, c], changelogMode=[I])
    "#]],
    );
    check(
        &ranked.replace("ROW_NUMBER", "RANK"),
        expect![[r#"
        Sink(table=[default_catalog.default_database.collect], fields=[a], changelogMode=[NONE])
        +- Calc(select=[a], where=[(w0$o0 <= 2)], changelogMode=[I,UB,UA])
           +- OverAggregate(partitionBy=[b], orderBy=[c ASC], window=[RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW], select=[RANK(*)], changelogMode=[I,UB,UA])
              +- Exchange(distribution=[hash[b]]) <- TableSourceScan(table=[[default_catalog, default_database, items]], fields=[a, b, c], changelogMode=[I])
    "#]],
    );
}
