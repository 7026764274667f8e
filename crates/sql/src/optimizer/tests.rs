//! Optimised plans.

use crate::binder::tests::bind;
use expect_test::{Expect, expect};

fn check(sql: &str, expected: Expect) {
    let bound = match bind(sql) {
        Ok(bound) => bound,
        Err(error) => panic!("{}", error.render(sql)),
    };
    let before = crate::logical::types::column_types(&bound.plan);
    let plan = super::optimize(bound.plan).expect("the plan optimises");
    let after = crate::logical::types::column_types(&plan).expect("the plan has types");
    assert_eq!(before.ok().map(|t| t.len()), Some(after.len()));
    expected.assert_eq(&format!("{}\n", plan.display_indent()));
}

#[test]
fn constants_fold_through_flinks_kernels() {
    check(
        "SELECT UPPER('a') || 'b', a + (1 + 2) FROM t WHERE 1 = 1 AND a > 2 - 1",
        expect![[r#"
        Projection: Utf8("Ab") AS EXPR$0#6, a#1 + Int32(3) AS EXPR$1#7
          Filter: a#1 > Int32(1)
            TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
    "#]],
    );
}

#[test]
fn filters_move_down() {
    check(
        "SELECT * FROM (SELECT a, b + 1 AS c FROM t) WHERE c > 2 AND a = 1",
        expect![[r#"
        Projection: a#6 AS a#8, c#7 AS c#9
          Projection: a#1 AS a#6, b#2 + Int64(1) AS c#7
            Filter: b#2 + Int64(1) > Int64(2) AND a#1 = Int32(1)
              TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
    "#]],
    );
    check(
        "SELECT * FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '5' SECOND)) WHERE price > 2 AND window_start > ts",
        expect![[r#"
            Projection: auction#7 AS auction#17, bidder#8 AS bidder#18, price#9 AS price#19, double_price#10 AS double_price#20, channel#11 AS channel#21, origin#12 AS origin#22, ts#13 AS ts#23, window_start#14 AS window_start#24, window_end#15 AS window_end#25, window_time#16 AS window_time#26
              Filter: window_start#14 > ts#13
                WindowTableFunction(window=[Tumble { size_ms: 5000 }, time=[ts], offset_ms=0])
                  Filter: price#9 > Decimal128(2.00,10,2)
                    WatermarkAssigner(rowtime=[ts], watermark=[-(ts#13, DurationMillisecond("5000"))])
                      Projection: auction#1 AS auction#7, bidder#2 AS bidder#8, price#3 AS price#9, *(price#3, Decimal128(2,10,0)) AS double_price#10, channel#4 AS channel#11, origin#5 AS origin#12, ts#6 AS ts#13
                        TableSourceScan(table=[[c, d, bid]], fields=[auction, bidder, price, channel, origin, ts])
        "#]],
    );
}

#[test]
fn equalities_become_join_keys() {
    check(
        "SELECT p.name FROM bid, person AS p WHERE bid.bidder = p.id AND bid.price > 3",
        expect![[r#"
        Projection: name#15 AS name#17
          Inner Join: bidder#8 = id#14
            Filter: price#9 > Decimal128(3.00,10,2)
              WatermarkAssigner(rowtime=[ts], watermark=[-(ts#13, DurationMillisecond("5000"))])
                Projection: auction#1 AS auction#7, bidder#2 AS bidder#8, price#3 AS price#9, *(price#3, Decimal128(2,10,0)) AS double_price#10, channel#4 AS channel#11, origin#5 AS origin#12, ts#6 AS ts#13
                  TableSourceScan(table=[[c, d, bid]], fields=[auction, bidder, price, channel, origin, ts])
            WatermarkAssigner(rowtime=[ts], watermark=[ts#16])
              TableSourceScan(table=[[c, d, person]], fields=[id, name, ts])
    "#]],
    );
}

#[test]
fn exists_and_in_become_joins() {
    check(
        "SELECT price FROM (SELECT * FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '5' SECOND))) L \
         WHERE EXISTS (SELECT * FROM (SELECT * FROM TABLE(TUMBLE(TABLE person, DESCRIPTOR(ts), INTERVAL '5' SECOND))) R \
         WHERE L.bidder = R.id AND L.window_start = R.window_start AND L.window_end = R.window_end)",
        expect![[r#"
            Projection: price#19 AS price#45
              LeftSemi Join: bidder#18 = id#33.__correlated_sq_1, window_start#24 = window_start#36.__correlated_sq_1, window_end#25 = window_end#37.__correlated_sq_1
                Projection: auction#7 AS auction#17, bidder#8 AS bidder#18, price#9 AS price#19, double_price#10 AS double_price#20, channel#11 AS channel#21, origin#12 AS origin#22, ts#13 AS ts#23, window_start#14 AS window_start#24, window_end#15 AS window_end#25, window_time#16 AS window_time#26
                  WindowTableFunction(window=[Tumble { size_ms: 5000 }, time=[ts], offset_ms=0])
                    WatermarkAssigner(rowtime=[ts], watermark=[-(ts#13, DurationMillisecond("5000"))])
                      Projection: auction#1 AS auction#7, bidder#2 AS bidder#8, price#3 AS price#9, *(price#3, Decimal128(2,10,0)) AS double_price#10, channel#4 AS channel#11, origin#5 AS origin#12, ts#6 AS ts#13
                        TableSourceScan(table=[[c, d, bid]], fields=[auction, bidder, price, channel, origin, ts])
                Projection: id#39 AS id#39.__correlated_sq_1, name#40 AS name#40.__correlated_sq_1, ts#41 AS ts#41.__correlated_sq_1, window_start#42 AS window_start#42.__correlated_sq_1, window_end#43 AS window_end#43.__correlated_sq_1, window_time#44 AS window_time#44.__correlated_sq_1, id#33 AS id#33.__correlated_sq_1, window_end#37 AS window_end#37.__correlated_sq_1, window_start#36 AS window_start#36.__correlated_sq_1
                  Projection: id#33 AS id#39, name#34 AS name#40, ts#35 AS ts#41, window_start#36 AS window_start#42, window_end#37 AS window_end#43, window_time#38 AS window_time#44, id#33, window_end#37, window_start#36
                    Projection: id#27 AS id#33, name#28 AS name#34, ts#29 AS ts#35, window_start#30 AS window_start#36, window_end#31 AS window_end#37, window_time#32 AS window_time#38
                      WindowTableFunction(window=[Tumble { size_ms: 5000 }, time=[ts], offset_ms=0])
                        WatermarkAssigner(rowtime=[ts], watermark=[ts#29])
                          TableSourceScan(table=[[c, d, person]], fields=[id, name, ts])
        "#]],
    );
    check(
        "SELECT a FROM t WHERE b NOT IN (SELECT n FROM v)",
        expect![[r#"
            Projection: a#1 AS a#14
              LeftAnti Join: b#2 = n#13.__correlated_sq_1 null_aware
                TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
                Projection: n#13 AS n#13.__correlated_sq_1
                  Projection: EXPR$1#12 AS n#13
                    Projection: a#6 AS a#11, b#7 + Int64(1) AS EXPR$1#12
                      Filter: a#6 > Int32(0)
                        TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
        "#]],
    );
    check(
        "SELECT a FROM t WHERE a > 5 OR a IN (SELECT k FROM v)",
        expect![[r#"
            Projection: a#1 AS a#14
              Projection: a#1, b#2, s#3, d#4, ts#5
                Filter: a#1 > Int32(5) OR mark#__correlated_sq_1
                  LeftMark Join: a#1 = k#13.__correlated_sq_1
                    TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
                    Projection: k#13.__correlated_sq_1
                      Projection: k#13 AS k#13.__correlated_sq_1
                        Projection: a#11 AS k#13
                          Projection: a#6 AS a#11, b#7 + Int64(1) AS EXPR$1#12
                            Filter: a#6 > Int32(0)
                              TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
        "#]],
    );
}

#[test]
fn memberships_of_rows_become_joins() {
    let join = |sql: &str| {
        let plan = super::optimize(bind(sql).expect("the query binds").plan).expect("the plan optimises");
        let text = plan.display_indent().to_string();
        text.lines().find(|line| line.contains("Join:")).unwrap_or_default().trim().to_owned()
    };
    for (condition, expected) in [
        (
            "(a, b) IN (SELECT k, n FROM v)",
            expect!["LeftSemi Join: a#1 = k#13.__correlated_sq_1, b#2 = n#14.__correlated_sq_1"],
        ),
        (
            "(a, b) NOT IN (SELECT k, n FROM v)",
            expect![
                "LeftAnti Join:  Filter: a#1 = k#13.__correlated_sq_1 IS NOT FALSE AND b#2 = n#14.__correlated_sq_1 IS NOT FALSE"
            ],
        ),
        (
            "(a, b) IN (SELECT k, n FROM v) OR a = 1",
            expect!["LeftMark Join: a#1 = k#13.__correlated_sq_1, b#2 = n#14.__correlated_sq_1"],
        ),
    ] {
        expected.assert_eq(&join(&format!("SELECT a FROM t WHERE {condition}")));
    }
}

#[test]
fn scalar_subqueries_become_joins() {
    check(
        "SELECT a, (SELECT MAX(n) FROM v WHERE v.k = t.a) AS m FROM t",
        expect![[r#"
            Projection: a#1 AS a#16, EXPR$0#15.__scalar_sq_1 AS m#17
              Left Join: a#1 = a#11.__scalar_sq_1
                TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
                Projection: EXPR$0#15 AS EXPR$0#15.__scalar_sq_1, a#11 AS a#11.__scalar_sq_1, __always_true AS __always_true#__scalar_sq_1
                  Projection: MAX#13 AS EXPR$0#15, a#11, __always_true
                    Projection: a#11, Boolean(true) AS __always_true, MAX#13
                      Aggregate: groupBy=[[a#11]], aggr=[[MAX(EXPR$1#14) AS MAX#13]]
                        Projection: EXPR$1#12 AS EXPR$1#14, a#11
                          Projection: a#6 AS a#11, b#7 + Int64(1) AS EXPR$1#12
                            Filter: a#6 > Int32(0)
                              TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
        "#]],
    );
    check(
        "SELECT a FROM t WHERE b > (SELECT AVG(n) FROM v)",
        expect![[r#"
            Projection: a#1 AS a#16
              Projection: a#1, b#2, s#3, d#4, ts#5
                Inner Join:  Filter: b#2 > EXPR$0#15.__scalar_sq_1
                  TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
                  Projection: EXPR$0#15 AS EXPR$0#15.__scalar_sq_1
                    Projection: AVG#13 AS EXPR$0#15
                      Aggregate: groupBy=[[]], aggr=[[AVG(EXPR$1#14) AS AVG#13]]
                        Projection: EXPR$1#12 AS EXPR$1#14
                          Projection: a#6 AS a#11, b#7 + Int64(1) AS EXPR$1#12
                            Filter: a#6 > Int32(0)
                              TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
        "#]],
    );
}

#[test]
fn distinct_is_an_aggregate() {
    check(
        "SELECT DISTINCT a, s FROM t",
        expect![[r#"
        Aggregate: groupBy=[[a#6, s#7]], aggr=[[]]
          Projection: a#1 AS a#6, s#3 AS s#7
            TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
    "#]],
    );
}

#[test]
fn volatile_calls_stay_where_and_what_they_are() {
    check(
        "SELECT a FROM (SELECT RAND() AS r, CURRENT_TIMESTAMP AS now, a FROM t) WHERE r > 0.5 AND a > 1",
        expect![[r#"
            Projection: a#8 AS a#9
              Filter: r#6 > Float64(0.5)
                Projection: RAND() AS r#6, CURRENT_TIMESTAMP() AS now#7, a#1 AS a#8
                  Filter: a#1 > Int32(1)
                    TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
        "#]],
    );
}

#[test]
fn a_filter_of_true_vanishes_and_one_of_false_stays() {
    check(
        "SELECT a FROM t WHERE 1 < 2",
        expect![[r#"
        Projection: a#1 AS a#6
          TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
    "#]],
    );
    check(
        "SELECT a FROM t WHERE 1 > 2",
        expect![[r#"
        Projection: a#1 AS a#6
          Filter: Boolean(false)
            TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
    "#]],
    );
}
