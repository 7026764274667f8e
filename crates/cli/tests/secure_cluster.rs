//! Processes that talk by TLS, and those that should not get in.

#[path = "common/cluster.rs"]
mod cluster;
mod common;

use cluster::Cluster;
use common::{headwater, stderr};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

/// Writes the certificate of an authority, and one that it signed with its key, into a directory.
fn certificates(directory: &Path, name: &str) -> (String, String) {
    let mut params = CertificateParams::new(vec![]).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key can be made");
    let trusted = params.self_signed(&key).expect("it signs itself").pem();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().expect("a key can be made");
    let signed = CertificateParams::new(vec![]).expect("no names").signed_by(&key, &issuer).expect("it is signed");
    let write = |file: String, text: String| {
        let path = directory.join(file);
        std::fs::write(&path, text).expect("a temporary directory takes files");
        path.display().to_string()
    };
    (write(format!("{name}.pem"), key.serialize_pem() + &signed.pem()), write(format!("{name}-trust.pem"), trusted))
}

const SHUFFLE: &str = "SET 'table.dml-sync' = 'true'; SET 'parallelism.default' = '4';
CREATE TABLE n (id BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '20000');
CREATE TABLE b (k BIGINT, c BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO b SELECT id % 100, COUNT(*) FROM n GROUP BY id % 100;
CREATE TABLE c (n BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO c SELECT COUNT(*) FROM n;";

const ON: (&str, &str) = ("security.ssl.internal.enabled", "true");
const KEYSTORE: &str = "security.ssl.internal.keystore";
const TRUSTSTORE: &str = "security.ssl.internal.truststore";

#[test]
fn a_job_runs_by_tls_and_strangers_are_told_why_they_do_not_get_in() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (own, trusted) = certificates(directory.path(), "own");
    let (other, others) = certificates(directory.path(), "other");
    let (own, trusted) = (own.as_str(), trusted.as_str());
    let settings = [ON, (KEYSTORE, own), (TRUSTSTORE, trusted), ("headwater.exchange.compression", "zstd")];
    let cluster = Cluster::start(2, &settings);
    shuffles(&cluster);
    refuses(&cluster, &[], "the peer speaks TLS, and this process does not");
    refuses(
        &cluster,
        &[ON, (KEYSTORE, &other), (TRUSTSTORE, trusted)],
        "does not trust the certificate of this process",
    );
    refuses(&cluster, &[ON, (KEYSTORE, own), (TRUSTSTORE, &others)], "the certificate of the peer is not trusted");
    refuses(&cluster, &[ON, (TRUSTSTORE, trusted)], "'security.ssl.internal.keystore' is not set");
    swallows_garbage(&cluster);
    let port = cluster.rpc.rsplit(':').next().expect("a port");
    let stranger = headwater(&["taskmanager", "-D", &format!("jobmanager.rpc.port={port}")]);
    assert_eq!(stranger.status.code(), Some(1), "a TaskManager that cannot get in ends");
    assert!(stderr(&stranger).contains("'security.ssl.internal.enabled'"), "{}", stderr(&stranger));
    shuffles(&cluster);
    let log = std::fs::read_to_string(cluster.path("cluster/jobmanager.log")).expect("a log");
    for said in ["the peer does not speak TLS", "the certificate of the peer is not trusted"] {
        assert!(log.contains(said), "{said}: {log}");
    }
}

/// A client with these settings does not get in, and is told why.
fn refuses(cluster: &Cluster, settings: &[(&str, &str)], expected: &str) {
    let mut args = ["sql", "--jobmanager", &cluster.rpc, "-e", "SHOW JOBS"].map(str::to_owned).to_vec();
    settings.iter().for_each(|(key, value)| args.extend(["-D".to_owned(), format!("{key}={value}")]));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let refused = headwater(&args);
    assert_eq!(refused.status.code(), Some(1), "{expected}");
    assert!(stderr(&refused).contains(expected), "{expected}: {}", stderr(&refused));
}

fn swallows_garbage(cluster: &Cluster) {
    for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5], &[0; 4096]] {
        let mut stream = TcpStream::connect(&cluster.rpc).expect("it listens");
        let _ = stream.write_all(garbage);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = vec![];
        let _ = stream.read_to_end(&mut answer);
        assert!(answer.len() < 64, "no more than an alert");
    }
}

fn shuffles(cluster: &Cluster) {
    let done = cluster.call(&["sql", "--jobmanager", &cluster.rpc, "-e", SHUFFLE]);
    assert!(done.status.success(), "{}", stderr(&done));
}

#[test]
fn tls_into_a_port_without_it_is_told_so() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (own, trusted) = certificates(directory.path(), "own");
    let cluster = Cluster::start(1, &[]);
    let settings = [ON, (KEYSTORE, own.as_str()), (TRUSTSTORE, trusted.as_str())];
    refuses(&cluster, &settings, "the peer does not speak TLS");
    assert!(cluster.call(&["list"]).status.success(), "the process lives");
}
