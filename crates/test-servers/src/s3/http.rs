//! Just enough of HTTP to look whether a server is there and to make directories.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// Longest time for an answer.
const LIMIT: Duration = Duration::from_secs(10);

/// Sends a request without a body; the status of the answer.
pub(super) fn request(method: &str, port: u16, path: &str) -> io::Result<u16> {
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )?;
    let mut head = [0; 12];
    stream.read_exact(&mut head)?;
    let status = std::str::from_utf8(&head).ok().and_then(|text| text.get(9..)?.parse().ok());
    status.ok_or_else(|| io::Error::other("the server does not speak HTTP"))
}
