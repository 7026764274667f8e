//! The first frame of each side of a connection.

use crate::compression::Codec;
use crate::frame::{self, Frame, Kind, bad};
use headwater_types::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

/// Largest greeting: bytes of a stranger are not worth more memory.
const HELLO_BYTES_MAX: usize = 4096;

/// Version of everything that processes say to each other. Rises with every change of a message or a frame.
pub const PROTOCOL: u32 = 4;

/// Who a process is, and how its connections are watched, secured and packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its name, for messages.
    pub name: String,
    /// The cluster it belongs to: processes of others are refused.
    pub cluster: String,
    /// How connections are watched.
    pub liveness: Liveness,
    /// Both sides show certificates; without it there is no TLS.
    pub tls: Option<headwater_tls::Options>,
    /// How the rows are compressed that it sends.
    pub compression: Codec,
}

/// How a connection is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Liveness {
    /// A connection that has nothing to say says so this often.
    pub interval: Duration,
    /// A peer that is silent for so long is gone.
    pub timeout: Duration,
}

impl Default for Liveness {
    fn default() -> Self {
        Self { interval: Duration::from_secs(2), timeout: Duration::from_secs(10) }
    }
}

impl Identity {
    /// A process of a cluster that watches its connections as by default, without TLS and compression.
    pub fn new(name: impl Into<String>, cluster: impl Into<String>) -> Self {
        let (name, cluster, liveness) = (name.into(), cluster.into(), Liveness::default());
        Self { name, cluster, liveness, tls: None, compression: Codec::None }
    }
}

/// What a side says first. The version comes first in every version, so that others can be told what is wrong.
#[derive(Serialize, Deserialize)]
pub(crate) struct Hello {
    protocol: u32,
    version: String,
    name: String,
    cluster: String,
}

impl Hello {
    fn of(own: &Identity) -> Self {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self { protocol: PROTOCOL, version, name: own.name.clone(), cluster: own.cluster.clone() }
    }
}

/// Exchanges greetings; the name of the peer. Waits for as long as the peer takes.
///
/// # Errors
/// When the peer is no part of this cluster or no Headwater at all.
pub(crate) async fn greet<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, own: &Identity) -> Result<String> {
    send(stream, own).await?;
    receive(stream, own).await
}

async fn send(stream: &mut (impl AsyncWrite + Unpin), own: &Identity) -> Result<()> {
    let bytes =
        postcard::to_stdvec(&Hello::of(own)).map_err(|e| Error::internal("a greeting is too odd").with_source(e))?;
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
    let hello = read_hello(&frame.payload[0])?;
    if hello.cluster != own.cluster {
        let message = format!(
            "'{}' belongs to the cluster '{}', and this process to '{}': check the addresses and the cluster ids",
            hello.name, hello.cluster, own.cluster
        );
        return Err(Error::new(ErrorKind::User, "wrong-cluster", message));
    }
    Ok(hello.name)
}

/// Reads a greeting. Of one of another version only the version is understood.
pub(crate) fn read_hello(bytes: &[u8]) -> Result<Hello> {
    let (protocol, _) = postcard::take_from_bytes::<u32>(bytes).map_err(|e| bad("its greeting").with_source(e))?;
    let hello: Option<Hello> = postcard::from_bytes(bytes).ok();
    if protocol != PROTOCOL {
        let peer = match &hello {
            Some(hello) => format!("'{}' runs Headwater {} (protocol {protocol})", hello.name, hello.version),
            None => format!("the peer speaks protocol {protocol}"),
        };
        let own = format!("this process runs Headwater {} (protocol {PROTOCOL})", env!("CARGO_PKG_VERSION"));
        let message = format!("{peer}, and {own}: run the same version on all hosts of a cluster");
        return Err(Error::new(ErrorKind::User, "wrong-version", message));
    }
    hello.ok_or_else(|| bad("its greeting"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_of_another_version_is_told_so() {
        let own = Identity::new("tm-1", "c");
        let told = |hello: &Hello| read_hello(&postcard::to_stdvec(hello).unwrap()).err();
        assert!(told(&Hello::of(&own)).is_none());
        let error = told(&Hello { protocol: 1, version: "0.0.9".into(), ..Hello::of(&own) }).unwrap();
        assert_eq!((error.kind(), error.code()), (ErrorKind::User, "wrong-version"));
        assert!(error.message().starts_with("'tm-1' runs Headwater 0.0.9 (protocol 1), and this process"), "{error}");
        let stranger = read_hello(&[77, 1, 2]).err().unwrap();
        assert!(stranger.message().starts_with("the peer speaks protocol 77"), "{stranger}");
    }
}
