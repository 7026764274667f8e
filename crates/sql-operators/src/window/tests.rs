use super::{Slices, WallClock};
use headwater_plan::operators::WindowShape;

fn windows(shape: WindowShape, offset: i64, time: i64) -> Vec<(i64, i64)> {
    let mut windows = vec![];
    Slices::assigning(shape, offset).unwrap().windows(time, &mut |start, end| windows.push((start, end)));
    windows
}

#[test]
fn windows_of_a_time() {
    let tumble = WindowShape::Tumble { size_ms: 10 };
    let hop = WindowShape::Hop { slide_ms: 5, size_ms: 10 };
    let cumulate = WindowShape::Cumulate { step_ms: 5, max_ms: 15 };
    for (shape, offset, time, expected) in [
        (tumble, 0, 0, vec![(0, 10)]),
        (tumble, 0, -1, vec![(-10, 0)]),
        (tumble, 3, 2, vec![(-7, 3)]),
        (tumble, -3, 7, vec![(7, 17)]),
        (hop, 0, 7, vec![(5, 15), (0, 10)]),
        (hop, 0, 10, vec![(10, 20), (5, 15)]),
        (cumulate, 0, 7, vec![(0, 10), (0, 15)]),
        (cumulate, 0, 15, vec![(15, 20), (15, 25), (15, 30)]),
        (cumulate, 2, 1, vec![(-13, 2)]),
    ] {
        assert_eq!(windows(shape, offset, time), expected, "{shape:?} {offset} {time}");
    }
}

#[test]
fn hopping_windows_of_rows_may_be_uneven() {
    let (uneven, gaps) =
        (WindowShape::Hop { slide_ms: 10, size_ms: 25 }, WindowShape::Hop { slide_ms: 20, size_ms: 5 });
    for (shape, time, expected) in [
        (uneven, 3, vec![(0, 25), (-10, 15), (-20, 5)]),
        (uneven, 7, vec![(0, 25), (-10, 15)]),
        (gaps, 21, vec![(20, 25)]),
        (gaps, 27, vec![]),
    ] {
        assert_eq!(windows(shape, 0, time), expected, "{shape:?} {time}");
    }
}

#[test]
fn shapes_that_do_not_divide_are_refused() {
    for shape in [
        WindowShape::Hop { slide_ms: 3, size_ms: 10 },
        WindowShape::Cumulate { step_ms: 0, max_ms: 10 },
        WindowShape::Session { gap_ms: 5 },
    ] {
        assert!(Slices::new(shape, 0).is_err(), "{shape:?}");
    }
}

const HOUR: i64 = 3_600_000;

#[test]
fn the_wall_clock_follows_daylight_saving_time() {
    let clock = WallClock::new(Some("America/Los_Angeles")).unwrap();
    // 2021-03-14 01:59:59.999 local is the last millisecond before the gap.
    let gap = 1_615_716_000_000;
    let wall_before_gap = gap - 8 * HOUR;
    assert_eq!(clock.to_wall(gap - 1), wall_before_gap - 1);
    assert_eq!(clock.to_wall(gap), wall_before_gap + HOUR);
    // 02:59:59.999 does not exist: a timer for it is due when the gap is over.
    assert_eq!(clock.timer_instant(wall_before_gap + HOUR - 1), gap);
    // 2021-11-07 01:30 happens twice.
    let twice = 1_636_272_000_000 - 7 * HOUR + HOUR / 2;
    assert_eq!(clock.to_instant(twice), 1_636_272_000_000 + HOUR / 2);
    assert_eq!(clock.timer_instant(twice), 1_636_272_000_000 + HOUR + HOUR / 2);
}

#[test]
fn utc_and_no_zone_are_the_identity() {
    for zone in [None, Some("UTC")] {
        let clock = WallClock::new(zone).unwrap();
        assert_eq!((clock.to_wall(5), clock.to_instant(5), clock.timer_instant(5)), (5, 5, 5));
    }
    assert!(WallClock::new(Some("Mars/Olympus")).is_err());
}
