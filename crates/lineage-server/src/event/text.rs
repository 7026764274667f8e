//! Texts and times of events.

use chrono::{DateTime, NaiveDateTime};
use uuid::Uuid;

/// Longest name of anything.
pub const NAME_CHARS_MAX: usize = 4096;

/// The text without the one character no database stores, U+0000.
pub fn clean(text: &str) -> String {
    if text.contains('\0') { text.replace('\0', "\u{FFFD}") } else { text.to_owned() }
}

/// Microseconds since the epoch of an ISO 8601 time; without an offset it is UTC.
pub fn micros(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_micros());
    }
    if let Ok(time) = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%#z") {
        return Some(time.timestamp_micros());
    }
    let plain = text.trim_end_matches(['Z', 'z']).replacen(' ', "T", 1);
    let time = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(&plain, format).ok())?;
    Some(time.and_utc().timestamp_micros())
}

/// 2100-01-01: the time in a UUID that is later is none.
const UUID_MILLIS_MAX: i64 = 4_102_444_800_000;

/// When a UUID of version 7 was made: microseconds since the epoch. Other versions have no such time.
pub fn time_of_uuid(id: &Uuid) -> Option<i64> {
    let bytes = id.as_bytes();
    let millis = bytes[..6].iter().fold(0_i64, |sum, byte| (sum << 8) | i64::from(*byte));
    (id.get_version_num() == 7 && millis < UUID_MILLIS_MAX).then_some(millis * 1000)
}
