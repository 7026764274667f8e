//! Free ports.

use std::io;
use std::net::{Ipv4Addr, TcpListener};

/// Ports of the loopback interface that nobody listened on a moment ago, all different.
///
/// # Errors
/// When the system has none left.
pub fn free<const N: usize>() -> io::Result<[u16; N]> {
    let mut held = Vec::with_capacity(N);
    for _ in 0..N {
        held.push(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?);
    }
    let mut ports = [0; N];
    for (port, listener) in ports.iter_mut().zip(&held) {
        *port = listener.local_addr()?.port();
    }
    Ok(ports)
}
