//! About the gateway itself.

use super::VERSIONS;
use crate::call::Call;
use crate::messages::{ApiVersions, Info};
use headwater_rest::{Answer, Reply};

/// `GET /api_versions`
pub(super) fn api_versions(_call: &Call<'_>) -> Reply {
    Answer::json(&ApiVersions { versions: VERSIONS.map(|version| format!("V{version}")).collect() })
}

/// `GET /info`
pub(super) fn info(_call: &Call<'_>) -> Reply {
    Answer::json(&Info { product_name: "Headwater", version: env!("CARGO_PKG_VERSION") })
}
