//! Load of a catalog: sends events over HTTP to a server in this process, then asks for lineage, and prints how fast
//! both went. `cargo xtask bench lineage` runs it; see there for the options.
//!
//! The catalog is a layered graph: every job reads two datasets of one layer and writes two of the next; every
//! operation is a run of such a job, told by a START and a COMPLETE event or by the latter alone.

#![allow(clippy::print_stdout, reason = "a program that prints its results")]

use headwater_env::Env;
use headwater_lineage_server::read::iso;
use headwater_lineage_server::{Options, Server, start};
use serde_json::{Value, json};
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Events of one request.
const BATCH: usize = 1000;
/// Requests under way at once.
const SENDERS: usize = 4;
/// Datasets of one layer.
const LAYER: usize = 5000;
/// 2026-01-01.
const BEGIN_MS: u64 = 1_767_225_600_000;

struct Load {
    datasets: usize,
    operations: usize,
    events_per_operation: usize,
    queries: usize,
}

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: usize| arguments.next().and_then(|text| text.parse().ok()).unwrap_or(default);
    let load = Load {
        operations: number(1_000_000),
        events_per_operation: number(1).clamp(1, 2),
        datasets: number(100_000),
        queries: number(200),
    };
    let database = std::env::args().nth(5);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(load, database))
}

async fn run(load: Load, database: Option<String>) -> Outcome<()> {
    let directory = tempfile::tempdir()?;
    let file = format!("sqlite:{}", directory.path().join("lineage.db").display());
    let options = Options {
        listen: "127.0.0.1:0".into(),
        database: database.unwrap_or(file),
        silent_days: 3650,
        ..Options::default()
    };
    let env = Env::real();
    let server = start(options, env.clone()).await?;
    let load = Arc::new(load);
    ingest(&server, &env, &load).await?;
    for (path, name) in [("granularity=JOB", "jobs"), ("granularity=DATASET", "datasets only")] {
        ask(&server, &env, &load, path, name).await?;
    }
    server.stop().await;
    Ok(())
}

fn seconds(env: &Env, since_ns: u64) -> f64 {
    (env.clock().monotonic_ns() - since_ns) as f64 / 1e9
}

async fn ingest(server: &Server, env: &Env, load: &Arc<Load>) -> Outcome<()> {
    let total = load.operations * load.events_per_operation;
    let next = Arc::new(AtomicUsize::new(0));
    let url = format!("http://{}/api/v1/lineage", server.address());
    let begun = env.clock().monotonic_ns();
    let mut tasks = vec![];
    for _ in 0..SENDERS {
        let (load, next, url, client) = (load.clone(), next.clone(), url.clone(), reqwest::Client::new());
        tasks.push(tokio::spawn(async move {
            loop {
                let first = next.fetch_add(BATCH, Ordering::Relaxed);
                if first >= total {
                    return Outcome::Ok(());
                }
                let events: Vec<Value> = (first..total.min(first + BATCH)).map(|n| event(&load, n)).collect();
                let response = client.post(&url).json(&events).send().await?;
                if response.status() != 201 {
                    return Err(format!("status {}: {}", response.status(), response.text().await?).into());
                }
            }
        }));
    }
    for task in tasks {
        task.await??;
    }
    let took = seconds(env, begun);
    println!("ingested {total} events in {took:.1} s: {:.0} events/s", total as f64 / took);
    Ok(())
}

/// A number that looks random and is the same for the same input.
fn mix(number: usize) -> usize {
    let mut x = number as u64;
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (x ^ (x >> 31)) as usize
}

fn event(load: &Load, number: usize) -> Value {
    let operation = number / load.events_per_operation;
    let is_start = load.events_per_operation == 2 && number.is_multiple_of(2);
    let jobs = load.datasets / 2;
    let job = operation % jobs;
    // Two outputs of its own, two inputs of the layer before.
    let outputs = [job * 2, job * 2 + 1];
    let layer = outputs[0] / LAYER;
    let inputs = [1, 2].map(|n| layer.saturating_sub(1) * LAYER + mix(job * 2 + n) % LAYER);
    let at_ms = BEGIN_MS + (operation as u64) * 10;
    let id = format!("{:08x}-{:04x}-7000-8000-{:012x}", at_ms >> 16, at_ms & 0xffff, operation);
    let at = (at_ms as i64 + i64::from(!is_start)) * 1000;
    let dataset = |id: usize| {
        json!({"namespace": "postgres://db:5432", "name": format!("warehouse.public.table_{id}"),
               "facets": {"schema": {"fields": [{"name": "id", "type": "BIGINT"}, {"name": "name", "type": "STRING"}]}}})
    };
    json!({
        "eventTime": iso(at),
        "eventType": if is_start { "START" } else { "COMPLETE" },
        "producer": "https://example.com/load",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": id, "facets": {"processing_engine": {"name": "spark", "version": "3.5.1"}}},
        "job": {"namespace": "http://scheduler:8080", "name": format!("job_{job}"),
                "facets": {"jobType": {"processingType": "BATCH", "integration": "LOAD", "jobType": "JOB"}}},
        "inputs": inputs.iter().map(|id| dataset(*id)).collect::<Vec<_>>(),
        "outputs": outputs.iter().map(|id| dataset(*id)).collect::<Vec<_>>(),
    })
}

async fn ask(server: &Server, env: &Env, load: &Load, granularity: &str, name: &str) -> Outcome<()> {
    let client = reqwest::Client::new();
    let mut took = vec![];
    let mut nodes = 0;
    for query in 0..load.queries {
        let id = mix(query) % load.datasets + 1;
        let url = format!(
            "http://{}/v1/datasets/lineage?start_node_id={id}&since=2025-01-01T00:00:00Z&depth=5&{granularity}",
            server.address()
        );
        let begun = env.clock().monotonic_ns();
        let answer: Value = client.get(&url).send().await?.json().await?;
        took.push(seconds(env, begun) * 1000.0);
        nodes += answer["nodes"]["datasets"].as_object().map_or(0, |all| all.len());
    }
    took.sort_by(f64::total_cmp);
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    println!(
        "lineage of depth 5, {name}: p50 {:.1} ms, p95 {:.1} ms, most {:.1} ms; {} datasets in an answer on average",
        at(0.5),
        at(0.95),
        at(1.0),
        nodes / load.queries.max(1),
    );
    Ok(())
}
