//! The jobs, whose state is bounded, and what they must write.

use crate::cluster::output::{Rows, for_each_record, rows, written_ms};
use crate::cluster::processes::Cluster;
use crate::cluster::query::settings;
use crate::cluster::running::Running;
use anyhow::{Context, Result, ensure};
use std::path::Path;
use std::process::Command;

/// Subtasks of each vertex at first.
const PARALLELISM: u32 = 2;

/// A job.
pub struct Job {
    /// Its name.
    pub name: &'static str,
    /// Columns of its output.
    columns: &'static str,
    /// Format of its files.
    format: Format,
    query: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    /// Rows.
    Json,
    /// Changes.
    Debezium,
}

/// What a job must write.
pub type Expected = Rows;

/// All jobs.
pub static ALL: [Job; 3] = [
    Job {
        name: "averages",
        columns: "category BIGINT, price BIGINT",
        format: Format::Debezium,
        // As q4; auctions and bids meet within seconds, and there are so many auctions only.
        query: "SELECT category, AVG(final) FROM (
  SELECT MAX(B.price) AS final, A.category AS category
  FROM (SELECT MOD(auction.id, 1000) AS slot, auction.id AS id, auction.category AS category, ts FROM nexmark
        WHERE event_type = 1) A,
       (SELECT bid.auction AS auction, bid.price AS price, ts FROM nexmark WHERE event_type = 2) B
  WHERE A.id = B.auction AND B.ts BETWEEN A.ts AND A.ts + INTERVAL '10' SECOND
  GROUP BY A.slot, A.category)
GROUP BY category",
    },
    Job {
        name: "windows",
        columns: "ends TIMESTAMP(3), channel BIGINT, bids BIGINT, highest BIGINT",
        format: Format::Json,
        query: "SELECT window_end, MOD(bid.auction, 100), COUNT(*), MAX(bid.price)
FROM TABLE(TUMBLE(TABLE nexmark, DESCRIPTOR(ts), INTERVAL '2' SECOND)) WHERE event_type = 2
GROUP BY window_start, window_end, MOD(bid.auction, 100)",
    },
    Job {
        name: "filter",
        columns: "auction BIGINT, price BIGINT, ts TIMESTAMP(3)",
        format: Format::Json,
        query: "SELECT bid.auction, bid.price * 2, bid.`dateTime` FROM nexmark
WHERE event_type = 2 AND MOD(bid.price, 10) = 3",
    },
];

impl Job {
    /// Runs the job in one process, as fast as it can; what it wrote.
    pub fn undisturbed(&self, headwater: &Path, work: &Path, events: u64) -> Result<Expected> {
        let (script, out) = (work.join(format!("{}.sql", self.name)), work.join(format!("{}-expected", self.name)));
        std::fs::write(&script, self.sql(&out, events, None)?)?;
        let mut command = Command::new(headwater);
        let output = command.arg("sql").arg("-f").arg(&script).env_remove("HEADWATER_CONF_DIR").output()?;
        ensure!(output.status.success(), "{} failed: {}", self.name, String::from_utf8_lossy(&output.stderr));
        let expected = self.written(&out)?;
        ensure!(!expected.is_empty(), "{} writes nothing", self.name);
        std::fs::remove_dir_all(&out)?;
        Ok(expected)
    }

    /// Submits the job at this rate of events per second.
    pub fn submit(&self, cluster: &Cluster, work: &Path, events: u64, rate: u64) -> Result<Running> {
        let own = work.join(self.name);
        std::fs::create_dir_all(&own)?;
        let out = own.join("out");
        Running::submit(cluster, &own, &self.sql(&out, events, Some(rate))?, &out, written_ms)
    }

    /// Holds what the job has written against what it must write.
    pub fn check(&self, work: &Path, expected: &Expected) -> Result<()> {
        let found = self.written(&work.join(self.name).join("out"))?;
        let differs = |a: &Rows, b: &Rows| {
            a.iter()
                .filter(|(row, count)| b.get(*row) != Some(count))
                .take(5)
                .map(|(row, _)| row.clone())
                .collect::<Vec<_>>()
        };
        let (missing, surplus) = (differs(expected, &found), differs(&found, expected));
        let name = self.name;
        ensure!(missing.is_empty() && surplus.is_empty(), "{name}: missing: {missing:?}, too many: {surplus:?}");
        println!("chaos: {name}: {} rows, each exactly once", found.values().sum::<i64>());
        Ok(())
    }

    fn written(&self, out: &Path) -> Result<Rows> {
        if self.format == Format::Debezium {
            return rows(out);
        }
        let mut found = Rows::new();
        for_each_record(out, &mut |record| {
            *found.entry(record.to_string()).or_default() += 1;
            Ok(())
        })?;
        Ok(found)
    }

    fn sql(&self, out: &Path, events: u64, rate: Option<u64>) -> Result<String> {
        let Self { columns, query, .. } = self;
        let out = out.to_str().context("a path that is text")?;
        let format = if self.format == Format::Json { "json" } else { "debezium-json" };
        let throttle = rate.map(|rate| format!(", 'rows-per-second' = '{rate}'")).unwrap_or_default();
        let settings = settings(PARALLELISM, "1 s");
        Ok(format!(
            "{settings}CREATE TABLE nexmark (
  event_type INT,
  person ROW<id BIGINT, `dateTime` TIMESTAMP(3)>,
  auction ROW<id BIGINT, `dateTime` TIMESTAMP(3), expires TIMESTAMP(3), category BIGINT>,
  bid ROW<auction BIGINT, price BIGINT, `dateTime` TIMESTAMP(3)>,
  ts AS CASE event_type WHEN 0 THEN person.`dateTime` WHEN 1 THEN auction.`dateTime` ELSE bid.`dateTime` END,
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH ('connector' = 'nexmark', 'number-of-rows' = '{events}', 'nexmark.event-rate' = '1000'{throttle});
CREATE TABLE written ({columns}) WITH ('connector' = 'filesystem', 'path' = '{out}', 'format' = '{format}',
  'sink.rolling-policy.rollover-interval' = '5 s', 'sink.rolling-policy.check-interval' = '1 s');
INSERT INTO written {query};
"
        ))
    }
}
