//! Whether a process has ended, as its host tells: a connection that is refused at once has nobody who listens.
//!
//! A host that does not answer tells nothing: it may be cut off, and its process may live.

use std::io::ErrorKind;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_millis(200);

/// Whether the host of an address says that nobody listens there.
pub(super) fn refuses(address: &str) -> bool {
    let Ok(addresses) = address.to_socket_addrs() else { return false };
    let mut tried = addresses.map(|address| TcpStream::connect_timeout(&address, TIMEOUT)).peekable();
    tried.peek().is_some() && tried.all(|tried| tried.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused))
}

#[cfg(test)]
mod tests {
    use super::refuses;
    use std::net::TcpListener;

    #[test]
    fn only_a_refusal_counts() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        assert!(!refuses(&address));
        drop(listener);
        assert!(refuses(&address));
        assert!(!refuses("no such address"));
    }
}
