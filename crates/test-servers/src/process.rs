//! A child process that does not outlive the one that started it.
//!
//! The child runs under a shell that reads from a pipe held by this process. However this process ends, the pipe
//! closes with it; the shell then kills the child and removes its directory. Nothing is ever ended by name.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

/// Runs `"$@"` with its output in `$LOG`, tells its process id, waits for a word, kills it.
const GUARD: &str = r#"
"$@" </dev/null >>"$LOG" 2>&1 &
child=$!
echo "$child"
word=remove
read -r word
kill -9 "$child" 2>/dev/null
wait "$child" 2>/dev/null
[ "$word" = keep ] || rm -rf "$DIRECTORY"
"#;

/// A guarded child process.
#[derive(Debug)]
pub struct Guarded {
    shell: Child,
    pipe: Option<ChildStdin>,
    id: u32,
}

impl Guarded {
    /// Starts `program`. Its output is appended to `log`; `directory` is removed when this process ends.
    ///
    /// # Errors
    /// When there is no shell or the program cannot be started.
    pub fn start(program: &OsStr, arguments: &[&OsStr], directory: &Path, log: &Path) -> io::Result<Self> {
        let mut shell = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(program)
            .args(arguments)
            .env("LOG", log)
            .env("DIRECTORY", directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let pipe = shell.stdin.take();
        let mut line = String::new();
        if let Some(output) = shell.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let id = line.trim().parse().map_err(|_| io::Error::other("the shell did not start the process"))?;
        Ok(Self { shell, pipe, id })
    }

    /// The process id of the child.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Whether the child is there.
    pub fn is_running(&self) -> bool {
        let state = std::fs::read_to_string(format!("/proc/{}/stat", self.id)).unwrap_or_default();
        let state = state.rsplit(')').next().unwrap_or_default().trim_start();
        !state.is_empty() && !state.starts_with('Z')
    }

    /// Sends a signal, such as `STOP` or `CONT`, to the child.
    ///
    /// # Errors
    /// When the child is gone.
    pub fn signal(&self, name: &str) -> io::Result<()> {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.id.to_string()).status()?;
        if status.success() { Ok(()) } else { Err(io::Error::other(format!("process {} is gone", self.id))) }
    }

    /// Kills the child and keeps its directory.
    ///
    /// # Errors
    /// When the shell cannot be waited for.
    pub fn kill(mut self) -> io::Result<()> {
        if let Some(mut pipe) = self.pipe.take() {
            writeln!(pipe, "keep")?;
        }
        self.shell.wait().map(|_| ())
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.pipe.take());
        drop(self.shell.wait());
    }
}
