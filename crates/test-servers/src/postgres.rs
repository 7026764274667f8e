//! A PostgreSQL cluster of its own: made anew by `initdb`, on a free port of the loopback interface, gone at the end.
//!
//! The programs are those of the machine, of any version from 12 on; when there are none they are fetched by apt.
//! PostgreSQL refuses to run as root, so root hands the cluster to the user `postgres`, which the package makes.

use crate::ports;
use crate::process::Guarded;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The administrator, who needs no password.
pub const USER: &str = "postgres";
/// Who owns the cluster when root starts it.
const SYSTEM_USER: &str = "postgres";
/// Attempts to start on a free port that another process may take in between.
const START_ATTEMPTS: u32 = 3;
/// Looks at a starting server, [`READY_PAUSE`] apart.
const READY_LOOKS: u32 = 600;
const READY_PAUSE: Duration = Duration::from_millis(100);

/// A running server.
#[derive(Debug)]
pub struct Postgres {
    directory: PathBuf,
    port: u16,
    process: Guarded,
}

impl Postgres {
    /// Starts a server with an empty database `postgres`.
    ///
    /// # Errors
    /// When the programs are not to be had or the server does not come up; the message says what to do.
    pub fn start() -> io::Result<Self> {
        let programs = programs()?;
        let mut last = io::Error::other("not tried");
        for _ in 0..START_ATTEMPTS {
            match Self::start_once(&programs) {
                Ok(server) => return Ok(server),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn start_once(programs: &Path) -> io::Result<Self> {
        let directory = tempfile::Builder::new().prefix("headwater-postgres-").tempdir()?.keep();
        if is_root() {
            finish(Command::new("chown").arg(SYSTEM_USER).arg(&directory))?;
        }
        let data = directory.join("data");
        let mut initdb = as_user(&programs.join("initdb"));
        initdb.args(["--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync", "--username", USER, "--pgdata"]);
        finish(initdb.arg(&data))?;
        let [port] = ports::free()?;
        let process = start_process(programs, &directory, &data, port)?;
        let server = Self { directory, port, process };
        server.wait_until_ready(programs)?;
        Ok(server)
    }

    fn wait_until_ready(&self, programs: &Path) -> io::Result<()> {
        for _ in 0..READY_LOOKS {
            let port = self.port.to_string();
            let mut ask = Command::new(programs.join("pg_isready"));
            ask.args(["--quiet", "--host", "127.0.0.1", "--port", &port]);
            if ask.stdout(Stdio::null()).stderr(Stdio::null()).status()?.success() {
                return Ok(());
            }
            if !self.process.is_running() {
                break;
            }
            std::thread::park_timeout(READY_PAUSE);
        }
        let log = std::fs::read_to_string(self.directory.join("server.log")).unwrap_or_default();
        Err(io::Error::other(format!("PostgreSQL did not start; its log:\n{log}")))
    }

    /// URL of the database `postgres`.
    pub fn url(&self) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/postgres", self.port)
    }

    /// Whether the server's process is there.
    pub fn is_running(&self) -> bool {
        self.process.is_running()
    }
}

fn start_process(programs: &Path, directory: &Path, data: &Path, port: u16) -> io::Result<Guarded> {
    // Nothing of a test has to survive the machine.
    let settings = [
        format!("port={port}"),
        "listen_addresses=127.0.0.1".into(),
        format!("unix_socket_directories={}", directory.display()),
        "fsync=off".into(),
        "full_page_writes=off".into(),
        "shared_buffers=256MB".into(),
    ];
    let server = programs.join("postgres");
    let mut words: Vec<String> = user_words();
    words.push(server.display().to_string());
    words.extend(["-D".to_owned(), data.display().to_string()]);
    words.extend(settings.into_iter().flat_map(|setting| ["-c".to_owned(), setting]));
    let words: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
    let (program, arguments) = words.split_first().ok_or_else(|| io::Error::other("no program"))?;
    Guarded::start(program, arguments, directory, &directory.join("server.log"))
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// What runs a program as the system user: nothing unless this is root. `setpriv` becomes the program, so that ending
/// the process ends the server.
fn user_words() -> Vec<String> {
    if !is_root() {
        return vec![];
    }
    let user = format!("--reuid={SYSTEM_USER}");
    ["setpriv", &user, "--clear-groups"].map(str::to_owned).to_vec()
}

fn as_user(program: &Path) -> Command {
    let mut words = user_words().into_iter();
    match words.next() {
        None => Command::new(program),
        Some(first) => {
            let mut command = Command::new(first);
            command.args(words).arg(program);
            command
        }
    }
}

fn finish(command: &mut Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))))
}

/// Where the server's programs are.
fn programs() -> io::Result<PathBuf> {
    if let Some(found) = find_programs() {
        return Ok(found);
    }
    if is_root() {
        finish(Command::new("apt-get").args(["install", "--yes", "--no-install-recommends", "postgresql"]))?;
    }
    find_programs().ok_or_else(|| {
        io::Error::other("PostgreSQL's programs are not there: install them, on Debian with 'apt install postgresql'")
    })
}

/// The newest version of Debian's layout, or the directory that `pg_config` tells.
fn find_programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, path)| path.join("initdb").is_file())
        .collect();
    found.sort();
    if let Some((_, path)) = found.pop() {
        return Some(path);
    }
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let path = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    path.join("initdb").is_file().then_some(path)
}
