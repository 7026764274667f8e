//! Event time: milliseconds since the epoch, UTC.

/// The watermark before any row was seen; nothing is late against it.
pub const MIN_WATERMARK: i64 = i64::MIN;

/// The watermark of the end of input; every pane and timer fires at it.
pub const MAX_WATERMARK: i64 = i64::MAX;
