//! Apache Kafka: one node that is broker and controller (KRaft).
//!
//! Listeners, all on loopback unless the first is wanted elsewhere: `PLAINTEXT` (whose anonymous user may do everything), `SASL_PLAINTEXT` (PLAIN and
//! SCRAM-SHA-256) and, where an `openssl` command makes the certificates, `SSL`. Users: `admin` may do everything, `guest`
//! nothing.

mod config;
mod jars;
mod tls;

pub use tls::Certificates;

use crate::ports;
use crate::process::Guarded;
use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The user that may do everything.
pub const ADMIN: &str = "admin";
/// The user that may do nothing.
pub const GUEST: &str = "guest";
/// The password of both.
pub const PASSWORD: &str = "secret-of-the-test";

/// Attempts to start on free ports that another process may take in between.
const START_ATTEMPTS: u32 = 3;
/// Looks at a starting broker, [`READY_PAUSE`] apart.
const READY_LOOKS: u32 = 600;
const READY_PAUSE: Duration = Duration::from_millis(100);

/// What a broker is like.
#[derive(Debug, Clone, Default)]
pub struct KafkaOptions {
    /// Lines for the end of `server.properties`.
    pub properties: Vec<String>,
    /// Whether to have the `SSL` listener.
    pub tls: bool,
}

/// Where a broker listens.
#[derive(Debug, Clone, Copy)]
struct Ports {
    plaintext: u16,
    sasl: u16,
    tls: u16,
    controller: u16,
}

/// A running broker.
#[derive(Debug)]
pub struct Kafka {
    /// Where the listener without security is.
    host: Ipv4Addr,
    directory: PathBuf,
    jars: PathBuf,
    ports: Ports,
    certificates: Option<Certificates>,
    process: Option<Guarded>,
}

impl Kafka {
    /// Starts a broker and waits until it answers.
    ///
    /// # Errors
    /// When Java or the jars are not to be had, or the broker does not come up; the message says what to do.
    pub fn start(options: &KafkaOptions) -> io::Result<Self> {
        Self::start_at(Ipv4Addr::LOCALHOST, options)
    }

    /// As [`Kafka::start`], with the listener without security at an address of this machine, for clients in other
    /// network namespaces.
    ///
    /// # Errors
    /// As [`Kafka::start`].
    pub fn start_at(host: Ipv4Addr, options: &KafkaOptions) -> io::Result<Self> {
        let jars = jars::directory()?;
        let mut last = io::Error::other("not tried");
        for _ in 0..START_ATTEMPTS {
            match Self::start_once(host, options, &jars) {
                Ok(kafka) => return Ok(kafka),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn start_once(host: Ipv4Addr, options: &KafkaOptions, jars: &Path) -> io::Result<Self> {
        let directory = tempfile::Builder::new().prefix("headwater-kafka-").tempdir()?.keep();
        let [plaintext, sasl, tls, controller] = ports::free()?;
        let ports = Ports { plaintext, sasl, tls, controller };
        let certificates = if options.tls { Some(Certificates::create(&directory)?) } else { None };
        let text = config::server_properties(&directory, (host, ports), certificates.as_ref(), &options.properties)?;
        std::fs::write(directory.join("server.properties"), text)?;
        let mut kafka = Self { host, directory, jars: jars.to_path_buf(), ports, certificates, process: None };
        kafka.format()?;
        kafka.start_again()?;
        Ok(kafka)
    }

    /// Makes the log directory.
    fn format(&self) -> io::Result<()> {
        let user = |name: &str| format!("SCRAM-SHA-256=[name={name},password={PASSWORD}]");
        let output = Command::new("java")
            .args(JAVA_OPTIONS)
            .arg("-cp")
            .arg(self.jars.join("*"))
            .args(["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c"])
            .arg(self.directory.join("server.properties"))
            .args(["--add-scram", &user(ADMIN), "--add-scram", &user(GUEST)])
            .stdin(Stdio::null())
            .output()
            .map_err(|e| io::Error::other(format!("Kafka needs Java 17 or newer, 'java' cannot be run: {e}")))?;
        if output.status.success() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        Err(io::Error::other(format!("Kafka's storage cannot be formatted: {text}")))
    }

    /// Starts the broker after [`Kafka::kill`], with the same ports and data, and waits until it answers.
    ///
    /// # Errors
    /// When it does not come up; the message has the end of its log.
    pub fn start_again(&mut self) -> io::Result<()> {
        let classpath = self.jars.join("*");
        let properties = self.directory.join("server.properties");
        let mut arguments: Vec<&OsStr> = JAVA_OPTIONS.iter().map(OsStr::new).collect();
        arguments.extend([OsStr::new("-cp"), classpath.as_os_str(), OsStr::new("kafka.Kafka"), properties.as_os_str()]);
        let process = Guarded::start(OsStr::new("java"), &arguments, &self.directory, &self.log())?;
        self.process = Some(process);
        self.wait_until_ready()
    }

    fn wait_until_ready(&self) -> io::Result<()> {
        for _ in 0..READY_LOOKS {
            if !self.is_running() {
                break;
            }
            if answers(self.host, self.ports.plaintext).is_ok() {
                return Ok(());
            }
            std::thread::park_timeout(READY_PAUSE);
        }
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        let tail: Vec<&str> = log.lines().rev().take(20).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        Err(io::Error::other(format!("the Kafka broker did not start; its log ends:\n{}", tail.join("\n"))))
    }

    /// Kills the broker as `kill -9` does; its data stays.
    ///
    /// # Errors
    /// When its shell cannot be waited for.
    pub fn kill(&mut self) -> io::Result<()> {
        self.process.take().map_or(Ok(()), Guarded::kill)
    }

    /// Whether the broker's process is there.
    pub fn is_running(&self) -> bool {
        self.process.as_ref().is_some_and(Guarded::is_running)
    }

    /// Process id of the broker; `None` when it was killed.
    pub fn process_id(&self) -> Option<u32> {
        self.process.as_ref().map(Guarded::id)
    }

    /// `host:port` of the listener without security.
    pub fn bootstrap(&self) -> String {
        format!("{}:{}", self.host, self.ports.plaintext)
    }

    /// `host:port` of the listener with SASL.
    pub fn bootstrap_sasl(&self) -> String {
        format!("127.0.0.1:{}", self.ports.sasl)
    }

    /// `host:port` of the listener with TLS; by name, as the certificate is for the name.
    pub fn bootstrap_tls(&self) -> String {
        format!("localhost:{}", self.ports.tls)
    }

    /// The certificates of the listener with TLS.
    pub fn certificates(&self) -> Option<&Certificates> {
        self.certificates.as_ref()
    }

    /// File with what the broker prints.
    pub fn log(&self) -> PathBuf {
        self.directory.join("broker.log")
    }
}

/// A broker for a few tests: little memory, quick to start.
const JAVA_OPTIONS: [&str; 3] = ["-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
/// Any cluster id does.
const CLUSTER_ID: &str = "aGVhZHdhdGVyLXRlc3QtMQ";

/// Asks a listener without security for the versions of its API.
fn answers(host: Ipv4Addr, port: u16) -> io::Result<()> {
    let limit = Duration::from_secs(2);
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from((host, port)), limit)?;
    stream.set_read_timeout(Some(limit))?;
    // Length, API key 18, version 0, correlation 1, no client id.
    stream.write_all(&[0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff])?;
    stream.read_exact(&mut [0; 8])
}
