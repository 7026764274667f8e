//! SELECT and what it is made of.

use super::{check, check_error, check_types};
use expect_test::expect;

#[test]
fn select_without_from() {
    check(
        "SELECT 1, 'abc' AS s, 1.50, -2.5e0, NULL, x'0a0b', TRUE, 3000000000",
        expect![[r#"
        [EXPR$0: INT NOT NULL, s: CHAR(3) NOT NULL, EXPR$2: DECIMAL(3, 2) NOT NULL, EXPR$3: DOUBLE NOT NULL, EXPR$4: NULL, EXPR$5: BINARY(2) NOT NULL, EXPR$6: BOOLEAN NOT NULL, EXPR$7: BIGINT NOT NULL]
        Projection: Int32(1) AS EXPR$0#1, Utf8("abc") AS s#2, Decimal128(1.50,3,2) AS EXPR$2#3, Float64(-2.5) AS EXPR$3#4, NULL AS EXPR$4#5, Binary("10,11") AS EXPR$5#6, Boolean(true) AS EXPR$6#7, Int64(3000000000) AS EXPR$7#8
          Values(rows=1)
    "#]],
    );
}

#[test]
fn temporal_literals() {
    check_types(
        "SELECT DATE '2024-02-29', TIME '10:11:12.5', TIMESTAMP '2024-02-29 10:11:12.123456', \
         INTERVAL '1-6' YEAR TO MONTH, INTERVAL '1 02:03:04.5' DAY TO SECOND, INTERVAL -'3' HOUR",
        expect![
            "[EXPR$0: DATE NOT NULL, EXPR$1: TIME(1) NOT NULL, EXPR$2: TIMESTAMP(6) NOT NULL, EXPR$3: INTERVAL YEAR TO MONTH NOT NULL, EXPR$4: INTERVAL DAY TO SECOND(3) NOT NULL, EXPR$5: INTERVAL DAY TO SECOND(3) NOT NULL]"
        ],
    );
}

#[test]
fn projection_and_filter_over_computed_and_metadata_columns() {
    check(
        "SELECT auction, double_price, origin FROM bid WHERE price > 1 AND channel LIKE 'a%'",
        expect![[r#"
        [auction: BIGINT, double_price: DECIMAL(21, 2), origin: STRING]
        Projection: auction#7 AS auction#14, double_price#10 AS double_price#15, origin#12 AS origin#16
          Filter: price#9 > Decimal128(1.00,10,2) AND LIKE(channel#11, Utf8("a%"))
            WatermarkAssigner(rowtime=[ts], watermark=[-(ts#13, DurationMillisecond("5000"))])
              Projection: auction#1 AS auction#7, bidder#2 AS bidder#8, price#3 AS price#9, *(price#3, Decimal128(2,10,0)) AS double_price#10, channel#4 AS channel#11, origin#5 AS origin#12, ts#6 AS ts#13
                TableSourceScan(table=[[c, d, bid]], fields=[auction, bidder, price, channel, origin, ts])
    "#]],
    );
}

#[test]
fn stars_and_duplicate_names() {
    check_types(
        "SELECT *, t.a, x.* FROM t, (VALUES (1)) AS x(a)",
        expect![
            "[a: INT, b: BIGINT, s: STRING, d: DOUBLE, ts: TIMESTAMP(3), a0: INT NOT NULL, a1: INT, a2: INT NOT NULL]"
        ],
    );
}

#[test]
fn arithmetic_types() {
    check_types(
        "SELECT a + 1, a + b, b * d, a / 2, price * 2, 0.908 * auction, s || 'x', -a, a % 2 \
         FROM t, bid",
        expect![
            "[EXPR$0: INT, EXPR$1: BIGINT, EXPR$2: DOUBLE, EXPR$3: INT, EXPR$4: DECIMAL(21, 2), EXPR$5: DECIMAL(24, 3), EXPR$6: STRING, EXPR$7: INT, EXPR$8: INT]"
        ],
    );
}

#[test]
fn comparisons_cast_to_common_types() {
    check(
        "SELECT a = b, s = 'x', d < 1, ts >= '2024-01-01 00:00:00', a IN (1, 2), a BETWEEN 1 AND 2 FROM t",
        expect![[r#"
        [EXPR$0: BOOLEAN, EXPR$1: BOOLEAN, EXPR$2: BOOLEAN, EXPR$3: BOOLEAN, EXPR$4: BOOLEAN, EXPR$5: BOOLEAN]
        Projection: CAST(a#1) = b#2 AS EXPR$0#6, s#3 = Utf8("x") AS EXPR$1#7, d#4 < Float64(1) AS EXPR$2#8, ts#5 >= CAST(Utf8("2024-01-01 00:00:00")) AS EXPR$3#9, a#1 IN ([Int32(1), Int32(2)]) AS EXPR$4#10, a#1 >= Int32(1) AND a#1 <= Int32(2) AS EXPR$5#11
          TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
    "#]],
    );
}

#[test]
fn case_expressions() {
    check(
        "SELECT CASE WHEN a > 1 THEN 'one' WHEN a > 2 THEN s END, CASE a WHEN 1 THEN 1 ELSE 2.5 END FROM t",
        expect![[r#"
            [EXPR$0: STRING, EXPR$1: DECIMAL(11, 1) NOT NULL]
            Projection: CASE WHEN a#1 > Int32(1) THEN Utf8("one") WHEN a#1 > Int32(2) THEN s#3 ELSE Utf8(NULL) END AS EXPR$0#6, CASE WHEN a#1 = Int32(1) THEN Decimal128(1.0,11,1) ELSE Decimal128(2.5,11,1) END AS EXPR$1#7
              TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
        "#]],
    );
}

#[test]
fn casts() {
    check(
        "SELECT CAST(a AS BIGINT), TRY_CAST(s AS INT), CAST(a AS INT), CAST(NULL AS STRING) FROM t",
        expect![[r#"
        [EXPR$0: BIGINT, EXPR$1: INT, EXPR$2: INT, EXPR$3: STRING]
        Projection: CAST(a#1) AS EXPR$0#6, TRY_CAST(s#3) AS EXPR$1#7, a#1 AS EXPR$2#8, Utf8(NULL) AS EXPR$3#9
          TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
    "#]],
    );
}

#[test]
fn nested_fields_and_elements() {
    check(
        "SELECT r.x, nested.r.y, r['y'], list[1], m['k'], nested.r.* FROM nested",
        expect![[r#"
        [x: INT, y: STRING, EXPR$2: STRING, EXPR$3: INT, EXPR$4: INT, x0: INT, y0: STRING]
        Projection: FIELD(r#2) AS x#6, FIELD(r#2) AS y#7, FIELD(r#2) AS EXPR$2#8, ITEM(list#3, Int64(1)) AS EXPR$3#9, ITEM(m#5, Utf8("k")) AS EXPR$4#10, FIELD(r#2) AS x0#11, FIELD(r#2) AS y0#12
          TableSourceScan(table=[[c, d, nested]], fields=[id, r, list, rows, m])
    "#]],
    );
}

#[test]
fn functions() {
    check(
        "SELECT UPPER(s), CHAR_LENGTH(s), TRIM(BOTH 'x' FROM s), POSITION('a' IN s) FROM t",
        expect![[r#"
        [EXPR$0: STRING, EXPR$1: INT, EXPR$2: STRING, EXPR$3: INT]
        Projection: UPPER(s#3) AS EXPR$0#6, CHAR_LENGTH(s#3) AS EXPR$1#7, TRIM(Utf8("BOTH"), Utf8("x"), s#3) AS EXPR$2#8, POSITION(Utf8("a"), s#3) AS EXPR$3#9
          TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
    "#]],
    );
}

#[test]
fn views_expand() {
    check(
        "SELECT v.k, n FROM v WHERE n > 2",
        expect![[r#"
        [k: INT, n: BIGINT]
        Projection: a#6 AS k#8, EXPR$1#7 AS n#9
          Filter: EXPR$1#7 > Int64(2)
            Projection: a#1 AS a#6, b#2 + Int64(1) AS EXPR$1#7
              Filter: a#1 > Int32(0)
                TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
    "#]],
    );
}

#[test]
fn common_table_expressions() {
    check(
        "WITH x(p, q) AS (SELECT a, b FROM t), y AS (SELECT p FROM x) SELECT * FROM y, x",
        expect![[r#"
        [p: INT, p0: INT, q: BIGINT]
        Projection: p#10 AS p#20, p#18 AS p0#21, q#19 AS q#22
          Cross Join:
            Projection: p#8 AS p#10
              Projection: a#6 AS p#8, b#7 AS q#9
                Projection: a#1 AS a#6, b#2 AS b#7
                  TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
            Projection: a#16 AS p#18, b#17 AS q#19
              Projection: a#11 AS a#16, b#12 AS b#17
                TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
    "#]],
    );
}

#[test]
fn group_by() {
    check(
        "SELECT s, a + 1, COUNT(*), SUM(b), AVG(DISTINCT d) FILTER (WHERE a > 0) AS v FROM t \
         GROUP BY s, a + 1 HAVING COUNT(*) > 1",
        expect![[r#"
            [s: STRING, EXPR$1: INT, EXPR$2: BIGINT NOT NULL, EXPR$3: BIGINT, v: DOUBLE]
            Projection: s#9 AS s#14, $9166cf55#10 AS EXPR$1#15, COUNT#6 AS EXPR$2#16, SUM#7 AS EXPR$3#17, AVG#8 AS v#18
              Filter: COUNT#6 > Int64(1)
                Aggregate: groupBy=[[s#9, $9166cf55#10]], aggr=[[COUNT() AS COUNT#6, SUM(b#11) AS SUM#7, AVG(DISTINCT d#12) FILTER (WHERE $e820cfba#13) AS AVG#8]]
                  Projection: s#3 AS s#9, a#1 + Int32(1) AS $9166cf55#10, b#2 AS b#11, d#4 AS d#12, a#1 > Int32(0) AS $e820cfba#13
                    TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
        "#]],
    );
}

#[test]
fn global_aggregates_are_nullable() {
    check(
        "SELECT COUNT(*), MAX(a) + 1, LISTAGG(s, '-') FROM t",
        expect![[r#"
        [EXPR$0: BIGINT NOT NULL, EXPR$1: INT, EXPR$2: STRING]
        Projection: COUNT#6 AS EXPR$0#11, MAX#7 + Int32(1) AS EXPR$1#12, LISTAGG#8 AS EXPR$2#13
          Aggregate: groupBy=[[]], aggr=[[COUNT() AS COUNT#6, MAX(a#9) AS MAX#7, LISTAGG(s#10) AS LISTAGG#8]]
            Projection: a#1 AS a#9, s#3 AS s#10
              TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
    "#]],
    );
}

#[test]
fn grouping_sets() {
    check(
        "SELECT s, a, GROUPING(s), GROUP_ID(), SUM(a) FROM t GROUP BY GROUPING SETS ((s), (s, a), ())",
        expect![[r#"
            [s: STRING, a: INT, EXPR$2: BIGINT NOT NULL, EXPR$3: BIGINT NOT NULL, EXPR$4: INT]
            Projection: s#10 AS s#14, a#11 AS a#15, CASE WHEN $e#13 = Int64(1) THEN Int64(0) WHEN $e#13 = Int64(2) THEN Int64(1) ELSE Int64(0) END AS EXPR$2#16, CASE WHEN $e#13 = Int64(1) THEN Int64(0) WHEN $e#13 = Int64(2) THEN Int64(0) ELSE Int64(0) END AS EXPR$3#17, SUM#6 AS EXPR$4#18
              Aggregate: groupBy=[[s#10, a#11, $e#13]], aggr=[[SUM(a#12) AS SUM#6]]
                Expand(sets=3)
                  Projection: s#3 AS s#7, a#1 AS a#8, a#1 AS a#9
                    TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
        "#]],
    );
}

#[test]
fn distinct_order_limit() {
    check(
        "SELECT DISTINCT a, s FROM t ORDER BY s DESC, 1 LIMIT 10 OFFSET 2",
        expect![[r#"
        [a: INT, s: STRING]
        Limit: skip=2, fetch=10
          Sort: s#7 DESC NULLS LAST, a#6 ASC NULLS FIRST
            Distinct:
              Projection: a#1 AS a#6, s#3 AS s#7
                TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
    "#]],
    );
}

#[test]
fn hidden_sort_keys_are_projected_away() {
    check(
        "SELECT a AS x FROM t ORDER BY b + 1, x NULLS LAST",
        expect![[r#"
        [x: INT]
        Projection: x#6 AS x#8
          Sort: $s#7 ASC NULLS FIRST, x#6 ASC NULLS LAST
            Projection: a#1 AS x#6, b#2 + Int64(1) AS $s#7
              TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
    "#]],
    );
}

#[test]
fn set_operations() {
    check(
        "SELECT a FROM t UNION ALL SELECT b FROM t UNION ALL VALUES (1.5)",
        expect![[r#"
        [a: DECIMAL(20, 1)]
        Union
          Projection: CAST(a#6) AS a#14
            Projection: a#1 AS a#6
              TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
          Projection: CAST(b#12) AS b#15
            Projection: b#8 AS b#12
              TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
          Projection: CAST(EXPR$0#13) AS EXPR$0#16
            Values(rows=1)
    "#]],
    );
    check(
        "(SELECT a FROM t) EXCEPT SELECT 1 ORDER BY a",
        expect![[r#"
        [a: INT]
        Sort: a#8 ASC NULLS FIRST
          LeftAnti Join: a#8 = EXPR$0#9
            Distinct:
              Projection: a#6 AS a#8
                Projection: a#1 AS a#6
                  TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
            Projection: EXPR$0#7 AS EXPR$0#9
              Projection: Int32(1) AS EXPR$0#7
                Values(rows=1)
    "#]],
    );
}

#[test]
fn joins() {
    check(
        "SELECT p.name, bid.price FROM bid LEFT JOIN person AS p ON bid.bidder = p.id AND p.name <> 'x'",
        expect![[r#"
            [name: STRING, price: DECIMAL(10, 2)]
            Projection: name#15 AS name#17, price#9 AS price#18
              Left Join:  Filter: bidder#8 = id#14 AND name#15 != Utf8("x")
                WatermarkAssigner(rowtime=[ts], watermark=[-(ts#13, DurationMillisecond("5000"))])
                  Projection: auction#1 AS auction#7, bidder#2 AS bidder#8, price#3 AS price#9, *(price#3, Decimal128(2,10,0)) AS double_price#10, channel#4 AS channel#11, origin#5 AS origin#12, ts#6 AS ts#13
                    TableSourceScan(table=[[c, d, bid]], fields=[auction, bidder, price, channel, origin, ts])
                WatermarkAssigner(rowtime=[ts], watermark=[ts#16])
                  TableSourceScan(table=[[c, d, person]], fields=[id, name, ts])
        "#]],
    );
    check(
        "SELECT * FROM t JOIN v AS w(a, n) USING (a)",
        expect![[r#"
        [a: INT, b: BIGINT, s: STRING, d: DOUBLE, ts: TIMESTAMP(3), n: BIGINT]
        Projection: a#1 AS a#15, b#2 AS b#16, s#3 AS s#17, d#4 AS d#18, ts#5 AS ts#19, n#14 AS n#20
          Inner Join:  Filter: a#1 = a#13
            TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
            Projection: a#11 AS a#13, EXPR$1#12 AS n#14
              Projection: a#6 AS a#11, b#7 + Int64(1) AS EXPR$1#12
                Filter: a#6 > Int32(0)
                  TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
    "#]],
    );
    check_types(
        "SELECT * FROM t FULL JOIN v AS w(a, n) USING (a)",
        expect!["[a: INT, b: BIGINT, s: STRING, d: DOUBLE, ts: TIMESTAMP(3), n: BIGINT]"],
    );
}

#[test]
fn subqueries() {
    check(
        "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM v WHERE v.k = t.a)",
        expect![[r#"
        [a: INT]
        Projection: a#1 AS a#14
          Filter: EXISTS (<subquery>)
            Subquery:
              Projection: Int32(1) AS EXPR$0#13
                Filter: a#11 = outer_ref(a#1)
                  Projection: a#6 AS a#11, b#7 + Int64(1) AS EXPR$1#12
                    Filter: a#6 > Int32(0)
                      TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
            TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
    "#]],
    );
    check(
        "SELECT a, (SELECT MAX(n) FROM v) FROM t WHERE a NOT IN (SELECT n FROM v)",
        expect![[r#"
        [a: INT, EXPR$1: BIGINT]
        Projection: a#1 AS a#24, (<subquery>) AS EXPR$1#25
          Subquery:
            Projection: MAX#21 AS EXPR$0#23
              Aggregate: groupBy=[[]], aggr=[[MAX(EXPR$1#22) AS MAX#21]]
                Projection: EXPR$1#20 AS EXPR$1#22
                  Projection: a#14 AS a#19, b#15 + Int64(1) AS EXPR$1#20
                    Filter: a#14 > Int32(0)
                      TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
          Filter: CAST(a#1) NOT IN (<subquery>)
            Subquery:
              Projection: EXPR$1#12 AS n#13
                Projection: a#6 AS a#11, b#7 + Int64(1) AS EXPR$1#12
                  Filter: a#6 > Int32(0)
                    TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
            TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
    "#]],
    );
}

#[test]
fn values_take_common_types() {
    check(
        "SELECT * FROM (VALUES (1, 'a', NULL), (2.5, 'abc', 3)) AS x(n, s, m)",
        expect![[r#"
        [n: DECIMAL(11, 1) NOT NULL, s: VARCHAR(3) NOT NULL, m: INT]
        Projection: n#4 AS n#7, s#5 AS s#8, m#6 AS m#9
          Projection: EXPR$0#1 AS n#4, EXPR$1#2 AS s#5, EXPR$2#3 AS m#6
            Values(rows=2)
    "#]],
    );
}

#[test]
fn unnest() {
    check(
        "SELECT id, e, o FROM nested CROSS JOIN UNNEST(list) WITH ORDINALITY AS u(e, o)",
        expect![[r#"
        [id: INT, e: INT, o: INT NOT NULL]
        Projection: id#1 AS id#8, e#6 AS e#9, o#7 AS o#10
          Correlate(unnest=[list#3], joinType=[INNER])
            TableSourceScan(table=[[c, d, nested]], fields=[id, r, list, rows, m])
    "#]],
    );
    check_types(
        "SELECT id, x, y FROM nested LEFT JOIN UNNEST(`rows`) AS u ON TRUE",
        expect!["[id: INT, x: INT, y: STRING]"],
    );
}

#[test]
fn ranks() {
    check(
        "SELECT * FROM (SELECT a, s, ROW_NUMBER() OVER (PARTITION BY a ORDER BY d DESC) AS rn FROM t) WHERE rn <= 3",
        expect![[r#"
            [a: INT, s: STRING, rn: BIGINT NOT NULL]
            Projection: a#7 AS a#10, s#8 AS s#11, rn#9 AS rn#12
              Filter: rn#9 <= Int64(3)
                Projection: a#1 AS a#7, s#3 AS s#8, w0$o0#6 AS rn#9
                  Rank(RowNumber, partitionBy=[a], orderBy=[d])
                    TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
        "#]],
    );
    check(
        "SELECT s, SUM(a) FROM t GROUP BY s QUALIFY RANK() OVER (ORDER BY SUM(a)) = 1",
        expect![[r#"
        [s: STRING, EXPR$1: INT]
        Projection: s#8 AS s#10, SUM#7 AS EXPR$1#11
          Filter: w0$o0#6 = Int64(1)
            Rank(Rank, partitionBy=[], orderBy=[SUM])
              Aggregate: groupBy=[[s#8]], aggr=[[SUM(a#9) AS SUM#7]]
                Projection: s#3 AS s#8, a#1 AS a#9
                  TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
    "#]],
    );
}

#[test]
fn the_order_of_a_subquery_counts_only_with_a_limit() {
    check(
        "SELECT a FROM (SELECT a FROM t ORDER BY b)",
        expect![[r#"
        [a: INT]
        Projection: a#8 AS a#9
          Projection: a#6 AS a#8
            Projection: a#1 AS a#6, b#2 AS $s#7
              TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
    "#]],
    );
    check(
        "SELECT a FROM (SELECT a FROM t ORDER BY b LIMIT 3)",
        expect![[r#"
            [a: INT]
            Projection: a#8 AS a#9
              Projection: a#6 AS a#8
                Limit: skip=0, fetch=3
                  Sort: $s#7 ASC NULLS FIRST
                    Projection: a#1 AS a#6, b#2 AS $s#7
                      TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
        "#]],
    );
}

#[test]
fn explicit_casts_keep_what_prints() {
    check(
        "SELECT CAST(ts AS TIMESTAMP(0)), CAST(TIMESTAMP '2024-01-01 00:00:00' AS TIMESTAMP(3)) FROM t",
        expect![[r#"
        [EXPR$0: TIMESTAMP(0), EXPR$1: TIMESTAMP(3) NOT NULL]
        Projection: CAST(ts#5) AS EXPR$0#6, CAST(TimestampMillisecond(1704067200000, None)) AS EXPR$1#7
          TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
    "#]],
    );
}

#[test]
fn decimals_compare_with_literals_without_casts() {
    check(
        "SELECT price > 2, price IN (1, 2.5), price = 1.234 FROM bid",
        expect![[r#"
        [EXPR$0: BOOLEAN, EXPR$1: BOOLEAN, EXPR$2: BOOLEAN]
        Projection: price#9 > Decimal128(2.00,10,2) AS EXPR$0#14, price#9 IN ([Decimal128(1.00,10,2), Decimal128(2.50,10,2)]) AS EXPR$1#15, CAST(price#9) = Decimal128(1.234,11,3) AS EXPR$2#16
          WatermarkAssigner(rowtime=[ts], watermark=[-(ts#13, DurationMillisecond("5000"))])
            Projection: auction#1 AS auction#7, bidder#2 AS bidder#8, price#3 AS price#9, *(price#3, Decimal128(2,10,0)) AS double_price#10, channel#4 AS channel#11, origin#5 AS origin#12, ts#6 AS ts#13
              TableSourceScan(table=[[c, d, bid]], fields=[auction, bidder, price, channel, origin, ts])
    "#]],
    );
}

#[test]
fn special_calls_become_plain_ones() {
    check(
        "SELECT EXTRACT(YEAR FROM ts), FLOOR(ts TO HOUR), TIMESTAMPADD(DAY, 1, ts), OVERLAY(s PLACING 'x' FROM 1), \
         JSON_VALUE(s, '$.a' RETURNING INT DEFAULT 1 ON EMPTY), JSON_OBJECT('k' VALUE JSON_ARRAY(a)), s IS JSON OBJECT \
         FROM t",
        expect![[r#"
            [EXPR$0: BIGINT, EXPR$1: TIMESTAMP(3), EXPR$2: TIMESTAMP(3), EXPR$3: STRING, EXPR$4: INT, EXPR$5: STRING NOT NULL, EXPR$6: BOOLEAN]
            Projection: EXTRACT(Utf8("YEAR"), ts#5) AS EXPR$0#6, FLOOR(ts#5, Utf8("HOUR")) AS EXPR$1#7, TIMESTAMPADD(Utf8("DAY"), Int64(1), ts#5) AS EXPR$2#8, OVERLAY(s#3, Utf8("x"), Int64(1)) AS EXPR$3#9, JSON_VALUE(s#3, Utf8("$.a"), Int32(NULL), Utf8("DEFAULT"), Int32(1), Utf8("NULL"), Int32(NULL)) AS EXPR$4#10, JSON_OBJECT(Utf8("NULL"), Utf8("k"), AS JSON(JSON_ARRAY(Utf8("ABSENT"), a#1))) AS EXPR$5#11, IS JSON OBJECT(s#3) AS EXPR$6#12
              TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
        "#]],
    );
}

#[test]
fn rows_compare_by_field() {
    check(
        "SELECT a FROM t WHERE (a, s) = (1, 'x') AND (a, b) IN ((1, 2), (3, 4))",
        expect![[r#"
        [a: INT]
        Projection: a#1 AS a#6
          Filter: a#1 = Int32(1) AND s#3 = Utf8("x") AND (a#1 = Int32(1) AND b#2 = Int64(2) OR a#1 = Int32(3) AND b#2 = Int64(4))
            TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
    "#]],
    );
    check(
        "SELECT a FROM t WHERE (a, b) IN (SELECT k, n FROM v)",
        expect![[r#"
            [a: INT]
            Projection: a#1 AS a#15
              Filter: CASE WHEN EXISTS (<subquery>) THEN Boolean(true) WHEN EXISTS (<subquery>) THEN Boolean(NULL) ELSE Boolean(false) END
                Subquery:
                  Filter: outer_ref(a#1) = k#13 AND outer_ref(b#2) = n#14
                    Projection: a#11 AS k#13, EXPR$1#12 AS n#14
                      Projection: a#6 AS a#11, b#7 + Int64(1) AS EXPR$1#12
                        Filter: a#6 > Int32(0)
                          TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
                Subquery:
                  Filter: outer_ref(a#1) = k#13 IS NOT FALSE AND outer_ref(b#2) = n#14 IS NOT FALSE
                    Projection: a#11 AS k#13, EXPR$1#12 AS n#14
                      Projection: a#6 AS a#11, b#7 + Int64(1) AS EXPR$1#12
                        Filter: a#6 > Int32(0)
                          TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
                TableSourceScan(table=[[c, d, t]], fields=[a, b, s, d, ts])
        "#]],
    );
}

#[test]
fn hints_set_options() {
    check_types("SELECT a FROM t /*+ OPTIONS('connector' = 'stream') */", expect!["[a: INT]"]);
}

#[test]
fn over_calls_have_flinks_types() {
    check_types(
        "SELECT SUM(a) OVER w, COUNT(s) OVER w, AVG(b) OVER w, FIRST_VALUE(s) OVER w, ROW_NUMBER() OVER (ORDER BY ts), \
         LAG(a) OVER (ORDER BY ts), LEAD(a, 1, 0) OVER (ORDER BY ts), NTILE(3) OVER (ORDER BY ts), \
         CUME_DIST() OVER (ORDER BY ts) FROM t WINDOW w AS (PARTITION BY s ORDER BY ts)",
        expect![
            "[EXPR$0: INT, EXPR$1: BIGINT NOT NULL, EXPR$2: BIGINT, EXPR$3: STRING, EXPR$4: BIGINT NOT NULL, EXPR$5: INT, EXPR$6: INT, EXPR$7: INT NOT NULL, EXPR$8: DOUBLE NOT NULL]"
        ],
    );
}

#[test]
fn aggregates_into_json() {
    check_types(
        "SELECT JSON_OBJECTAGG(KEY s VALUE a), JSON_ARRAYAGG(b NULL ON NULL) FILTER (WHERE a > 1) FROM t GROUP BY d",
        expect!["[EXPR$0: STRING NOT NULL, EXPR$1: STRING NOT NULL]"],
    );
    check_error(
        "SELECT JSON_OBJECTAGG(KEY a VALUE s) FROM t",
        expect![[r#"
        error: the keys of JSON_OBJECTAGG are strings, not INT
         --> line 1, column 27
          |
        1 | SELECT JSON_OBJECTAGG(KEY a VALUE s) FROM t
          |                           ^
          = help: CAST them AS STRING"#]],
    );
}

#[test]
fn fields_of_rows_need_no_prefix() {
    check_types("SELECT x FROM (SELECT CAST(ROW(1, 'a') AS ROW<x INT, y STRING>) AS r FROM t)", expect!["[x: INT]"]);
}

#[test]
fn the_watermark_is_of_a_time_attribute() {
    check_error(
        "SELECT CURRENT_WATERMARK(d) FROM t",
        expect![[r#"
        error: The argument of CURRENT_WATERMARK() must be a rowtime attribute, but was 'DOUBLE'.: Cannot apply 'CURRENT_WATERMARK' to arguments of types (DOUBLE). Supported signature: CURRENT_WATERMARK(rowtime)
         --> line 1, column 8
          |
        1 | SELECT CURRENT_WATERMARK(d) FROM t
          |        ^^^^^^^^^^^^^^^^^^^^"#]],
    );
}
