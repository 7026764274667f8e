//! The query: Nexmark q4, the average price at which the auctions of a category close.

use super::output::{Rows, changes, rows};
use super::processes::{Cluster, PARALLELISM};
use super::{pause, text};
use anyhow::{Context, Result, bail, ensure};
use headwater_env::Env;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

/// The query on a cluster.
pub struct Running {
    client: RefCell<Child>,
    log: PathBuf,
    out: PathBuf,
}

/// Runs the query in one process, as fast as it can.
pub fn undisturbed(headwater: &Path, work: &Path, events: u64) -> Result<Rows> {
    let (script, out) = (work.join("undisturbed.sql"), work.join("undisturbed"));
    std::fs::write(&script, sql(&out, events, None)?)?;
    let output = Command::new(headwater).arg("sql").arg("-f").arg(&script).env_remove("HEADWATER_CONF_DIR").output()?;
    ensure!(output.status.success(), "the query failed: {}", String::from_utf8_lossy(&output.stderr));
    rows(&out)
}

impl Running {
    /// Submits the query at this rate of events.
    pub fn submit(cluster: &Cluster, work: &Path, events: u64, rate: u64) -> Result<Self> {
        let (script, log, out) = (work.join("query.sql"), work.join("query.log"), work.join("out"));
        std::fs::write(&script, sql(&out, events, Some(rate))?)?;
        Ok(Self { client: RefCell::new(cluster.client(&script, &log)?), log, out })
    }

    /// Waits until more is written than now.
    pub fn wait_for_output(&self, env: &Env, patience_ms: i64) -> Result<()> {
        let (before, start_ms) = (changes(&self.out), env.now_ms());
        while changes(&self.out) <= before {
            if let Some(status) = self.client.borrow_mut().try_wait()? {
                bail!("the query ended with {status} before everything was killed; raise --events: {}", self.said());
            }
            ensure!(env.now_ms() - start_ms < patience_ms, "there is no new output");
            pause(5);
        }
        Ok(())
    }

    /// Waits for the end of the query; what it wrote.
    pub fn finish(&self, env: &Env, patience_ms: i64) -> Result<Rows> {
        let start_ms = env.now_ms();
        loop {
            if let Some(status) = self.client.borrow_mut().try_wait()? {
                ensure!(status.success(), "the query ended with {status}: {}", self.said());
                return rows(&self.out);
            }
            ensure!(env.now_ms() - start_ms < patience_ms, "the query does not end: {}", self.said());
            pause(50);
        }
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut client = self.client.borrow_mut();
        let _ = client.kill();
        let _ = client.wait();
    }
}

fn sql(out: &Path, events: u64, rate: Option<u64>) -> Result<String> {
    let out = text(out).context("the directory for the output")?;
    let rate = rate.map(|rate| format!(", 'rows-per-second' = '{rate}'")).unwrap_or_default();
    Ok(format!(
        "SET 'parallelism.default' = '{PARALLELISM}';
SET 'table.dml-sync' = 'true';
SET 'execution.checkpointing.interval' = '200 ms';
SET 'restart-strategy.type' = 'exponential-delay';
SET 'restart-strategy.exponential-delay.initial-backoff' = '20 ms';
SET 'restart-strategy.exponential-delay.max-backoff' = '500 ms';
CREATE TABLE nexmark (
  event_type INT,
  auction ROW<id BIGINT, `dateTime` TIMESTAMP(3), expires TIMESTAMP(3), category BIGINT>,
  bid ROW<auction BIGINT, price BIGINT, `dateTime` TIMESTAMP(3)>
) WITH ('connector' = 'nexmark', 'number-of-rows' = '{events}', 'nexmark.event-rate' = '10000'{rate});
CREATE TABLE averages (category BIGINT, price BIGINT)
  WITH ('connector' = 'filesystem', 'path' = '{out}', 'format' = 'debezium-json',
    'sink.rolling-policy.rollover-interval' = '100 ms', 'sink.rolling-policy.check-interval' = '100 ms');
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
