//! Real servers for tests, on free ports of the loopback interface.
//!
//! A server lives in a directory of its own below the system's temporary directory and dies with the process
//! that started it, also when that one is killed or keeps the server in a `static`: see [`process`]. What a
//! server needs is fetched once by the package client of its ecosystem, as that is configured on the machine,
//! and kept in the user's cache directory.

mod cache;
pub mod go;
pub mod kafka;
pub mod maven;
pub mod ports;
pub mod postgres;
pub mod process;
pub mod python;
pub mod s3;

pub use kafka::{Kafka, KafkaOptions};
pub use postgres::Postgres;
pub use s3::S3;
