//! Messages between processes, behind each other on a connection of their own.
//!
//! What messages mean is their users' business. A connection that breaks loses those under way; it is not dialled
//! again here, because both sides have to start over anyway.

use crate::dialer::READ_BYTES;
use crate::frame::{self, Frame, Kind, bad};
use crate::handshake::{Identity, Liveness};
use crate::listener::{bind, cannot_listen};
use crate::strangers::Strangers;
use crate::stream::{self, Open, ReadHalf};
use crate::writer;
use headwater_types::{Error, Result};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// Largest message: a plan, or what a subtask hands over for a checkpoint.
const MESSAGE_BYTES_MAX: usize = 256 << 20;

/// The receiving side of a connection.
pub struct MessageReader {
    /// Name of the peer.
    pub peer: String,
    input: BufReader<ReadHalf>,
    silence_max: Duration,
}

/// The sending side of a connection; clones share it. When all are gone the connection ends.
#[derive(Clone)]
pub struct MessageWriter {
    queue: UnboundedSender<Frame>,
}

/// Takes connections for messages.
pub struct MessageListener {
    listener: TcpListener,
    identity: Identity,
    strangers: Arc<Strangers>,
}

impl MessageListener {
    /// Listens on an address; port 0 takes any.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub fn bind(address: SocketAddr, identity: Identity, runtime: &Handle) -> Result<Self> {
        Ok(Self { listener: bind(address, runtime)?, identity, strangers: Arc::default() })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> Result<SocketAddr> {
        self.listener.local_addr().map_err(|e| cannot_listen(SocketAddr::from(([0; 4], 0)), e))
    }

    /// Whether callers show certificates.
    pub fn is_secured(&self) -> bool {
        self.identity.tls.is_some()
    }

    /// How its connections are watched.
    pub fn liveness(&self) -> Liveness {
        self.identity.liveness
    }

    /// The next caller, who has not introduced itself yet: a stranger must not hold up others.
    ///
    /// # Errors
    /// When the system gives out no connection; those who called will call again.
    pub async fn accept(&self) -> Result<Caller> {
        let (stream, from) = self.listener.accept().await.map_err(frame::broken)?;
        let (identity, strangers) = (self.identity.clone(), self.strangers.clone());
        Ok(Caller { stream, from, identity, strangers })
    }
}

/// Someone who has called.
pub struct Caller {
    stream: TcpStream,
    identity: Identity,
    strangers: Arc<Strangers>,
    /// From where.
    pub from: SocketAddr,
}

impl Caller {
    /// Whether it is known who calls: it has to show a certificate, or it is a process of this host.
    pub fn is_known(&self) -> bool {
        let here = self.stream.local_addr().ok().map(|here| here.ip());
        self.identity.tls.is_some() || is_of_this_host(self.from.ip(), here)
    }

    /// Exchanges certificates, where TLS is on, and greetings.
    ///
    /// # Errors
    /// When the caller is no part of this cluster.
    pub async fn greet(self) -> Result<(MessageReader, MessageWriter)> {
        let opened = self.strangers.admit(stream::answer(self.stream, &self.identity)).await?;
        Ok(start(opened, &self.identity))
    }
}

/// Whether a connection `from` an address to another one, `here`, comes from the host that both are of.
fn is_of_this_host(from: IpAddr, here: Option<IpAddr>) -> bool {
    let from = from.to_canonical();
    from.is_loopback() || here.is_some_and(|here| here.to_canonical() == from)
}

/// Calls the process at `address`, host and port.
///
/// # Errors
/// When it cannot be reached, or is no part of this cluster.
pub async fn dial(address: &str, identity: &Identity) -> Result<(MessageReader, MessageWriter)> {
    let opened = stream::dial(address, identity).await.map_err(|error| error.context(format_args!("'{address}'")))?;
    Ok(start(opened, identity))
}

fn start(opened: Open, identity: &Identity) -> (MessageReader, MessageWriter) {
    let Open { peer, input, mut output } = opened;
    let (queue, frames) = unbounded_channel();
    let liveness = identity.liveness;
    tokio::spawn(async move {
        if let Err(error) = writer::write(&mut output, frames, liveness).await {
            tracing::debug!(error = error.message(), "a message connection ended");
        }
    });
    let input = BufReader::with_capacity(READ_BYTES, input);
    (MessageReader { peer, input, silence_max: liveness.timeout }, MessageWriter { queue })
}

impl MessageReader {
    /// The next message; `None` when the peer ended the connection.
    ///
    /// # Errors
    /// When the connection breaks, the peer falls silent, or sends something else.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        loop {
            let next = tokio::time::timeout(self.silence_max, frame::read(&mut self.input, MESSAGE_BYTES_MAX)).await;
            let next = next.map_err(|_| Error::retryable("connection-silent", "the peer fell silent"))?;
            let Some(frame) = next? else { return Ok(None) };
            match frame.header.kind {
                Kind::Beat => {}
                Kind::Message => return Ok(frame.payload.first().map(|bytes| bytes.to_vec())),
                other => return Err(bad(format!("a {other:?} frame is no message"))),
            }
        }
    }
}

impl MessageWriter {
    /// Whether the connection has ended.
    pub fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }

    /// Queues a message.
    ///
    /// # Errors
    /// When the connection has ended.
    pub fn send(&self, message: Vec<u8>) -> Result<()> {
        let ended = |_| Error::retryable("connection-closed", "the connection has ended");
        self.queue.send(Frame::of_bytes(Kind::Message, 0, message)).map_err(ended)
    }
}

#[cfg(test)]
mod tests {
    use super::is_of_this_host;

    #[test]
    fn whoever_calls_from_the_address_it_calls_is_here() {
        for (from, here, expected) in [
            ("127.0.0.1", "127.0.0.1", true),
            ("::1", "::1", true),
            ("::ffff:127.0.0.1", "::ffff:127.0.0.1", true),
            ("10.0.0.7", "10.0.0.7", true),
            ("::ffff:10.0.0.7", "10.0.0.7", true),
            ("10.0.0.8", "10.0.0.7", false),
            ("0.0.0.0", "10.0.0.7", false),
        ] {
            let here = here.parse().unwrap();
            assert_eq!(is_of_this_host(from.parse().unwrap(), Some(here)), expected, "{from} calls {here}");
        }
        assert!(!is_of_this_host("10.0.0.7".parse().unwrap(), None));
    }
}
