//! What a socket does by itself: buffers of the size of a batch from one process to another.

use crate::figures::{Received, cpu_s};
use crate::loopback;
use crate::rows::Rows;
use headwater_types::{Error, Result};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

/// Receives until the sender ends.
pub fn receive(rows: usize) -> Result<()> {
    let listener = TcpListener::bind(loopback()).map_err(broken)?;
    println!("{}", listener.local_addr().map_err(broken)?);
    let (mut stream, _) = listener.accept().map_err(broken)?;
    let mut buffer = vec![0; Rows::new(rows).batch(0, 0)?.bytes()];
    let mut received = Received::default();
    loop {
        match stream.read(&mut buffer).map_err(broken)? {
            0 => break,
            bytes => received.take(0, bytes, 0),
        }
    }
    received.print();
    Ok(())
}

/// Sends so many bytes.
pub fn send(address: &str, rows: usize, bytes: u64) -> Result<()> {
    let mut stream = TcpStream::connect(address).map_err(broken)?;
    stream.set_nodelay(true).map_err(broken)?;
    let size = Rows::new(rows).batch(0, 0)?.bytes();
    // As many buffers as there are batches, so that the caches hold as much of them.
    let buffers: Vec<Vec<u8>> = (0..16u8).map(|fill| vec![fill; size]).collect();
    let mut sent = 0;
    for buffer in buffers.iter().cycle() {
        stream.write_all(buffer).map_err(broken)?;
        sent += size as u64;
        if sent >= bytes {
            break;
        }
    }
    println!("rows=0 bytes={sent} cpu_s={}", cpu_s());
    Ok(())
}

fn broken(e: std::io::Error) -> Error {
    Error::internal("the plain socket").with_source(e)
}
