use crate::testing::*;
use headwater_plan::operators::*;
use headwater_plan::{OperatorNode, OperatorSpec, Value};
use headwater_types::{LogicalType, TimeAttribute, TypeRoot};
use proptest::prelude::*;

/// Window start, window end, key, order, arrival number.
fn input() -> Vec<LogicalType> {
    vec![timestamp(), timestamp(), int(), int(), int()]
}

fn rank(function: RankFunction, start: u64, end: u64, proctime: bool) -> OperatorNode {
    let spec = WindowRankSpec {
        function,
        keys: vec![2],
        order: vec![SortKey { column: 3, ascending: false, nulls_first: false }],
        start,
        end,
        with_rank: true,
        window: (0, 1),
        zone: None,
        proctime,
    };
    let mut output = input();
    output.push(bigint());
    node(OperatorSpec::WindowRank(spec), &[&input()], &output)
}

type Row = (i64, Option<i64>, Option<i64>);

fn row_values(number: usize, (window, key, order): Row) -> Vec<Value> {
    vec![i(window * 10), i(window * 10 + 10), optional(key), optional(order), i(number as i64)]
}

/// A row's rank is how many rows of its window and key come before it, counted as the function counts.
fn expected(function: RankFunction, start: u64, end: u64, rows: &[Row]) -> Vec<String> {
    let numbered: Vec<(usize, Row)> = rows.iter().copied().enumerate().collect();
    let rank_of = |(number, row): &(usize, Row)| {
        let peers = numbered.iter().filter(|(_, other)| (other.0, other.1) == (row.0, row.1));
        // NULLs last, greater first: None is the least Option.
        let before = |other: &Row| other.2 > row.2;
        match function {
            RankFunction::RowNumber => {
                1 + peers.filter(|(n, other)| before(other) || (other.2 == row.2 && n < number)).count()
            }
            RankFunction::Rank => 1 + peers.filter(|(_, other)| before(other)).count(),
            RankFunction::DenseRank => {
                let above: std::collections::BTreeSet<_> = peers.map(|(_, o)| o.2).filter(|o| *o > row.2).collect();
                1 + above.len()
            }
        }
    };
    let mut lines: Vec<String> = numbered
        .iter()
        .map(|row| (rank_of(row) as u64, row))
        .filter(|(rank, _)| (start..=end).contains(rank))
        .map(|(rank, (number, row))| {
            let mut values = row_values(*number, *row);
            values.push(i(rank as i64));
            format!("{values:?}")
        })
        .collect();
    lines.sort();
    lines
}

proptest! {
    #[test]
    fn ranks_equal_their_definition(
        function in prop::sample::select(vec![RankFunction::RowNumber, RankFunction::Rank, RankFunction::DenseRank]),
        (start, extra) in (1u64..3, 0u64..3),
        rows in prop::collection::vec((0i64..2, prop::option::of(0i64..2), prop::option::of(0i64..4)), 0..60),
        chunk in 1usize..4,
    ) {
        let node = rank(function, start, start + extra, false);
        let mut harness = open(&node, false, 2);
        let all: Vec<_> = rows.iter().enumerate().map(|(n, row)| row_values(n, *row)).collect();
        for rows in all.chunks(chunk) {
            harness.process(batch(&input(), rows)).unwrap();
        }
        harness.end(1).unwrap();
        let types: Vec<LogicalType> = node.output.iter().map(|(_, ty)| ty.clone()).collect();
        let mut found: Vec<_> = values(harness.output.batches(), &types).iter().map(|r| format!("{r:?}")).collect();
        found.sort();
        prop_assert_eq!(found, expected(function, start, start + extra, &rows));
    }
}

#[test]
fn windows_over_processing_time_fire_by_the_clock() {
    let mut harness = harness(&rank(RankFunction::RowNumber, 1, 1, true));
    harness.process(batch(&input(), &[row_values(0, (0, Some(1), Some(5)))])).unwrap();
    harness.watermark(100).unwrap();
    assert_eq!(harness.output.num_rows(), 0);
    harness.advance_to(9).unwrap();
    assert_eq!(harness.output.num_rows(), 0);
    harness.advance_to(10).unwrap();
    assert_eq!(harness.output.num_rows(), 1);
    harness.process(batch(&input(), &[row_values(1, (0, Some(1), Some(5)))])).unwrap();
    assert_eq!(harness.late_rows_dropped(), 1);
}

#[test]
fn deduplication_by_descending_time_keeps_the_last_arrival() {
    let rowtime = TypeRoot::Timestamp(3, TimeAttribute::Rowtime);
    for (order_type, expected) in [(LogicalType::from(rowtime), 1), (timestamp(), 0)] {
        let mut node = rank(RankFunction::RowNumber, 1, 1, false);
        let types = vec![timestamp(), timestamp(), int(), order_type, int()];
        node.inputs = vec![row_type(&types)];
        node.output[3].1 = timestamp();
        let mut harness = harness(&node);
        let rows: Vec<_> = (0..2).map(|number| row_values(number, (0, Some(1), Some(5)))).collect();
        harness.process(batch(&types, &rows)).unwrap();
        harness.end(1).unwrap();
        let kept = values(harness.output.batches(), &types);
        assert_eq!(kept[0][4], i(expected));
    }
}
