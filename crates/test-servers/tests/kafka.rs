//! A broker comes up, survives a kill with its data, and goes away.

use headwater_test_servers::{Kafka, KafkaOptions};
use std::net::TcpStream;

#[test]
fn a_broker_starts_is_killed_and_starts_again() {
    let mut kafka = Kafka::start(&KafkaOptions { tls: true, properties: vec![] }).unwrap();
    let (first, bootstrap) = (kafka.process_id(), kafka.bootstrap());
    kafka.kill().unwrap();
    assert!(!kafka.is_running());
    assert!(TcpStream::connect(&bootstrap).is_err());
    kafka.start_again().unwrap();
    assert!(kafka.is_running());
    assert_ne!(kafka.process_id(), first);
    assert_eq!(kafka.bootstrap(), bootstrap);
    let log = kafka.log();
    assert!(log.exists());
    drop(kafka);
    assert!(!log.exists());
    assert!(TcpStream::connect(&bootstrap).is_err());
}
