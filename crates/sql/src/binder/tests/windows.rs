//! Window table functions and the older windows of GROUP BY.

use super::{check, check_types};
use expect_test::expect;

#[test]
fn tumble_adds_window_columns() {
    check_types(
        "SELECT * FROM TABLE(TUMBLE(TABLE person, DESCRIPTOR(ts), INTERVAL '10' SECOND))",
        expect![
            "[id: BIGINT, name: STRING, ts: TIMESTAMP(3) *Rowtime*, window_start: TIMESTAMP(3) NOT NULL, window_end: TIMESTAMP(3) NOT NULL, window_time: TIMESTAMP(3) NOT NULL *Rowtime*]"
        ],
    );
}

#[test]
fn named_arguments_and_offset() {
    check(
        "SELECT window_start FROM TABLE(HOP(DATA => TABLE bid, TIMECOL => DESCRIPTOR(ts), \
         SIZE => INTERVAL '10' SECOND, SLIDE => INTERVAL '5' SECOND, `OFFSET` => INTERVAL -'1' SECOND))",
        expect![[r#"
            [window_start: TIMESTAMP(3) NOT NULL]
            Projection: window_start#14 AS window_start#17
              WindowTableFunction(window=[Hop { slide_ms: 5000, size_ms: 10000 }, time=[ts], offset_ms=-1000])
                WatermarkAssigner(rowtime=[ts], watermark=[-(ts#13, DurationMillisecond("5000"))])
                  Projection: auction#1 AS auction#7, bidder#2 AS bidder#8, price#3 AS price#9, *(price#3, Decimal128(2,10,0)) AS double_price#10, channel#4 AS channel#11, origin#5 AS origin#12, ts#6 AS ts#13
                    TableSourceScan(table=[[c, d, bid]], fields=[auction, bidder, price, channel, origin, ts])
        "#]],
    );
}

#[test]
fn window_aggregate() {
    check(
        "SELECT window_start, window_end, channel, SUM(price) AS total FROM \
         TABLE(CUMULATE(TABLE bid, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '15' SECOND)) \
         GROUP BY window_start, window_end, channel",
        expect![[r#"
            [window_start: TIMESTAMP(3) NOT NULL, window_end: TIMESTAMP(3) NOT NULL, channel: STRING, total: DECIMAL(38, 2)]
            Projection: window_start#18 AS window_start#22, window_end#19 AS window_end#23, channel#20 AS channel#24, SUM#17 AS total#25
              Aggregate: groupBy=[[window_start#18, window_end#19, channel#20]], aggr=[[SUM(price#21) AS SUM#17]]
                Projection: window_start#14 AS window_start#18, window_end#15 AS window_end#19, channel#11 AS channel#20, price#9 AS price#21
                  WindowTableFunction(window=[Cumulate { step_ms: 5000, max_ms: 15000 }, time=[ts], offset_ms=0])
                    WatermarkAssigner(rowtime=[ts], watermark=[-(ts#13, DurationMillisecond("5000"))])
                      Projection: auction#1 AS auction#7, bidder#2 AS bidder#8, price#3 AS price#9, *(price#3, Decimal128(2,10,0)) AS double_price#10, channel#4 AS channel#11, origin#5 AS origin#12, ts#6 AS ts#13
                        TableSourceScan(table=[[c, d, bid]], fields=[auction, bidder, price, channel, origin, ts])
        "#]],
    );
}

#[test]
fn sessions_per_key_over_a_subquery() {
    check(
        "SELECT window_start, bidder, COUNT(*) FROM \
         TABLE(SESSION(TABLE bid PARTITION BY bidder, DESCRIPTOR(ts), INTERVAL '5' SECOND)) \
         GROUP BY window_start, window_end, bidder",
        expect![[r#"
            [window_start: TIMESTAMP(3) NOT NULL, bidder: BIGINT, EXPR$2: BIGINT NOT NULL]
            Projection: window_start#18 AS window_start#21, bidder#20 AS bidder#22, COUNT#17 AS EXPR$2#23
              Aggregate: groupBy=[[window_start#18, window_end#19, bidder#20]], aggr=[[COUNT() AS COUNT#17]]
                Projection: window_start#14 AS window_start#18, window_end#15 AS window_end#19, bidder#8 AS bidder#20
                  WindowTableFunction(window=[Session { gap_ms: 5000 }, time=[ts], offset_ms=0])
                    WatermarkAssigner(rowtime=[ts], watermark=[-(ts#13, DurationMillisecond("5000"))])
                      Projection: auction#1 AS auction#7, bidder#2 AS bidder#8, price#3 AS price#9, *(price#3, Decimal128(2,10,0)) AS double_price#10, channel#4 AS channel#11, origin#5 AS origin#12, ts#6 AS ts#13
                        TableSourceScan(table=[[c, d, bid]], fields=[auction, bidder, price, channel, origin, ts])
        "#]],
    );
}

#[test]
fn cascaded_windows_use_window_time() {
    check_types(
        "SELECT * FROM TABLE(TUMBLE(TABLE (SELECT window_time, price FROM \
         TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '5' SECOND))), DESCRIPTOR(window_time), INTERVAL '1' MINUTE))",
        expect![
            "[window_time: TIMESTAMP(3) NOT NULL *Rowtime*, price: DECIMAL(10, 2), window_start: TIMESTAMP(3) NOT NULL, window_end: TIMESTAMP(3) NOT NULL, window_time0: TIMESTAMP(3) NOT NULL *Rowtime*]"
        ],
    );
}

#[test]
fn timestamps_of_bounded_input_are_time_attributes() {
    check_types(
        "SELECT window_time FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND))",
        expect!["[window_time: TIMESTAMP(3) NOT NULL *Rowtime*]"],
    );
}

#[test]
fn processing_time() {
    check_types(
        "SELECT * FROM TABLE(TUMBLE(TABLE (SELECT a, PROCTIME() AS p FROM t), DESCRIPTOR(p), INTERVAL '5' SECOND))",
        expect![
            "[a: INT, p: TIMESTAMP_LTZ(3) NOT NULL *Proctime*, window_start: TIMESTAMP(3) NOT NULL, window_end: TIMESTAMP(3) NOT NULL, window_time: TIMESTAMP_LTZ(3) NOT NULL *Proctime*]"
        ],
    );
}

#[test]
fn windows_of_group_by() {
    check(
        "SELECT TUMBLE_START(ts, INTERVAL '1' MINUTE), TUMBLE_ROWTIME(ts, INTERVAL '1' MINUTE), COUNT(*) \
         FROM bid GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE), channel",
        expect![[r#"
            [EXPR$0: TIMESTAMP(3) NOT NULL, EXPR$1: TIMESTAMP(3) NOT NULL *Rowtime*, EXPR$2: BIGINT NOT NULL]
            Projection: window#18 AS EXPR$0#22, window#20 AS EXPR$1#23, COUNT#17 AS EXPR$2#24
              Aggregate: groupBy=[[window#18, window#19, window#20, channel#21]], aggr=[[COUNT() AS COUNT#17]]
                Projection: window_start#14 AS window#18, window_end#15 AS window#19, window_time#16 AS window#20, channel#11 AS channel#21
                  WindowTableFunction(window=[Tumble { size_ms: 60000 }, time=[ts], offset_ms=0])
                    WatermarkAssigner(rowtime=[ts], watermark=[-(ts#13, DurationMillisecond("5000"))])
                      Projection: auction#1 AS auction#7, bidder#2 AS bidder#8, price#3 AS price#9, *(price#3, Decimal128(2,10,0)) AS double_price#10, channel#4 AS channel#11, origin#5 AS origin#12, ts#6 AS ts#13
                        TableSourceScan(table=[[c, d, bid]], fields=[auction, bidder, price, channel, origin, ts])
        "#]],
    );
}
