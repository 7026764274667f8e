//! Looking into the process that a TaskManager (or JobManager) is: the files its output goes to, its threads, what it
//! takes of its host.
//!
//! Everything is read when somebody asks, from `/proc`; where there is none, lists are empty and numbers 0. The files
//! are those that standard error and standard output are redirected to, so that nothing has to be configured twice and
//! no other file can be read. Answers are bounded: of a long file the end is told.

use headwater_connector_api::coordination;
use headwater_runtime::ProcessMemory;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

/// Bytes of a file that are told, the last ones.
pub const LOG_BYTES_MAX: u64 = 16 << 20;
/// Threads that are told.
const THREADS_MAX: usize = 1024;
/// Clock ticks of `/proc` in a second; the kernel's interface has had this value on all architectures for long.
const TICKS_PER_SECOND: u64 = 100;
/// Where the log goes, and what tasks print.
const LOG: &str = "/proc/self/fd/2";
const STDOUT: &str = "/proc/self/fd/1";

/// What somebody wants to know of a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Inspection {
    /// Which files its output goes to; that of its log is the first.
    Logs,
    /// The content of one of them.
    Log(String),
    /// What its threads do.
    Threads,
    /// What it takes of its host.
    Process,
    /// What a part of a running task answers ([`headwater_connector_api::coordination`]).
    Coordinate {
        /// Its name.
        target: String,
        /// The question, as its kind encodes it.
        request: Vec<u8>,
    },
}

/// The answer to an [`Inspection`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Inspected {
    /// To [`Inspection::Logs`].
    Logs(Vec<LogFile>),
    /// To [`Inspection::Log`]; `None` when there is no such file.
    Log(Option<Vec<u8>>),
    /// To [`Inspection::Threads`].
    Threads(Vec<ThreadStatus>),
    /// To [`Inspection::Process`].
    Process(ProcessStatus),
    /// To [`Inspection::Coordinate`]; `None` when there is nobody of that name.
    Coordinated(Option<Vec<u8>>),
}

/// A file that output goes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogFile {
    /// Its name, without directories.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was written last, milliseconds since the epoch.
    pub modified_ms: i64,
    /// Whether it holds what tasks print, and not the log.
    pub is_stdout: bool,
}

/// A thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadStatus {
    /// Its number.
    pub id: u64,
    /// Its name, at most 15 bytes.
    pub name: String,
    /// The kernel's letter for its state, such as `R` or `S`.
    pub state: char,
    /// The time it took of processors, milliseconds.
    pub cpu_ms: u64,
    /// The kernel function it waits in, where that is told.
    pub waits_in: String,
}

/// What a process takes of its host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessStatus {
    /// Memory of the host, bytes.
    pub memory_total: u64,
    /// Of this not in use, bytes.
    pub memory_available: u64,
    /// Memory of the process, bytes.
    pub memory_resident: u64,
    /// Cores it may use.
    pub cores: u32,
    /// The time it took of processors, milliseconds.
    pub cpu_ms: u64,
    /// Its threads.
    pub threads: u32,
    /// Its open files and connections.
    pub open_files: u32,
    /// What of its memory a TaskManager counts.
    pub counted: CountedMemory,
}

/// What the parts of a TaskManager's memory hold, bytes; all 0 for other processes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedMemory {
    /// Caches of state on disk, with what is on its way from them to disk and to checkpoints.
    pub cache: u64,
    /// State that is kept in memory.
    pub heap: u64,
    /// Checkpoints on their way to storage and back.
    pub checkpoints: u64,
}

impl CountedMemory {
    /// What is in use now.
    pub(crate) fn of(memory: &ProcessMemory) -> Self {
        let ProcessMemory { cache, heap, checkpoints } = memory;
        Self { cache: cache.used_bytes(), heap: heap.used_bytes(), checkpoints: checkpoints.budget.used_bytes() }
    }
}

/// Looks into this process, of whose memory nothing is counted.
pub fn inspect(what: &Inspection) -> Inspected {
    match what {
        Inspection::Logs => Inspected::Logs(outputs().iter().filter_map(file).collect()),
        Inspection::Log(name) => Inspected::Log(content(name)),
        Inspection::Threads => Inspected::Threads(threads()),
        Inspection::Process => Inspected::Process(process()),
        Inspection::Coordinate { target, request } => Inspected::Coordinated(coordination::ask(target, request)),
    }
}

/// Looks into this process, which is a TaskManager with this memory.
pub(crate) fn inspect_with(what: &Inspection, memory: &ProcessMemory) -> Inspected {
    match inspect(what) {
        Inspected::Process(status) => {
            Inspected::Process(ProcessStatus { counted: CountedMemory::of(memory), ..status })
        }
        other => other,
    }
}

/// A file that output goes to, and whether it is what tasks print.
type Output = (PathBuf, bool);

/// Where output goes, as far as it goes to files; the log is the first.
fn outputs() -> Vec<Output> {
    let of = |(output, is_stdout)| fs::read_link(output).ok().map(|path| (path, is_stdout));
    let mut outputs: Vec<Output> = [(LOG, false), (STDOUT, true)].into_iter().filter_map(of).collect();
    outputs.dedup_by(|(second, _), (first, _)| second == first);
    outputs.retain(|(path, _)| path.is_absolute() && fs::metadata(path).is_ok_and(|metadata| metadata.is_file()));
    outputs
}

fn name(path: &std::path::Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn file((path, is_stdout): &Output) -> Option<LogFile> {
    let metadata = fs::metadata(path).ok()?;
    let modified = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let modified_ms = modified.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    Some(LogFile { name: name(path), bytes: metadata.len(), modified_ms, is_stdout: *is_stdout })
}

/// The end of the file of this name.
fn content(wanted: &str) -> Option<Vec<u8>> {
    let (path, _) = outputs().into_iter().find(|(path, _)| name(path) == wanted)?;
    let mut file = File::open(path).ok()?;
    let bytes = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(bytes.saturating_sub(LOG_BYTES_MAX))).ok()?;
    let mut content = vec![];
    file.take(LOG_BYTES_MAX).read_to_end(&mut content).ok()?;
    Some(content)
}

fn threads() -> Vec<ThreadStatus> {
    let Ok(entries) = fs::read_dir("/proc/self/task") else { return vec![] };
    let mut threads: Vec<ThreadStatus> =
        entries.flatten().take(THREADS_MAX).filter_map(|entry| thread(&entry)).collect();
    threads.sort_by_key(|thread| thread.id);
    threads
}

fn thread(entry: &fs::DirEntry) -> Option<ThreadStatus> {
    let id = entry.file_name().to_str()?.parse().ok()?;
    let read = |file: &str| fs::read_to_string(entry.path().join(file)).unwrap_or_default();
    let (state, cpu_ms) = stat(&read("stat"))?;
    let waits_in = read("wchan").trim().to_owned();
    Some(ThreadStatus { id, name: read("comm").trim().to_owned(), state, cpu_ms, waits_in })
}

/// State and processor time of a line of `stat`. The name in it may hold anything, so that what follows its last
/// parenthesis is read.
fn stat(line: &str) -> Option<(char, u64)> {
    let mut fields = line.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?.chars().next()?;
    let mut ticks = fields.skip(10).map(|field| field.parse::<u64>().unwrap_or(0));
    let ticks = ticks.next()?.saturating_add(ticks.next()?);
    Some((state, ticks.saturating_mul(1000) / TICKS_PER_SECOND))
}

fn process() -> ProcessStatus {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let (host, own) = (read("/proc/meminfo"), read("/proc/self/status"));
    let open_files = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    ProcessStatus {
        memory_total: number(&host, "MemTotal:").saturating_mul(1024),
        memory_available: number(&host, "MemAvailable:").saturating_mul(1024),
        memory_resident: number(&own, "VmRSS:").saturating_mul(1024),
        cores: std::thread::available_parallelism().map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(1)),
        cpu_ms: stat(&read("/proc/self/stat")).map_or(0, |(_, cpu_ms)| cpu_ms),
        threads: u32::try_from(number(&own, "Threads:")).unwrap_or(0),
        open_files: u32::try_from(open_files).unwrap_or(0),
        counted: CountedMemory::default(),
    }
}

/// The number behind a name at the start of a line.
fn number(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()).and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_stat_is_read_behind_any_name() {
        let line = "42 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0";
        assert_eq!(stat(line), Some(('S', 2000)));
        assert_eq!(stat("42 (cut short) S 1"), None);
        assert_eq!(stat(""), None);
    }

    #[test]
    fn only_files_that_output_goes_to_are_read() {
        for name in ["../../etc/passwd", "/etc/passwd", "", "."] {
            assert_eq!(inspect(&Inspection::Log(name.to_owned())), Inspected::Log(None), "{name}");
        }
    }

    #[test]
    fn this_process_has_threads_and_memory() {
        let Inspected::Threads(threads) = inspect(&Inspection::Threads) else { panic!("threads were asked for") };
        let Inspected::Process(process) = inspect(&Inspection::Process) else { panic!("the process was asked for") };
        assert_eq!(threads.is_empty(), process.threads == 0);
        assert!(process.cores > 0);
    }
}
