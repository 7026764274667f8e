//! The running server: parts put together, and a handle to it.

use crate::app::{App, Signals};
use crate::auth::Auth;
use crate::error::{Error, Result};
use crate::metrics::Metrics;
use crate::options::Options;
use crate::store::Database;
use crate::{api, ingest, maintenance, webhooks};
use headwater_env::Env;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A running server.
pub struct Server {
    address: SocketAddr,
    app: App,
    stop: watch::Sender<bool>,
    http: JoinHandle<()>,
    writer: JoinHandle<()>,
    others: Vec<JoinHandle<()>>,
}

/// Starts a server; it listens when this returns.
///
/// # Errors
/// When an option makes no sense, the address is taken, or the database cannot be used.
pub async fn start(options: Options, env: Env) -> Result<Server> {
    options.check()?;
    let database = Database::open(&options.database).await?;
    let metrics = Arc::new(Metrics::default());
    let (hooks, notices) = webhooks::service(database.clone(), metrics.clone())?;
    let signals = Signals::new(env.clone(), metrics, notices);
    let name = format!("{:016x}{:016x}", env.random_u64(), env.random_u64());
    let (writer, handle) = ingest::service(database.clone(), name, signals.clone());
    let auth = Auth::open(&options, &database, || env.random_u64()).await?;
    let listener = TcpListener::bind(&options.listen)
        .await
        .map_err(|source| Error::Io { what: format!("listening on {}", options.listen), source })?;
    let address = listener.local_addr().map_err(|source| Error::Io { what: "the listening address".into(), source })?;
    let app = App::new(options, database, handle, auth, signals);
    let (stop, stopped) = watch::channel(false);
    let mut others = vec![tokio::spawn(hooks.run()), tokio::spawn(maintenance::run(app.clone(), stopped.clone()))];
    others.extend(start_kafka(&app, &stopped)?);
    let http = tokio::spawn(listen(listener, app.clone(), stopped));
    Ok(Server { address, app, stop, http, writer: tokio::spawn(writer.run()), others })
}

#[cfg(feature = "kafka")]
fn start_kafka(app: &App, stopped: &watch::Receiver<bool>) -> Result<Option<JoinHandle<()>>> {
    let Some(options) = &app.options().kafka else { return Ok(None) };
    let consumer = ingest::kafka::Consumer::open(options)?;
    Ok(Some(tokio::spawn(consumer.run(app.clone(), stopped.clone()))))
}

#[cfg(not(feature = "kafka"))]
fn start_kafka(_: &App, _: &watch::Receiver<bool>) -> Result<Option<JoinHandle<()>>> {
    Ok(None)
}

async fn listen(listener: TcpListener, app: App, mut stopped: watch::Receiver<bool>) {
    let router = api::router(app);
    let until = async move {
        stopped.wait_for(|stop| *stop).await.ok();
    };
    if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(until).await {
        tracing::error!(%error, "the lineage server ended");
    }
}

impl Server {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its inside, for tests and tools.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Stops it: requests under way are answered, what they sent is stored.
    pub async fn stop(self) {
        self.stop.send(true).ok();
        // Connections that stay open without a request must not hold the end up.
        if tokio::time::timeout(std::time::Duration::from_secs(5), self.http).await.is_err() {
            tracing::debug!("connections were still open");
        }
        for task in &self.others {
            task.abort();
        }
        drop(self.app);
        tokio::time::timeout(std::time::Duration::from_secs(30), self.writer).await.ok();
    }
}

/// Runs a server until the process is told to end.
///
/// # Errors
/// See [`start`].
pub async fn serve(options: Options) -> headwater_types::error::Result<()> {
    let server = start(options, Env::real()).await?;
    tracing::info!(address = %server.address(), "the lineage server listens");
    wait_for_end().await;
    server.stop().await;
    Ok(())
}

/// Waits for Ctrl-C or, on Unix, the signal to terminate.
async fn wait_for_end() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    interrupt.await.ok();
}
