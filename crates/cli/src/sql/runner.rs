//! Jobs in the foreground: rows to the terminal, Ctrl-C, the live line.

use super::Ending;
use super::client::Trouble;
use super::interrupts::{Interrupts, Kept};
use crate::args::Format;
use crate::output::{self, Shape, Terminal};
use crate::progress::{Ends, Progress};
use crate::signals;
use headwater_embedded::{Engine, JobHandle, JobResult, JobState, Polled};
use headwater_sql::planner::{PlannedJob, PlannedQuery};
use headwater_sql::zone::session_zone;
use headwater_types::{Error, LogicalType};

use headwater_types::config::{self, Configuration, Key};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

/// How long a wait for a job lasts before interrupts and the live line are looked at.
const TURN: Duration = Duration::from_millis(50);

/// `table.display.max-column-width`, with its older name.
const COLUMN_WIDTH: Key = Key { name: "table.display.max-column-width", default: "30" };
const COLUMN_WIDTH_CLIENT: &str = "sql-client.display.max-column-width";

/// How the rows of a query are shown: an `op` column unless the result is a batch's.
pub fn shape(columns: &[(String, LogicalType)], config: &Configuration, format: Format) -> Result<Shape, Trouble> {
    let is_batch = config.text(config::RUNTIME_MODE).eq_ignore_ascii_case("batch");
    let width = match (config.get(COLUMN_WIDTH.name), config.get(COLUMN_WIDTH_CLIENT)) {
        (None, Some(text)) => text.parse().ok(),
        _ => usize::try_from(config.integer(COLUMN_WIDTH)?).ok(),
    };
    Ok(Shape {
        columns: columns.to_vec(),
        show_op: !is_batch || format == Format::Changelog,
        zone: session_zone(config)?,
        column_width_max: width.unwrap_or(30).max(1),
    })
}

/// Runs a query to its end, to an interrupt, or until nobody reads its rows.
pub fn run_query(
    engine: &mut Engine,
    query: PlannedQuery,
    shape: Shape,
    format: Format,
    terminal: &Terminal,
    show_progress: bool,
) -> Result<Ending, Trouble> {
    signals::watch();
    let mut progress = Progress::new(Ends::of(&query.graph), show_progress);
    let mut running = engine.start_query(query)?;
    let mut writer = output::writer(format, shape);
    let mut out = terminal.out();
    let mut interrupted = false;
    loop {
        match running.poll(TURN) {
            Polled::Batch(batch) => {
                progress.clear();
                writer.batch(&mut out, &batch)?;
            }
            Polled::Nothing => progress.tick(running.job()),
            Polled::End => break,
        }
        if signals::take() {
            interrupted = true;
            running.job().cancel();
        }
    }
    let result = running.wait();
    progress.finish(&result);
    writer.finish(&mut out)?;
    out.flush()?;
    match result.state {
        JobState::Canceled if interrupted => Ok(Ending::Interrupted),
        _ => result.into_result().map(|_| Ending::Done).map_err(Trouble::from),
    }
}

/// Runs inserts to their end, or to an interrupt.
pub fn run_job(engine: &mut Engine, job: &PlannedJob, show_progress: bool) -> Result<Ending, Trouble> {
    signals::watch();
    let mut progress = Progress::new(Ends::of(&job.graph), show_progress);
    let checkpoints = Kept::of(engine.session().config())?;
    let handle = engine.start_job(job)?;
    let mut interrupts = Interrupts::new(checkpoints);
    let result = wait(&handle, &mut progress, &mut interrupts)?;
    progress.finish(&result);
    interrupts.farewell(&result);
    if interrupts.ended(&result) {
        return Ok(Ending::Interrupted);
    }
    result.into_result().map(|_| Ending::Done).map_err(Trouble::from)
}

fn wait(handle: &JobHandle, progress: &mut Progress, interrupts: &mut Interrupts) -> Result<JobResult, Error> {
    let (sender, ended) = sync_channel(1);
    let waiting = handle.clone();
    let spawned = std::thread::Builder::new().name("wait".to_owned()).spawn(move || {
        let _ = sender.send(waiting.wait());
    });
    if spawned.is_err() {
        return Ok(handle.wait());
    }
    loop {
        match ended.recv_timeout(TURN) {
            Ok(result) => return Ok(result),
            Err(RecvTimeoutError::Disconnected) => return Err(Error::internal("the waiting thread is gone")),
            Err(RecvTimeoutError::Timeout) => progress.tick(handle),
        }
        if signals::take() {
            progress.clear();
            interrupts.interrupt(handle);
        }
        interrupts.watch(handle);
    }
}
