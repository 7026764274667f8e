//! Names: of the files of a checkpoint, and of the operators whose state they hold.
//!
//! ```text
//! <checkpoint dir>/<job id>/chk-7/_metadata            manifest
//!                           chk-7/<subtask>-<random>   large opaque values of this checkpoint
//!                           shared/7-<subtask>-<random>    runs of checkpoint 7
//!                           shared/base-7-<random>         runs that replace those up to checkpoint 7
//! <savepoint dir>/savepoint-<job>-<random>/_metadata   manifest
//!                                          <n>         copies of all its files
//! ```

use headwater_types::ids::{JobId, SubtaskId, VertexId};
use std::collections::BTreeMap;

/// Name of the manifest's file, as Flink names it.
pub const MANIFEST: &str = "_metadata";
/// Directory of files that several checkpoints may name.
pub const SHARED: &str = "shared/";

/// Directory of a checkpoint's own files, below the job's directory.
pub fn checkpoint_directory(checkpoint: u64) -> String {
    format!("chk-{checkpoint}/")
}

/// The manifest of a checkpoint, below the job's directory.
pub fn manifest_file(checkpoint: u64) -> String {
    format!("chk-{checkpoint}/{MANIFEST}")
}

/// A file for the runs of a subtask.
pub fn run_file(checkpoint: u64, subtask: SubtaskId, random: u64) -> String {
    format!("{SHARED}{checkpoint}-{}-{}-{random:016x}", subtask.vertex.0, subtask.index)
}

/// A file for the large opaque values of a subtask.
pub fn blob_file(checkpoint: u64, subtask: SubtaskId, random: u64) -> String {
    format!("chk-{checkpoint}/{}-{}-{random:016x}", subtask.vertex.0, subtask.index)
}

/// A file for a run that replaces others up to a checkpoint.
pub fn merged_file(checkpoint: u64, random: u64) -> String {
    format!("{SHARED}base-{checkpoint}-{random:016x}")
}

/// Name of a new savepoint's directory.
pub fn savepoint_directory(job: JobId, random: u64) -> String {
    let job = job.to_string();
    format!("savepoint-{}-{:012x}", &job[..6], random & 0xffff_ffff_ffff)
}

/// What a file below the job's directory is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileRole {
    /// Manifest of a checkpoint.
    Manifest(u64),
    /// Another file of this checkpoint's directory.
    Blob(u64),
    /// Runs of a checkpoint.
    Run(u64),
    /// A run that replaces others up to this checkpoint.
    Merged(u64),
}

/// What a file is for; `None` when it is none of ours.
pub fn role_of(file: &str) -> Option<FileRole> {
    if let Some(name) = file.strip_prefix(SHARED) {
        let (number, role): (&str, fn(u64) -> FileRole) = match name.strip_prefix("base-") {
            Some(rest) => (rest, FileRole::Merged),
            None => (name, FileRole::Run),
        };
        return number.split_once('-').and_then(|(number, _)| number.parse().ok()).map(role);
    }
    let (number, name) = file.strip_prefix("chk-")?.split_once('/')?;
    let number = number.parse().ok()?;
    Some(if name == MANIFEST { FileRole::Manifest(number) } else { FileRole::Blob(number) })
}

/// A vertex of the graph, as far as the protocol needs to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vertex {
    /// Its id.
    pub id: VertexId,
    /// Display name.
    pub name: String,
    /// Number of subtasks.
    pub parallelism: u32,
    /// Its operators, head first.
    pub operators: Vec<Operator>,
}

/// An operator of a vertex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Its uid as the plan says.
    pub uid: String,
    /// The name its state is stored by; see [`operator_keys`].
    pub key: String,
    /// Display name.
    pub name: String,
    /// Whether it is a source.
    pub source: bool,
    /// Whether it is a sink.
    pub sink: bool,
}

/// Names operators by their uids; one that is used again gets a number behind it, in plan order.
pub fn operator_keys<'a>(uids: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut seen = BTreeMap::new();
    let key = |uid: &'a str| {
        let count = seen.entry(uid).or_insert(0u32);
        *count += 1;
        if *count == 1 { uid.to_owned() } else { format!("{uid}#{count}") }
    };
    uids.into_iter().map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBTASK: SubtaskId = SubtaskId { vertex: VertexId(3), index: 4 };

    #[test]
    fn roles_are_found_again() {
        for (file, role) in [
            (manifest_file(7), Some(FileRole::Manifest(7))),
            (blob_file(7, SUBTASK, 1), Some(FileRole::Blob(7))),
            (run_file(12, SUBTASK, u64::MAX), Some(FileRole::Run(12))),
            (merged_file(9, 5), Some(FileRole::Merged(9))),
            ("shared/readme".to_owned(), None),
            ("chk-x/_metadata".to_owned(), None),
            ("other".to_owned(), None),
        ] {
            assert_eq!(role_of(&file), role, "{file}");
        }
    }

    #[test]
    fn repeated_uids_are_numbered() {
        assert_eq!(operator_keys(["a", "b", "a", "a"]), ["a", "b", "a#2", "a#3"]);
    }

    #[test]
    fn savepoints_are_named_as_flink_names_them() {
        assert_eq!(savepoint_directory(JobId(1 << 124), 0xabc), "savepoint-100000-000000000abc");
    }
}
