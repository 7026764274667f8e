//! A listener that a client cannot wear out: connections are bounded in number, in silence, and in the time a request
//! may take to arrive.

use crate::Options;
use crate::stream::Stream;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use headwater_tls::Reloading;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};
use tokio_rustls::TlsAcceptor;

/// Accepts a bounded number of connections.
pub(crate) struct Bounded {
    listener: TcpListener,
    tls: Option<Arc<Reloading>>,
    slots: Arc<Semaphore>,
    timeout: Duration,
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

impl Connected<IncomingStream<'_, Bounded>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Bounded>) -> Self {
        Self(stream.remote_addr().ip())
    }
}

/// A connection that is closed when it brings no complete request within its time.
pub(crate) struct Guarded {
    stream: Stream,
    _slot: Option<OwnedSemaphorePermit>,
    timeout: Duration,
    deadline: Pin<Box<Sleep>>,
    /// Bytes have come since the last answer: the deadline stands until the next one.
    is_receiving: bool,
}

impl Bounded {
    pub(crate) fn new(listener: TcpListener, options: &Options) -> Self {
        let slots = Arc::new(Semaphore::new(options.connections_max.max(1)));
        Self { listener, tls: options.tls.clone(), slots, timeout: options.connection_timeout }
    }
}

/// Says that the certificates are others from now on, or why they are not.
fn reloaded(outcome: headwater_types::Result<()>) {
    match outcome {
        Ok(()) => tracing::info!("the certificates of the REST port were replaced: new connections use them"),
        Err(error) => {
            tracing::warn!(%error, "the certificates of the REST port have changed and cannot be used: those before stay")
        }
    }
}

impl Listener for Bounded {
    type Io = Guarded;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Guarded, SocketAddr) {
        // The semaphore is never closed.
        let slot = self.slots.clone().acquire_owned().await.ok();
        let (stream, address) = Listener::accept(&mut self.listener).await;
        let acceptor = self.tls.as_ref().map(|tls| TlsAcceptor::from(tls.server(reloaded)));
        let stream = Stream::new(stream, acceptor.as_ref());
        let deadline = Box::pin(tokio::time::sleep(self.timeout));
        (Guarded { stream, _slot: slot, timeout: self.timeout, deadline, is_receiving: false }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Guarded {
    fn restart(&mut self) {
        let deadline = Instant::now() + self.timeout;
        self.deadline.as_mut().reset(deadline);
    }
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Ready(result) => {
                if buffer.filled().len() > before && !self.is_receiving {
                    self.is_receiving = true;
                    self.restart();
                }
                Poll::Ready(result)
            }
            Poll::Pending => match self.deadline.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
                Poll::Pending => Poll::Pending,
            },
        }
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(context, bytes) {
            Poll::Ready(result) => {
                self.is_receiving = false;
                self.restart();
                Poll::Ready(result)
            }
            // A client that does not take its answer is no better than one that sends none.
            Poll::Pending => match self.deadline.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
                Poll::Pending => Poll::Pending,
            },
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
