//! Flink's SQL gateway REST API over sessions.
