//! Nexmark results across `kill -9` and restores.
//!
//! Every recorded query runs as a chain of processes: each takes checkpoints, is killed at a random moment after some
//! of them, and the next one starts from the newest checkpoint, mostly at another parallelism. The last one runs to its
//! end. The rows in the sink must be those that one undisturbed run writes.

use super::{Answer, Golden, Query, prepare, read_answer, recorded, remove, script};
use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Parallelisms of the processes of a run: another after every kill, and the same throughout.
const LIVES: &[&[u32]] = &[&[1, 4, 2], &[4, 1, 2], &[2, 2, 2]];

/// The same for queries whose rows depend on the order of arrival.
const LIVES_IN_ORDER: &[&[u32]] = &[&[1, 1, 1]];

/// Time between checkpoints. The input is read within a second or two.
const INTERVAL: &str = "30 ms";

/// Checkpoints after which a process is killed, at most.
const CHECKPOINTS_MAX: u64 = 6;

/// Longest pause between the last of these checkpoints and the kill, milliseconds.
const PAUSE_MS_MAX: u64 = 60;

/// How often a run is repeated of which every process ended before it could be killed.
const ATTEMPTS: u64 = 5;

/// What a run needs to know.
struct Setting<'a> {
    headwater: &'a Path,
    peers: &'a Path,
    work: PathBuf,
    seed: u64,
}

/// One query with its files.
struct Run<'a> {
    setting: &'a Setting<'a>,
    golden: &'a Golden,
    out: PathBuf,
    checkpoints: PathBuf,
    /// Name of the run, from which its random numbers follow.
    label: String,
}

/// Which queries are killed.
pub struct Selection<'a> {
    /// Seed of the moments of the kills.
    pub seed: u64,
    /// Names of queries; all when empty.
    pub queries: &'a [&'a str],
    /// Whether each runs only once, with every process at another parallelism.
    pub once: bool,
}

/// Runs recorded queries with kills, and compares their rows with the recorded ones.
pub fn run(headwater: &Path, peers: &Path, selection: &Selection<'_>) -> Result<()> {
    let Selection { seed, queries, once } = *selection;
    let setting = Setting { headwater, peers, work: prepare(peers)?, seed };
    let mut wrong = vec![];
    for golden in recorded()?.iter().filter(|g| queries.is_empty() || queries.contains(&g.query.as_str())) {
        let lives = if golden.ties { LIVES_IN_ORDER } else { LIVES };
        for lives in lives.iter().take(if once { 1 } else { LIVES.len() }) {
            let (kills, got) = Run::new(&setting, golden, lives).attempts(lives)?;
            let same = got == golden.answer;
            let word = if same { "equal" } else { "DIFFERENT" };
            println!("kills: {} at parallelism {lives:?}, killed {kills} times: {word}", golden.query);
            if !same {
                let rows = golden.answer.rows;
                wrong.push(format!("{} at {lives:?}: {} rows instead of {rows}", golden.query, got.rows));
            }
        }
    }
    if !wrong.is_empty() {
        bail!("results after kills differ from Flink's (seed {seed}): {}", wrong.join("; "));
    }
    Ok(())
}

impl<'a> Run<'a> {
    fn new(setting: &'a Setting<'a>, golden: &'a Golden, lives: &[u32]) -> Self {
        let lives: Vec<_> = lives.iter().map(u32::to_string).collect();
        let label = format!("{}-killed-{}", golden.query, lives.join("-"));
        let out = setting.work.join(format!("out-{label}"));
        let checkpoints = setting.work.join(format!("checkpoints-{label}"));
        Self { setting, golden, out, checkpoints, label }
    }

    /// Runs until at least one process was killed. Answers how many were.
    fn attempts(&self, lives: &[u32]) -> Result<(usize, Answer)> {
        for attempt in 0..ATTEMPTS {
            remove(&self.out)?;
            remove(&self.checkpoints)?;
            std::fs::create_dir_all(&self.checkpoints)?;
            let kills = self.lives(lives, attempt)?;
            if kills > 0 {
                let answer = read_answer(&self.out, &self.query(1))?;
                remove(&self.out)?;
                remove(&self.checkpoints)?;
                return Ok((kills, answer));
            }
        }
        bail!("{}: every process ended before it could be killed", self.label)
    }

    /// Runs one process after another. Answers how many were killed.
    fn lives(&self, lives: &[u32], attempt: u64) -> Result<usize> {
        for (life, parallelism) in lives.iter().enumerate() {
            let mut child = Process(self.start(*parallelism)?);
            let last = life + 1 == lives.len();
            if last || !self.wait_for_kill(&mut child.0, life, attempt)? {
                let status = child.0.wait()?;
                if !status.success() && status.code().is_some() {
                    bail!("{}: process {life} failed: {}", self.label, std::fs::read_to_string(self.log())?);
                }
                return Ok(life);
            }
        }
        Ok(lives.len())
    }

    fn start(&self, parallelism: u32) -> Result<Child> {
        let setting = self.setting;
        let path = setting.work.join(format!("{}.sql", self.label));
        std::fs::write(&path, script(setting.peers, &setting.work, &self.query(parallelism), &self.out)?)?;
        let log = File::create(self.log())?;
        let directory = self.checkpoints.display().to_string();
        let mut command = Command::new(setting.headwater);
        command.arg("sql").arg("-f").arg(&path);
        let mut define = |key: &str, value: &str| _ = command.arg("-D").arg(format!("{key}={value}"));
        define("execution.checkpointing.dir", &directory);
        define("execution.checkpointing.interval", INTERVAL);
        define("execution.checkpointing.num-retained", "2");
        define("restart-strategy.type", "none");
        if self.newest().is_some() {
            define("execution.state-recovery.path", &directory);
            define("execution.state-recovery.claim-mode", "CLAIM");
        }
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        command.spawn().with_context(|| format!("{} does not start", setting.headwater.display()))
    }

    /// Waits for some checkpoints and a moment more, and kills. Whether the job still ran then.
    fn wait_for_kill(&self, child: &mut Child, life: usize, attempt: u64) -> Result<bool> {
        let checkpoints = 1 + self.random(life, attempt, "checkpoints") % (CHECKPOINTS_MAX - attempt);
        let pause_ms = self.random(life, attempt, "pause") % PAUSE_MS_MAX;
        let target = self.newest().unwrap_or(0) + checkpoints;
        while self.newest().unwrap_or(0) < target {
            if child.try_wait()?.is_some() {
                return Ok(false);
            }
            pause(1);
        }
        pause(pause_ms);
        if child.try_wait()?.is_some() {
            return Ok(false);
        }
        child.kill()?;
        child.wait()?;
        // A job that has finished deletes its checkpoints, and its rows are all there.
        Ok(self.newest() >= Some(target))
    }

    /// Number of the newest complete checkpoint of any process.
    fn newest(&self) -> Option<u64> {
        let number = |path: PathBuf| {
            let number = path.file_name()?.to_str()?.strip_prefix("chk-")?.parse().ok()?;
            path.join("_metadata").exists().then_some(number)
        };
        entries(&self.checkpoints).iter().flat_map(|job| entries(job)).filter_map(number).max()
    }

    /// A number that is the same in every run of the same seed.
    fn random(&self, life: usize, attempt: u64, what: &str) -> u64 {
        let text = format!("{} {} {life} {attempt} {what}", self.setting.seed, self.label);
        Sha256::digest(text).iter().take(7).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    fn query(&self, parallelism: u32) -> Query<'_> {
        Query { name: &self.golden.query, changelog: self.golden.changelog, parallelism }
    }

    fn log(&self) -> PathBuf {
        self.setting.work.join(format!("{}.log", self.label))
    }
}

/// A process that does not outlive an error.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

fn pause(ms: u64) {
    std::thread::park_timeout(Duration::from_millis(ms));
}
