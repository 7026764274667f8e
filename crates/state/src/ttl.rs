//! Time to live, by Flink's rules.
//!
//! An entry is created or written at some time, and expires when that time plus the life is reached. With
//! [`TtlUpdate::OnReadAndWrite`] a read renews it too, which is a write to the engine. An expired entry is never
//! returned, or, with [`TtlVisibility::ReturnExpiredIfNotCleanedUp`], once more by the read that deletes it. Reads
//! delete what they find expired; besides, every write looks at a few other entries, and snapshots and restores
//! leave expired entries out.
//!
//! In a table with time to live a stored value is `time:i64 little-endian, value`. Entries that were stored
//! without get the time of the restore; entries restored without time to live lose theirs.

use crate::{Ttl, TtlUpdate, TtlVisibility};
use headwater_env::Env;
use headwater_types::{Error, ErrorKind, Result};

const TIME_BYTES: usize = 8;

/// The time to live of a table, with the clock.
pub(crate) struct Lifetime {
    ttl: Option<Ttl>,
    env: Env,
}

impl Lifetime {
    pub fn new(ttl: Option<Ttl>, env: &Env) -> Self {
        Self { ttl, env: env.clone() }
    }

    /// Whether entries expire at all.
    #[inline]
    pub fn is_limited(&self) -> bool {
        self.ttl.is_some()
    }

    pub fn renewed_by_reads(&self) -> bool {
        self.ttl.is_some_and(|ttl| ttl.update == TtlUpdate::OnReadAndWrite)
    }

    pub fn returns_expired(&self) -> bool {
        self.ttl.is_some_and(|ttl| ttl.visibility == TtlVisibility::ReturnExpiredIfNotCleanedUp)
    }

    pub fn now_ms(&self) -> i64 {
        self.env.now_ms()
    }

    /// What precedes a value that is written now; nothing without time to live.
    #[inline]
    pub fn stamp<'a>(&self, place: &'a mut [u8; TIME_BYTES]) -> &'a [u8] {
        if self.ttl.is_none() {
            return &[];
        }
        *place = self.now_ms().to_le_bytes();
        place
    }

    /// Whether a stored value is expired at a time.
    #[inline]
    pub fn is_expired(&self, stored: &[u8], now_ms: i64) -> bool {
        let Some(ttl) = self.ttl else { return false };
        time_of(stored).is_some_and(|time| time.saturating_add(ttl.ttl_ms) <= now_ms)
    }

    /// The value without its time.
    #[inline]
    pub fn strip<'a>(&self, stored: &'a [u8]) -> &'a [u8] {
        if self.ttl.is_some() { stored.get(TIME_BYTES..).unwrap_or_default() } else { stored }
    }

    /// What a restored value is stored as: with its time, if entries expire. `None` when it is expired.
    ///
    /// # Errors
    /// `Corruption` when a value that should have a time has none.
    pub fn restored<'a>(
        &self,
        stored: Option<&'a [u8]>,
        had_ttl: bool,
        scratch: &'a mut Vec<u8>,
    ) -> Result<Option<&'a [u8]>> {
        let Some(stored) = stored else { return Ok(None) };
        let (_, value) = split_stored(stored, had_ttl)?;
        match (self.ttl.is_some(), had_ttl) {
            (false, _) => Ok(Some(value)),
            (true, true) => Ok((!self.is_expired(stored, self.now_ms())).then_some(stored)),
            (true, false) => {
                scratch.clear();
                scratch.extend_from_slice(&self.now_ms().to_le_bytes());
                scratch.extend_from_slice(value);
                Ok(Some(scratch))
            }
        }
    }
}

/// Takes a stored value apart: its time, if it was stored with one, and the value itself.
pub(crate) fn split_stored(stored: &[u8], had_ttl: bool) -> Result<(&[u8], &[u8])> {
    let time_bytes = if had_ttl { TIME_BYTES } else { 0 };
    stored.split_at_checked(time_bytes).ok_or_else(|| {
        Error::new(ErrorKind::Corruption, "bad-ttl", "a stored value of a table with time to live has no time")
    })
}

#[inline]
fn time_of(stored: &[u8]) -> Option<i64> {
    stored.first_chunk().map(|time| i64::from_le_bytes(*time))
}
