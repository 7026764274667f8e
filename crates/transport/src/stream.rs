//! How connections begin: dialled or accepted, secured where TLS is on, then introduced.
//!
//! Certificates are read for every connection, so that those that were replaced are used without a restart. A
//! connection that is refused is not closed at once: what was sent about it would be lost with it.

use crate::frame;
use crate::handshake::{Identity, greet};
use headwater_types::{Error, Result};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// How long a peer may take to answer a call.
const DIAL_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the reason of a refusal may take to arrive, and how much of what the peer still sends is swallowed meanwhile.
const LINGER: (Duration, usize) = (Duration::from_secs(1), 64 << 10);
/// What a connection is called in the handshake: names are not checked, see `headwater_tls`.
const SERVER_NAME: &str = "headwater";

/// Code of the error of a caller that ended its connection before it sent a byte.
const SILENT: &str = "caller-silent";

/// Whether a caller only looked whether somebody listens, as health probes do every few seconds: nothing that an operator
/// wants to read about.
pub fn is_probe(error: &Error) -> bool {
    error.code() == SILENT
}

/// Where bytes come from.
pub(crate) type ReadHalf = Box<dyn AsyncRead + Send + Unpin>;
/// Where bytes go.
pub(crate) type WriteHalf = Box<dyn AsyncWrite + Send + Unpin>;

/// A connection to a process of this cluster.
pub(crate) struct Open {
    /// Its name.
    pub(crate) peer: String,
    pub(crate) input: ReadHalf,
    pub(crate) output: WriteHalf,
}

/// Calls the process at `address`, host and port.
///
/// # Errors
/// When it cannot be reached, or is no part of this cluster.
pub(crate) async fn dial(address: &str, own: &Identity) -> Result<Open> {
    let unreachable = |why: String| Error::retryable("peer-unreachable", format!("it cannot be reached: {why}"));
    let stream = match tokio::time::timeout(DIAL_TIMEOUT, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(e)) => return Err(unreachable(e.to_string()).with_source(e)),
        Err(_) => return Err(unreachable("it did not answer in time".to_owned())),
    };
    in_time(call(stream, own), own).await
}

/// Takes the call of a process.
///
/// # Errors
/// When it is no part of this cluster.
pub(crate) async fn answer(stream: TcpStream, own: &Identity) -> Result<Open> {
    in_time(accept(stream, own), own).await
}

/// Certificates and greeting may together take as long as silence may.
async fn in_time(opened: impl Future<Output = Result<Open>>, own: &Identity) -> Result<Open> {
    match tokio::time::timeout(own.liveness.timeout, opened).await {
        Ok(opened) => opened,
        Err(_) => Err(Error::retryable("transport-silent", "the peer did not introduce itself in time")),
    }
}

async fn call(mut stream: TcpStream, own: &Identity) -> Result<Open> {
    stream.set_nodelay(true).map_err(frame::broken)?;
    let Some(tls) = &own.tls else {
        let peer = greet(&mut stream, own).await?;
        return Ok(plain(peer, stream));
    };
    let connector = TlsConnector::from(tls.client().map_err(not_now)?);
    let name = ServerName::try_from(SERVER_NAME).map_err(|e| Error::internal("the name is one").with_source(e))?;
    let mut secure = connector.connect(name, stream).await.map_err(not_secured)?;
    let peer = greet(&mut secure, own).await?;
    Ok(secured(peer, secure))
}

async fn accept(mut stream: TcpStream, own: &Identity) -> Result<Open> {
    stream.set_nodelay(true).map_err(frame::broken)?;
    // Both sides speak first, so nobody waits in vain.
    if !matches!(stream.peek(&mut [0; 1]).await, Ok(1..)) {
        return Err(Error::retryable(SILENT, "the caller hung up without a word"));
    }
    let Some(tls) = &own.tls else {
        return match greet(&mut stream, own).await {
            Ok(peer) => Ok(plain(peer, stream)),
            Err(error) => refuse(stream, error).await,
        };
    };
    let acceptor = TlsAcceptor::from(tls.server().map_err(not_now)?);
    let mut secure = match acceptor.accept(stream).into_fallible().await {
        Ok(secure) => secure,
        Err((error, stream)) => return refuse(stream, not_secured(error)).await,
    };
    match greet(&mut secure, own).await {
        Ok(peer) => Ok(secured(peer, secure)),
        Err(error) => refuse(secure, error).await,
    }
}

fn plain(peer: String, stream: TcpStream) -> Open {
    let (input, output) = stream.into_split();
    Open { peer, input: Box::new(input), output: Box::new(output) }
}

fn secured<S: AsyncRead + AsyncWrite + Send + 'static>(peer: String, stream: S) -> Open {
    let (input, output) = tokio::io::split(stream);
    Open { peer, input: Box::new(input), output: Box::new(output) }
}

/// Lets the peer hear why: a connection that is closed while bytes wait is reset, and what was sent is lost.
async fn refuse<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, error: Error) -> Result<Open> {
    let swallow = async {
        let _ = stream.shutdown().await;
        let (mut bytes, mut left) = ([0; 1024], LINGER.1);
        while left > 0 {
            match stream.read(&mut bytes).await {
                Ok(0) | Err(_) => return,
                Ok(read) => left = left.saturating_sub(read),
            }
        }
    };
    let _ = tokio::time::timeout(LINGER.0, swallow).await;
    Err(error)
}

/// A file that cannot be read at this moment may be about to be replaced; those of the start were checked then.
fn not_now(error: Error) -> Error {
    Error::retryable("tls-not-ready", error.message().to_owned()).with_source(error)
}

/// The error of a handshake.
fn not_secured(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            let message = "the peer hung up during the TLS handshake: 'security.ssl.internal.enabled' has to be the \
                           same in all processes";
            Error::retryable("tls-failed", message).with_source(error)
        }
        _ => frame::broken(error),
    }
}
