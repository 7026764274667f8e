//! The PostgreSQL cluster starts, takes connections and is gone at the end.

#![allow(clippy::unwrap_used, reason = "tests")]

use headwater_test_servers::Postgres;
use std::net::TcpStream;

#[test]
fn starts_and_ends() {
    let server = Postgres::start().unwrap();
    let url = server.url();
    let address = url.split('@').nth(1).unwrap().split('/').next().unwrap().to_owned();
    assert!(TcpStream::connect(&address).is_ok());
    drop(server);
    assert!(TcpStream::connect(&address).is_err());
}
