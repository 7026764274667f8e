//! Metrics for Prometheus, traces for OpenTelemetry, and the diagnosis of a job.

use crate::fixture::Fixture;
use headwater_rest::testing::http;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpListener;

#[test]
fn prometheus_reads_all_metrics_with_flinks_names() {
    let fixture = Fixture::new(&[]);
    let (status, page) = http::request(fixture.address(), "GET", "/metrics", "", "");
    assert_eq!(status, 200);
    let job = fixture.job.id();
    for series in [
        "flink_jobmanager_numRunningJobs{} 1".to_owned(),
        format!("flink_jobmanager_job_numberOfCompletedCheckpoints{{job_id=\"{job}\","),
        "flink_taskmanager_Status_JVM_Memory_Heap_Used{host=\"localhost\",tm_id=\"local\",} ".to_owned(),
        format!("flink_taskmanager_job_task_numRecordsOut{{host=\"localhost\",tm_id=\"local\",job_id=\"{job}\","),
        "flink_taskmanager_job_task_operator_numRecordsIn{".to_owned(),
        "# TYPE flink_taskmanager_job_task_busyTimeMsPerSecond gauge".to_owned(),
    ] {
        assert!(page.contains(&series), "{series} is not in\n{page}");
    }
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let value = line.rsplit(' ').next().and_then(|value| value.parse::<f64>().ok());
        assert!(value.is_some() && line.contains("} "), "{line}");
    }
}

#[test]
fn a_job_that_is_well_is_said_to_be() {
    let fixture = Fixture::new(&[]);
    let path = format!("/jobs/{}", fixture.job.id());
    // Rows have come out.
    while fixture.get(&path)["vertices"][1]["metrics"]["read-records"] == 0 {}
    let diagnosis = fixture.get(&format!("{path}/diagnosis"));
    assert_eq!(diagnosis["state"], "RUNNING");
    let summary = diagnosis["summary"].as_str().expect("a text");
    assert!(summary.starts_with("Nothing stands in the way: "), "{diagnosis}");
    fixture.job.cancel();
    fixture.job.wait();
    let diagnosis = fixture.get(&format!("{path}/diagnosis"));
    assert_eq!(diagnosis["findings"][0]["kind"], "job-ended", "{diagnosis}");
}

#[test]
fn checkpoints_and_starts_of_jobs_are_traced() {
    let collector = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = format!("http://{}", collector.local_addr().expect("it is bound"));
    let key = "traces.reporter.otel.exporter.endpoint";
    let fixture = Fixture::new(&[(key, &endpoint), ("execution.checkpointing.interval", "200 ms")]);
    let mut names = std::collections::BTreeSet::new();
    while !["JobInitialization", "VertexInitialization", "Checkpoint"].iter().all(|name| names.contains(*name)) {
        let document = collected(&collector);
        for span in document["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().expect("spans") {
            assert_eq!(span["traceId"], fixture.job.id().to_string(), "{span}");
            let time = |key: &str| span[key].as_str().and_then(|nanos| nanos.parse::<u64>().ok()).expect("a time");
            assert!(time("startTimeUnixNano") <= time("endTimeUnixNano"), "{span}");
            names.insert(span["name"].as_str().expect("a name").to_owned());
        }
    }
}

/// The document of the next request to a collector.
fn collected(collector: &TcpListener) -> Value {
    let (mut stream, _) = collector.accept().expect("a request comes");
    let mut request = vec![];
    let mut part = [0; 4096];
    loop {
        let count = stream.read(&mut part).expect("the request arrives");
        request.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_ascii_lowercase();
        assert!(head.starts_with("post /v1/traces "), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
        if length.is_some_and(|length: usize| body.len() >= length) {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}").expect("it reads");
            return serde_json::from_str(body).expect("a document");
        }
    }
}
