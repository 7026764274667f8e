//! Headwater's events in real Data.Rentgen: a job of two sources and two sinks through Kafka, the same over HTTP with
//! gzip and a token, and one that goes on until it is ended.

use super::rentgen::{DataRentgen, TOPIC};
use super::{ask, broker};
use crate::compat::report::Report;
use anyhow::Result;
use serde_json::json;
use std::path::Path;

/// Runs the checks.
pub fn check(headwater: &Path, files: &Path, report: &mut Report) -> Result<()> {
    let kafka = broker()?;
    let brokers = kafka.bootstrap();
    let rentgen = DataRentgen::start(&brokers, files)?;
    let facts = json!({
        "server": rentgen.server,
        "gateway": rentgen.gateway,
        "kafka": brokers,
        "topic": TOPIC,
        "headwater": headwater,
        "files": files,
    });
    ask(include_str!("data_rentgen.py"), &facts, "Data.Rentgen", report)
}
