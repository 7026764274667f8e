//! A job that reads and writes Kafka, exactly once, beside the query.

use super::processes::Cluster;
use super::{network, query};
use crate::kafka_exactly_once::{Producer, create_topics, sql, wait_until_complete};
use anyhow::{Context, Result, ensure};
use headwater_env::Env;
use headwater_test_servers::{Kafka, KafkaOptions};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Child;

/// Events per second.
const RATE: u64 = 500;
/// Subtasks of each vertex.
const PARALLELISM: u32 = 2;
/// Seconds that the job may take to write what is missing.
const PATIENCE_S: u64 = 120;

/// The job, its input and its broker.
pub struct Job {
    kafka: Kafka,
    producer: Producer,
    client: Child,
}

impl Job {
    /// Starts a broker, events and the job. With `hosts` the broker is where another host finds it.
    pub fn start(cluster: &Cluster, work: &Path, hosts: bool, env: &Env) -> Result<Self> {
        let address = if hosts { network::OUTER.parse()? } else { Ipv4Addr::LOCALHOST };
        let kafka = Kafka::start_at(address, &KafkaOptions::default()).context("no broker")?;
        create_topics(&kafka.bootstrap())?;
        let script = work.join("kafka.sql");
        let settings = query::settings(PARALLELISM, query::CHECKPOINTS);
        std::fs::write(&script, format!("{settings}{}", sql(&kafka.bootstrap())))?;
        let client = cluster.client(&script, &work.join("kafka.log"))?;
        let producer = Producer::start(&kafka.bootstrap(), RATE, env.clone())?;
        Ok(Self { kafka, producer, client })
    }

    /// Ends the input and waits until each result is there once.
    pub fn finish(mut self, env: &Env) -> Result<()> {
        let events = self.producer.finish()?;
        let found = wait_until_complete(&self.kafka.bootstrap(), events, env, PATIENCE_S);
        let ended = self.client.try_wait()?;
        let _ = self.client.kill();
        let _ = self.client.wait();
        let found = found?;
        ensure!(ended.is_none(), "the job ended by itself: {ended:?}");
        println!("chaos: Kafka: {} windows and {} totals, each exactly once", found.windows, found.totals);
        Ok(())
    }
}
