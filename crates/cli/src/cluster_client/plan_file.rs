//! Files that hold the plan of one job, as it is submitted.

use headwater_plan::JobGraph;
use headwater_types::{Error, Result};
use std::path::Path;

/// How names of such files end.
const ENDING: &str = "plan";

/// Whether a file is one, by its name.
pub fn is_one(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case(ENDING))
}

/// Writes the plan of the only job.
///
/// # Errors
/// When there is none or several, the name is another kind's, or the file cannot be written.
pub fn write(path: &Path, jobs: &[JobGraph]) -> Result<()> {
    if !is_one(path) {
        let message = format!("the name of a plan ends with '.{ENDING}', that of {} does not", path.display());
        return Err(Error::user("bad-option", message));
    }
    let [job] = jobs else {
        let message =
            format!("a plan holds one job, the script has {}: put INSERTs into one STATEMENT SET", jobs.len());
        return Err(Error::user("several-jobs", message));
    };
    let failed = |error| Error::user("unwritable-file", format!("cannot write {}: {error}", path.display()));
    std::fs::write(path, headwater_plan::encode(job)?).map_err(failed)
}

/// The job of a file.
///
/// # Errors
/// When it cannot be read, or holds no plan of this version.
pub fn read(path: &Path) -> Result<JobGraph> {
    let failed = |error| Error::user("unreadable-file", format!("cannot read {}: {error}", path.display()));
    let bytes = std::fs::read(path).map_err(failed)?;
    headwater_plan::codec::decode_on_thread(&bytes).map_err(|error| error.context(path.display()))
}
