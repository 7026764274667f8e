//! Real Flink 2 with OpenLineage's listener: what it tells over HTTP and through Kafka is in our lineage server.
//!
//! Flink 2 names job type and datasets in its first event only, so the hard part is a run that goes on: the last check
//! sends the same events again as if the run had begun three hours ago, and asks for the last hour.

use super::flink::{Application, Flink};
use super::server::LineageServer;
use super::{ask, broker};
use crate::compat::report::Report;
use anyhow::Result;
use headwater_test_servers::ports;
use serde_json::json;
use std::path::Path;

/// Topic of events.
const TOPIC: &str = "lineage";

/// Runs the checks.
pub fn check(headwater: &Path, files: &Path, report: &mut Report) -> Result<()> {
    let flink = Flink::prepare(files)?;
    let kafka = broker()?;
    let brokers = kafka.bootstrap();
    let server = LineageServer::start("server", headwater, files, Some((&brokers, TOPIC)))?;
    let late = LineageServer::start("late", headwater, files, None)?;

    let http = json!({"type": "http", "url": server.url});
    let job = "INSERT INTO large_orders SELECT id, amount FROM orders WHERE amount > 0;";
    let (application, rest) = start(&flink, "http", &script(&brokers, "", job), &http, files)?;
    let facts = json!({"server": server.url, "late": late.url, "kafka": brokers, "rest": rest});
    ask(include_str!("flink_openlineage_http.py"), &facts, "Flink over HTTP", report)?;
    drop(application);

    let text = "org.apache.kafka.common.serialization.StringSerializer";
    let properties = json!({"bootstrap.servers": brokers, "key.serializer": text, "value.serializer": text});
    let through = json!({"type": "kafka", "topicName": TOPIC, "properties": properties});
    let job = "INSERT INTO copies SELECT id, amount FROM orders;";
    let bounded = ", 'scan.bounded.mode' = 'latest-offset'";
    let (_application, rest) = start(&flink, "kafka", &script(&brokers, bounded, job), &through, files)?;
    let facts = json!({"server": server.url, "kafka": brokers, "rest": rest});
    ask(include_str!("flink_openlineage_kafka.py"), &facts, "Flink through Kafka", report)
}

/// An application with the listener, and where its REST API is.
fn start(
    flink: &Flink,
    name: &str,
    script: &str,
    transport: &serde_json::Value,
    files: &Path,
) -> Result<(Application, String)> {
    let [port] = ports::free()?;
    let rest = format!("http://localhost:{port}");
    // JSON is YAML.
    let options = json!({"transport": transport, "job": {"namespace": rest}, "trackingIntervalInSeconds": 1});
    Ok((flink.start(name, port, script, &options.to_string(), files)?, rest))
}

/// Fills the topic of orders, then does `job` with it.
fn script(brokers: &str, bounded: &str, job: &str) -> String {
    let options = format!("'connector' = 'kafka', 'properties.bootstrap.servers' = '{brokers}', 'format' = 'json'");
    format!(
        "CREATE TABLE made (id BIGINT, amount INT) WITH ('connector' = 'datagen', 'number-of-rows' = '1000',
           'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '1000');
CREATE TABLE orders (id BIGINT, amount INT) COMMENT 'all orders' WITH ({options}, 'topic' = 'orders',
  'scan.startup.mode' = 'earliest-offset', 'properties.group.id' = 'flink'{bounded});
CREATE TABLE large_orders (id BIGINT, amount INT) WITH ({options}, 'topic' = 'large_orders');
CREATE TABLE copies (id BIGINT, amount INT) WITH ({options}, 'topic' = 'copies');
INSERT INTO orders SELECT id, amount FROM made;
{job}
"
    )
}
