//! The session time zone.

use crate::{SqlError, SqlResult};
use chrono_tz::Tz;
use headwater_types::config::{self, Configuration};

/// The zone of `table.local-time-zone`; `default` is the system's, or UTC where it has none.
pub fn session_zone(config: &Configuration) -> SqlResult<Tz> {
    let name = config.text(config::LOCAL_TIME_ZONE);
    if name == config::LOCAL_TIME_ZONE.default {
        return Ok(system_zone().unwrap_or(Tz::UTC));
    }
    headwater_functions::zone::parse(name).map_err(SqlError::from)
}

fn system_zone() -> Option<Tz> {
    iana_time_zone::get_timezone().ok()?.parse().ok()
}
