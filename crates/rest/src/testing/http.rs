//! An HTTP client as simple as can be.

use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Sends bytes, says that there will be no more, and reads until the other side closes. What was read before an error
/// counts.
///
/// # Panics
/// When nobody listens.
pub fn garbage(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    exchange(address, bytes, true)
}

fn exchange(address: SocketAddr, bytes: &[u8], ends: bool) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout can be set");
    // A server that has refused already may have closed.
    let _ = stream.write_all(bytes);
    if ends {
        let _ = stream.shutdown(std::net::Shutdown::Write);
    }
    let mut answer = vec![];
    let _ = stream.read_to_end(&mut answer);
    answer
}

/// Sends a request; its status and body. `headers` are whole lines.
///
/// # Panics
/// When the answer is none of HTTP.
pub fn request(address: SocketAddr, method: &str, path: &str, body: &str, headers: &str) -> (u16, String) {
    let length = body.len();
    let text = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    );
    let answer = String::from_utf8(exchange(address, text.as_bytes(), false)).expect("answers are text");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status.unwrap_or_else(|| panic!("{method} {path}: no status in {answer:?}")), body.to_owned())
}

/// Sends a request; its status and document.
///
/// # Panics
/// When the answer is none of HTTP, or no JSON.
pub fn json(address: SocketAddr, method: &str, path: &str, body: &str) -> (u16, Value) {
    let (status, body) = request(address, method, path, body, "");
    let document = serde_json::from_str(&body).unwrap_or_else(|e| panic!("{method} {path}: {e} in {body:?}"));
    (status, document)
}
