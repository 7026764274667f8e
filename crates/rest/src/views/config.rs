//! Configuration without its secrets.

use crate::messages::cluster::ConfigEntry;
use headwater_types::config::Configuration;

/// Parts of keys whose values are never shown, as in Flink.
const SENSITIVE: [&str; 11] = [
    "password",
    "secret",
    "token",
    "apikey",
    "api-key",
    "access-key",
    "auth-params",
    "service-key",
    "basic-auth",
    "jaas.config",
    "account.key",
];
const HIDDEN: &str = "******";

/// All values in key order.
pub(crate) fn entries(config: &Configuration) -> Vec<ConfigEntry> {
    config.visible().map(|(key, value)| ConfigEntry { key: key.to_owned(), value: shown(key, value) }).collect()
}

/// A value as it may be shown.
pub fn shown(key: &str, value: &str) -> String {
    let key = key.to_ascii_lowercase();
    match SENSITIVE.iter().any(|part| key.contains(part)) {
        true => HIDDEN.to_owned(),
        false => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_the_engine_is_nobodys_to_see() {
        let mut config = Configuration::new();
        config.set(headwater_types::config::JOB_LINEAGE, "{}");
        config.set("parallelism.default", "4");
        let keys: Vec<String> = entries(&config).into_iter().map(|entry| entry.key).collect();
        assert_eq!(keys, ["parallelism.default"]);
    }

    #[test]
    fn secrets_are_hidden() {
        for key in ["s3.secret-key", "headwater.rest.authentication.token", "a.PASSWORD", "s3.access-key"] {
            assert_eq!(shown(key, "x"), HIDDEN, "{key}");
        }
        assert_eq!(shown("parallelism.default", "4"), "4");
    }
}
