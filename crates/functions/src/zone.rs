//! Time zones: from instants to local time and back, with Java's rules for gaps and overlaps.
//!
//! A local time that a clock change skips moves forward by the length of the gap; one that occurs twice means
//! the earlier instant. Looking up an offset is a search in the zone's table, so the last one is remembered:
//! offsets change at multiples of 15 minutes only.

use chrono::offset::{LocalResult, Offset, TimeZone};
use chrono::{DateTime, NaiveDateTime};
use chrono_tz::Tz;
use headwater_types::{Error, Result};
use std::cell::Cell;

/// Seconds between two instants at which the offset of a zone may change.
const STEP: i64 = 15 * 60;

/// Before this instant (1972) offsets were not multiples of 15 minutes everywhere, so they are not remembered.
const CACHED_FROM: i64 = 2 * 365 * 86_400;

/// A time zone with the offset it used last. Make one per batch: it is cheap, and not `Sync`.
pub struct Zone {
    tz: Tz,
    /// Step and offset of the last look-up, for instants.
    instant: Cell<(i64, i64)>,
    /// The same for local times.
    local: Cell<(i64, i64)>,
}

impl Zone {
    /// The given zone.
    pub fn new(tz: Tz) -> Self {
        Self { tz, instant: Cell::new((i64::MIN, 0)), local: Cell::new((i64::MIN, 0)) }
    }

    /// UTC, in which instants and local times are the same.
    pub fn utc() -> Self {
        Self::new(Tz::UTC)
    }

    /// Whether the offset is always zero.
    pub fn is_utc(&self) -> bool {
        self.tz == Tz::UTC
    }

    /// The local time of an instant, both in seconds since the epoch.
    #[inline]
    pub fn to_local(&self, instant: i64) -> i64 {
        if self.is_utc() { instant } else { instant + remembered(&self.instant, instant, || self.offset_at(instant)) }
    }

    /// The instant of a local time, both in seconds since the epoch.
    #[inline]
    pub fn to_instant(&self, local: i64) -> i64 {
        if self.is_utc() { local } else { local - remembered(&self.local, local, || self.offset_of_local(local)) }
    }

    /// The local time of an instant, both in milliseconds since the epoch.
    #[inline]
    pub fn to_local_ms(&self, ms: i64) -> i64 {
        if self.is_utc() { ms } else { ms + (self.to_local(ms.div_euclid(1000)) - ms.div_euclid(1000)) * 1000 }
    }

    /// The instant of a local time, both in milliseconds since the epoch.
    #[inline]
    pub fn to_instant_ms(&self, ms: i64) -> i64 {
        if self.is_utc() { ms } else { ms + (self.to_instant(ms.div_euclid(1000)) - ms.div_euclid(1000)) * 1000 }
    }

    fn offset_at(&self, instant: i64) -> i64 {
        naive(instant).map_or(0, |utc| seconds(self.tz.offset_from_utc_datetime(&utc).fix()))
    }

    fn offset_of_local(&self, local: i64) -> i64 {
        let Some(time) = naive(local) else { return 0 };
        match self.tz.offset_from_local_datetime(&time) {
            LocalResult::Single(offset) | LocalResult::Ambiguous(offset, _) => seconds(offset.fix()),
            LocalResult::None => self.offset_before_gap(local),
        }
    }

    /// The offset that held before the gap in which `local` lies. No gap is longer than a day and a bit.
    fn offset_before_gap(&self, local: i64) -> i64 {
        let earlier = (1..=26 * 4).filter_map(|steps| naive(local - steps * STEP));
        let mut offsets = earlier.filter_map(|time| self.tz.offset_from_local_datetime(&time).latest());
        offsets.next().map_or(0, |offset| seconds(offset.fix()))
    }
}

fn seconds(offset: chrono::FixedOffset) -> i64 {
    i64::from(offset.local_minus_utc())
}

fn naive(seconds: i64) -> Option<NaiveDateTime> {
    DateTime::from_timestamp(seconds, 0).map(|t| t.naive_utc())
}

#[inline]
fn remembered(cache: &Cell<(i64, i64)>, at: i64, look_up: impl FnOnce() -> i64) -> i64 {
    let step = at.div_euclid(STEP);
    let (known, offset) = cache.get();
    if known == step {
        return offset;
    }
    let offset = look_up();
    if at >= CACHED_FROM {
        cache.set((step, offset));
    }
    offset
}

/// A time zone as SQL names it: a region (`Europe/Berlin`), `UTC`, `Z`, or an offset such as `GMT+08:00`,
/// `+02:00` or `UTC-3`, as far as whole hours go.
pub fn parse(name: &str) -> Result<Tz> {
    let unknown = || Error::user("bad-time-zone", format!("Invalid time zone: '{name}'"));
    let plain = name.trim();
    if let Ok(tz) = plain.parse::<Tz>() {
        return Ok(tz);
    }
    if plain == "Z" {
        return Ok(Tz::UTC);
    }
    let offset = ["GMT", "UTC", "UT"].iter().find_map(|p| plain.strip_prefix(p)).unwrap_or(plain);
    let hours = whole_hours(offset).ok_or_else(unknown)?;
    // The names of the fixed zones have the opposite sign.
    let fixed = if hours == 0 { "UTC".to_owned() } else { format!("Etc/GMT{:+}", -hours) };
    fixed.parse().map_err(|_| unknown())
}

/// The hours of `+8`, `+08`, `+08:00` or `-0800`.
fn whole_hours(offset: &str) -> Option<i32> {
    let sign = match offset.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits = offset[1..].replace(':', "");
    let hours = match digits.len() {
        1 | 2 => digits.as_str(),
        4 => digits.strip_suffix("00")?,
        _ => return None,
    };
    hours.parse::<i32>().ok().filter(|h| (0..=14).contains(h)).map(|h| h * sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_move_forward_and_overlaps_mean_the_earlier_instant() {
        let berlin = Zone::new(chrono_tz::Europe::Berlin);
        // 2021-03-28 02:30 does not exist: it becomes 03:30 summer time, 01:30 UTC.
        assert_eq!(berlin.to_instant(1_616_898_600), 1_616_895_000);
        // 2021-10-31 02:30 exists twice: summer time wins, 00:30 UTC.
        assert_eq!(berlin.to_instant(1_635_647_400), 1_635_640_200);
        assert_eq!(berlin.to_local(1_616_893_199), 1_616_896_799);
        assert_eq!(berlin.to_local(1_616_893_200), 1_616_900_400);
        assert_eq!(berlin.to_local_ms(-1), 3_599_999);
    }

    #[test]
    fn zones_have_names_and_offsets() {
        for (name, expected) in [("Asia/Shanghai", 28_800), ("GMT+08:00", 28_800), ("-03:00", -10_800), ("UTC", 0)] {
            assert_eq!(Zone::new(parse(name).unwrap()).to_local(0), expected, "{name}");
        }
        assert!(parse("un-parsable timezone").is_err());
    }
}
