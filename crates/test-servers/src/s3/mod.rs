//! An S3 server: SeaweedFS with one volume server and its S3 gateway.
//!
//! It checks signatures, does conditional puts and multipart uploads, and knows two users: the administrator of
//! [`ACCESS_KEY`] and a guest of [`GUEST_ACCESS_KEY`] who may do nothing with buckets but one named `public`. Buckets
//! are made by [`S3::create_bucket`], never by a write.

mod binary;
mod http;

use crate::ports;
use crate::process::Guarded;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

/// Access key of the administrator.
pub const ACCESS_KEY: &str = "test-access-key";
/// Secret key of the administrator.
pub const SECRET_KEY: &str = "test-secret-key";
/// Access key of the guest.
pub const GUEST_ACCESS_KEY: &str = "guest-access-key";
/// Secret key of the guest.
pub const GUEST_SECRET_KEY: &str = "guest-secret-key";

/// Attempts to start on free ports that another process may take in between.
const START_ATTEMPTS: u32 = 3;
/// Looks at a starting server, [`READY_PAUSE`] apart.
const READY_LOOKS: u32 = 600;
const READY_PAUSE: Duration = Duration::from_millis(100);

/// The users, as the server reads them.
fn users() -> String {
    let user = |name: &str, access: &str, secret: &str, actions: &str| {
        format!(
            "{{\"name\":\"{name}\",\"credentials\":[{{\"accessKey\":\"{access}\",\"secretKey\":\"{secret}\"}}],\
             \"actions\":[{actions}]}}"
        )
    };
    let admin = user("admin", ACCESS_KEY, SECRET_KEY, "\"Admin\",\"Read\",\"Write\",\"List\",\"Tagging\"");
    let guest = user("guest", GUEST_ACCESS_KEY, GUEST_SECRET_KEY, "\"Read:public\"");
    format!("{{\"identities\":[{admin},{guest}]}}")
}

/// Where the parts of the server listen, each with its port for calls between them.
#[derive(Debug, Clone, Copy)]
struct Ports {
    master: [u16; 2],
    volume: [u16; 2],
    filer: [u16; 2],
    s3: [u16; 2],
}

/// A running server.
#[derive(Debug)]
pub struct S3 {
    directory: PathBuf,
    program: PathBuf,
    ports: Ports,
    process: Option<Guarded>,
}

impl S3 {
    /// Starts a server and waits until it takes writes.
    ///
    /// # Errors
    /// When the program is not to be had or the server does not come up; the message says what to do.
    pub fn start() -> io::Result<Self> {
        let program = binary::path()?;
        let mut last = io::Error::other("not tried");
        for _ in 0..START_ATTEMPTS {
            match Self::start_once(&program) {
                Ok(server) => return Ok(server),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// The server of all tests of a process, with this bucket; it goes with the process.
    ///
    /// # Panics
    /// When it does not start, or the bucket cannot be made.
    #[allow(clippy::expect_used, reason = "a test cannot go on without its server")]
    pub fn shared(bucket: &str) -> &'static Self {
        static SERVER: OnceLock<S3> = OnceLock::new();
        SERVER.get_or_init(|| {
            let server = Self::start().expect("the S3 server starts");
            server.create_bucket(bucket).expect("the bucket is made");
            server
        })
    }

    fn start_once(program: &Path) -> io::Result<Self> {
        let directory = tempfile::Builder::new().prefix("headwater-s3-").tempdir()?.keep();
        std::fs::create_dir_all(directory.join("data"))?;
        std::fs::write(directory.join("users.json"), users())?;
        let [a, b, c, d, e, f, g, h] = ports::free()?;
        let ports = Ports { master: [a, b], volume: [c, d], filer: [e, f], s3: [g, h] };
        let mut server = Self { directory, program: program.to_path_buf(), ports, process: None };
        server.start_again()?;
        Ok(server)
    }

    /// Starts the server after [`S3::kill`], with the same ports and data, and waits until it takes writes.
    ///
    /// # Errors
    /// When it does not come up; the message has the end of its log.
    pub fn start_again(&mut self) -> io::Result<()> {
        let arguments = self.arguments();
        let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
        let process = Guarded::start(self.program.as_os_str(), &arguments, &self.directory, &self.log())?;
        self.process = Some(process);
        self.wait_until_ready()
    }

    fn arguments(&self) -> Vec<String> {
        let path = |name: &str| self.directory.join(name).to_string_lossy().into_owned();
        let mut arguments: Vec<String> =
            ["server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3", "-s3.autoCreateBucket=false"]
                .map(String::from)
                .to_vec();
        // Nothing but what was asked for: no reports to its makers, no other services.
        arguments.extend(
            ["-master.telemetry=false", "-s3.iam=false", "-s3.port.iceberg=0", "-s3.port.lance=0"].map(String::from),
        );
        arguments
            .extend(["-volume.max=20", "-master.volumeSizeLimitMB=64", "-master.electionTimeout=1s"].map(String::from));
        let Ports { master, volume, filer, s3 } = self.ports;
        for (part, [port, calls]) in [("master", master), ("volume", volume), ("filer", filer), ("s3", s3)] {
            arguments.push(format!("-{part}.port={port}"));
            arguments.push(format!("-{part}.port.grpc={calls}"));
        }
        arguments.push(format!("-dir={}", path("data")));
        arguments.push(format!("-s3.config={}", path("users.json")));
        arguments.push(format!("-filer.localSocket={}", path("filer.sock")));
        arguments.push(format!("-s3.localSocket={}", path("s3.sock")));
        arguments
    }

    fn wait_until_ready(&self) -> io::Result<()> {
        for _ in 0..READY_LOOKS {
            if !self.is_running() {
                break;
            }
            // The gateway answers before the volumes are there, so a write through the filer is tried.
            if http::request("GET", self.ports.s3[0], "/").is_ok() && self.takes_writes() {
                return Ok(());
            }
            std::thread::park_timeout(READY_PAUSE);
        }
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        let tail: Vec<&str> = log.lines().rev().take(20).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        Err(io::Error::other(format!("the S3 server did not start; its log ends:\n{}", tail.join("\n"))))
    }

    /// Whether the master has a volume for a write.
    fn takes_writes(&self) -> bool {
        http::request("GET", self.ports.master[0], "/dir/assign").is_ok_and(|status| status == 200)
    }

    /// Makes a bucket.
    ///
    /// # Errors
    /// When the server does not make it.
    pub fn create_bucket(&self, name: &str) -> io::Result<()> {
        match http::request("POST", self.ports.filer[0], &format!("/buckets/{name}/"))? {
            200..300 => Ok(()),
            status => Err(io::Error::other(format!("the server does not make the bucket '{name}': status {status}"))),
        }
    }

    /// Kills the server as `kill -9` does; its data stays.
    ///
    /// # Errors
    /// When its shell cannot be waited for.
    pub fn kill(&mut self) -> io::Result<()> {
        self.process.take().map_or(Ok(()), Guarded::kill)
    }

    /// Whether the server's process is there.
    pub fn is_running(&self) -> bool {
        self.process.as_ref().is_some_and(Guarded::is_running)
    }

    /// URL of the server, as the option `s3.endpoint` takes it.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.s3[0])
    }

    /// The configuration of a client of the administrator.
    pub fn settings(&self) -> [(&'static str, String); 3] {
        [
            ("s3.endpoint", self.endpoint()),
            ("s3.access-key", ACCESS_KEY.to_owned()),
            ("s3.secret-key", SECRET_KEY.to_owned()),
        ]
    }

    /// [`S3::settings`], and behind them others, which may replace them.
    pub fn settings_and<'a>(&self, others: &'a [(&'a str, &'a str)]) -> impl Iterator<Item = (&'a str, String)> {
        self.settings().into_iter().chain(others.iter().map(|(key, value)| (*key, (*value).to_owned())))
    }

    /// File with what the server prints.
    pub fn log(&self) -> PathBuf {
        self.directory.join("server.log")
    }
}
