//! The query: Nexmark q4, the average price at which the auctions of a category close.

use super::output::{Rows, rows};
use super::text;
use anyhow::{Context, Result, ensure};
use std::path::Path;
use std::process::Command;

/// Subtasks of each vertex.
const PARALLELISM: u32 = 4;

/// Runs the query in one process, as fast as it can.
pub fn undisturbed(headwater: &Path, work: &Path, events: u64) -> Result<Rows> {
    let (script, out) = (work.join("undisturbed.sql"), work.join("undisturbed"));
    std::fs::write(&script, sql(&out, events, None)?)?;
    let output = Command::new(headwater).arg("sql").arg("-f").arg(&script).env_remove("HEADWATER_CONF_DIR").output()?;
    ensure!(output.status.success(), "the query failed: {}", String::from_utf8_lossy(&output.stderr));
    rows(&out)
}

/// From checkpoint to checkpoint, where the time to new output is measured.
pub const CHECKPOINTS: &str = "200 ms";

/// What every job of an experiment is told. `interval`: from checkpoint to checkpoint.
pub fn settings(parallelism: u32, interval: &str) -> String {
    format!(
        "SET 'parallelism.default' = '{parallelism}';
SET 'table.dml-sync' = 'true';
SET 'execution.checkpointing.interval' = '{interval}';
SET 'restart-strategy.type' = 'exponential-delay';
SET 'restart-strategy.exponential-delay.initial-backoff' = '20 ms';
SET 'restart-strategy.exponential-delay.max-backoff' = '500 ms';
"
    )
}

/// Options of a table of files that close within a checkpoint.
pub fn files(out: &Path, format: &str) -> Result<String> {
    let out = text(out).context("the directory for the output")?;
    Ok(format!(
        "'connector' = 'filesystem', 'path' = '{out}', 'format' = '{format}',
    'sink.rolling-policy.rollover-interval' = '100 ms', 'sink.rolling-policy.check-interval' = '100 ms'"
    ))
}

/// The script, at this rate of events per second if there is one.
pub fn sql(out: &Path, events: u64, rate: Option<u64>) -> Result<String> {
    let (settings, files) = (settings(PARALLELISM, CHECKPOINTS), files(out, "debezium-json")?);
    let rate = rate.map(|rate| format!(", 'rows-per-second' = '{rate}'")).unwrap_or_default();
    Ok(format!(
        "{settings}CREATE TABLE nexmark (
  event_type INT,
  auction ROW<id BIGINT, `dateTime` TIMESTAMP(3), expires TIMESTAMP(3), category BIGINT>,
  bid ROW<auction BIGINT, price BIGINT, `dateTime` TIMESTAMP(3)>
) WITH ('connector' = 'nexmark', 'number-of-rows' = '{events}', 'nexmark.event-rate' = '10000'{rate});
CREATE TABLE averages (category BIGINT, price BIGINT) WITH ({files});
INSERT INTO averages
SELECT category, AVG(final) FROM (
  SELECT MAX(B.price) AS final, A.category AS category
  FROM (SELECT auction.id AS id, auction.category AS category, auction.`dateTime` AS opened,
               auction.expires AS expires FROM nexmark WHERE event_type = 1) A,
       (SELECT bid.auction AS auction, bid.price AS price, bid.`dateTime` AS bid_at FROM nexmark WHERE event_type = 2) B
  WHERE A.id = B.auction AND B.bid_at BETWEEN A.opened AND A.expires
  GROUP BY A.id, A.category)
GROUP BY category;
"
    ))
}
