//! The first frame of each side of a connection.

use crate::frame::{self, Frame, Kind, bad};
use headwater_types::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

/// Largest greeting: bytes of a stranger are not worth more memory.
const HELLO_BYTES_MAX: usize = 4096;
/// How long a stranger may take for it.
const HELLO_TIMEOUT: Duration = Duration::from_secs(10);

/// Who a process is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its name, for messages.
    pub name: String,
    /// The cluster it belongs to: processes of others are refused.
    pub cluster: String,
}

/// What a side says first.
#[derive(Serialize, Deserialize)]
pub(crate) struct Hello {
    name: String,
    cluster: String,
}

/// Exchanges greetings; the name of the peer.
///
/// # Errors
/// When the peer is silent, no part of this cluster or no Headwater at all.
pub(crate) async fn greet<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, own: &Identity) -> Result<String> {
    let exchange = async {
        send(stream, own).await?;
        receive(stream, own).await
    };
    match tokio::time::timeout(HELLO_TIMEOUT, exchange).await {
        Ok(peer) => peer,
        Err(_) => Err(Error::retryable("transport-silent", "the peer did not introduce itself in time")),
    }
}

async fn send(stream: &mut (impl AsyncWrite + Unpin), own: &Identity) -> Result<()> {
    let hello = Hello { name: own.name.clone(), cluster: own.cluster.clone() };
    let bytes = postcard::to_stdvec(&hello).map_err(|e| Error::internal("a greeting is too odd").with_source(e))?;
    let frame = Frame::of_bytes(Kind::Hello, 0, bytes);
    stream.write_all(&frame.encode_header()?).await.map_err(frame::broken)?;
    stream.write_all(&frame.payload[0]).await.map_err(frame::broken)?;
    stream.flush().await.map_err(frame::broken)
}

async fn receive(stream: &mut (impl AsyncRead + Unpin), own: &Identity) -> Result<String> {
    let frame = frame::read(stream, HELLO_BYTES_MAX).await?;
    let frame = frame.ok_or_else(|| Error::retryable("transport-refused", "the peer hung up without a word"))?;
    if frame.header.kind != Kind::Hello {
        return Err(bad("a connection starts with a greeting"));
    }
    let hello: Hello = postcard::from_bytes(&frame.payload[0]).map_err(|e| bad("its greeting").with_source(e))?;
    if hello.cluster != own.cluster {
        let message = format!(
            "'{}' belongs to the cluster '{}', and this process to '{}': check the addresses and the cluster ids",
            hello.name, hello.cluster, own.cluster
        );
        return Err(Error::new(ErrorKind::User, "wrong-cluster", message));
    }
    Ok(hello.name)
}
