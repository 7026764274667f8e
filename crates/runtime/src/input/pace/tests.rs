//! Slow sinks get small slices, fast ones whole batches.

use super::*;
use crate::testing::batch;

/// Feeds a batch of so many rows, for which the chain waits so long; the rows of the slice.
fn feed(pace: &mut Pace, rows: i64, waits_ms: i64) -> usize {
    let (slice, _) = pace.split(batch((0..rows).map(|row| (row, row))));
    pace.observe(Drained::Blocked, 1_000);
    pace.observe(Drained::Budget, 1_000 + waits_ms / 2);
    pace.observe(Drained::Blocked, 1_000 + waits_ms / 2);
    pace.observe(Drained::Empty, 1_000 + waits_ms);
    slice.num_rows()
}

#[test]
fn slices_follow_the_speed_of_the_sink() {
    let mut pace = Pace::new(true);
    assert_eq!(feed(&mut pace, 8_000, 12_000), 8_000);
    assert_eq!(feed(&mut pace, 8_000, 299), 200, "as many as take 300 ms");
    assert_eq!(feed(&mut pace, 8_000, 10), 200);
    assert_eq!(feed(&mut pace, 8_000, 10), 400);
    assert_eq!(feed(&mut pace, 10, 10), 10, "a small batch says nothing about larger ones");
    assert_eq!(feed(&mut pace, 8_000, 1_000_000), 800);
    assert_eq!(feed(&mut pace, 8_000, 0), ROWS_MIN);
    for _ in 0..20 {
        feed(&mut pace, 100_000, 0);
    }
    assert_eq!(pace.limit, usize::MAX);
}

#[test]
fn where_barriers_do_not_wait_for_the_sink_batches_stay_whole() {
    let mut pace = Pace::new(false);
    (0..3).for_each(|_| assert_eq!(feed(&mut pace, 8_000, 12_000), 8_000));
}

#[test]
fn an_update_stays_in_one_piece() {
    let kinds = [RowKind::Insert, RowKind::UpdateBefore, RowKind::UpdateAfter, RowKind::Insert];
    let rows = batch((0..4).map(|row| (row, row)));
    let mut pace = Pace { limit: 2, ..Pace::new(true) };
    let (slice, rest) = pace.split(ChangeBatch::from_kinds(rows.rows().clone(), kinds));
    assert_eq!((slice.num_rows(), rest.map(|rest| rest.num_rows())), (3, Some(1)));
}
