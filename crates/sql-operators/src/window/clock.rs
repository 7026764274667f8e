//! The wall clock that aligns windows.
//!
//! Windows over TIMESTAMP columns are cut in the column's own time. Windows over TIMESTAMP_LTZ are cut in the
//! wall-clock time of the session zone, so that a day starts at local midnight, while watermarks and timers
//! are instants. Wall-clock time is represented as the milliseconds that UTC would show the same digits at.

use chrono::{DateTime, LocalResult, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;
use headwater_types::Result;
use std::cell::Cell;

/// All zone transitions since 1972 lie on multiples of this.
const BUCKET_MS: i64 = 15 * 60 * 1000;
const HOUR_MS: i64 = 60 * 60 * 1000;

/// Converts between instants and wall-clock time.
pub(crate) struct WallClock {
    /// `None` when both are the same.
    zone: Option<Tz>,
    /// The last bucket looked up and its offset.
    cached: Cell<(i64, i64)>,
}

impl WallClock {
    /// The clock of a window specification's zone.
    pub(crate) fn new(zone: Option<&str>) -> Result<Self> {
        let zone = zone.map(headwater_functions::zone::parse).transpose()?.filter(|zone| *zone != Tz::UTC);
        Ok(Self { zone, cached: Cell::new((i64::MIN, 0)) })
    }

    /// The wall-clock time of an instant.
    #[inline]
    pub(crate) fn to_wall(&self, instant_ms: i64) -> i64 {
        match self.zone {
            None => instant_ms,
            Some(zone) => instant_ms.saturating_add(self.offset_ms(zone, instant_ms)),
        }
    }

    fn offset_ms(&self, zone: Tz, instant_ms: i64) -> i64 {
        let bucket = instant_ms.div_euclid(BUCKET_MS);
        let (known, offset) = self.cached.get();
        if bucket == known {
            return offset;
        }
        let start = zone_offset_ms(zone, bucket * BUCKET_MS);
        // Zones before 1972 changed at odd times; such a bucket is not cached.
        if start != zone_offset_ms(zone, bucket * BUCKET_MS + BUCKET_MS - 1) {
            return zone_offset_ms(zone, instant_ms);
        }
        self.cached.set((bucket, start));
        start
    }

    /// The instant of a wall-clock time: the earlier one when the clock shows it twice; a time that is
    /// skipped is read with the offset before the gap.
    pub(crate) fn to_instant(&self, wall_ms: i64) -> i64 {
        self.resolve(wall_ms, |first, _| first, |shifted| shifted)
    }

    /// The instant at which a timer for a wall-clock time is due: the later one when the clock shows it
    /// twice, so that both passes are in the window; the end of the gap when it is skipped.
    pub(crate) fn timer_instant(&self, wall_ms: i64) -> i64 {
        self.resolve(wall_ms, |_, second| second, |shifted| shifted - shifted.rem_euclid(HOUR_MS))
    }

    /// The instant at which a window of processing time fires: rows still come to it while the clock shows its last
    /// millisecond, so it is when that is over. What has fired then is all up to [`Self::over_by`].
    pub(crate) fn proctime_timer(&self, window_end: i64) -> i64 {
        self.timer_instant(window_end - 1).saturating_add(1)
    }

    /// The last instant that is over, as far as processing time goes.
    pub(crate) fn over_by(now_ms: i64) -> i64 {
        now_ms.saturating_sub(1)
    }

    /// The processing time of rows that come now. A window that has fired takes none, so rows are never late: where
    /// the clock was set back, they count for the first instant that is not over.
    pub(crate) fn arrival(now_ms: i64, progress: i64) -> i64 {
        now_ms.max(progress.saturating_add(1))
    }

    fn resolve(&self, wall_ms: i64, twice: impl Fn(i64, i64) -> i64, skipped: impl Fn(i64) -> i64) -> i64 {
        let (Some(zone), Some(wall)) = (self.zone, naive(wall_ms)) else { return wall_ms };
        match zone.offset_from_local_datetime(&wall) {
            LocalResult::Single(offset) => wall_ms - offset_of(&offset),
            LocalResult::Ambiguous(a, b) => {
                let (a, b) = (wall_ms - offset_of(&a), wall_ms - offset_of(&b));
                twice(a.min(b), a.max(b))
            }
            LocalResult::None => skipped(wall_ms - zone_offset_ms(zone, wall_ms - 24 * HOUR_MS)),
        }
    }
}

fn naive(ms: i64) -> Option<NaiveDateTime> {
    DateTime::from_timestamp_millis(ms).map(|t| t.naive_utc())
}

fn zone_offset_ms(zone: Tz, instant_ms: i64) -> i64 {
    naive(instant_ms).map_or(0, |utc| offset_of(&zone.offset_from_utc_datetime(&utc)))
}

fn offset_of(offset: &impl Offset) -> i64 {
    i64::from(offset.fix().local_minus_utc()) * 1000
}
