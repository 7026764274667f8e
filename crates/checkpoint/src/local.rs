//! Local recovery: whether TaskManagers keep what they upload on their own disks too, and what of it may go.
//!
//! A copy is never relied upon: it is used when its bytes have the checksums of the manifest, else storage is read.

use crate::layout::{FileRole, role_of};
use headwater_types::Result;
use headwater_types::config::{Configuration, Key};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// `execution.state-recovery.from-local`: whether tasks start from copies on the disk of their TaskManager, where there
/// are some.
pub const FROM_LOCAL: Key = Key { name: "execution.state-recovery.from-local", default: "false" };
/// `execution.checkpointing.local-backup.enabled`: whether copies are kept although nothing starts from them yet.
pub const LOCAL_BACKUP: Key = Key { name: "execution.checkpointing.local-backup.enabled", default: "false" };
/// The name of [`FROM_LOCAL`] before Flink 1.20.
const FROM_LOCAL_BEFORE: &str = "state.backend.local-recovery";

/// What a job does with copies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalRecovery {
    /// Uploads are kept on the local disk too.
    pub keeps: bool,
    /// Tasks start from what was kept.
    pub reads: bool,
}

impl LocalRecovery {
    /// What a configuration says. Whoever wants to start from copies has them kept.
    ///
    /// # Errors
    /// When a value is not one, naming its key.
    pub fn from_config(config: &Configuration) -> Result<Self> {
        let reads = match config.get(FROM_LOCAL_BEFORE) {
            Some(before) if config.get(FROM_LOCAL.name).is_none() => before.trim().eq_ignore_ascii_case("true"),
            _ => config.boolean(FROM_LOCAL)?,
        };
        Ok(Self { keeps: reads || config.boolean(LOCAL_BACKUP)?, reads })
    }
}

/// Those of the kept `files` that nobody will start from: they are of checkpoints up to `latest`, the last complete one,
/// and not `needed`. What is of a later checkpoint may become part of it.
pub fn unneeded<'a>(files: impl IntoIterator<Item = &'a str>, latest: u64, needed: &BTreeSet<String>) -> Vec<&'a str> {
    let is_unneeded = |file: &&str| match role_of(file) {
        Some(FileRole::Manifest(of) | FileRole::Blob(of) | FileRole::Run(of) | FileRole::Merged(of)) => {
            of <= latest && !needed.contains(*file)
        }
        None => true,
    };
    files.into_iter().filter(is_unneeded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_reads_copies_keeps_them() {
        let read = |pairs: &[(&str, &str)]| {
            let mut config = Configuration::new();
            pairs.iter().for_each(|(key, value)| config.set(*key, *value));
            let LocalRecovery { keeps, reads } = LocalRecovery::from_config(&config).unwrap();
            (keeps, reads)
        };
        assert_eq!(read(&[]), (false, false));
        assert_eq!(read(&[(FROM_LOCAL.name, "true")]), (true, true));
        assert_eq!(read(&[(LOCAL_BACKUP.name, "true")]), (true, false));
        assert_eq!(read(&[(FROM_LOCAL_BEFORE, "true")]), (true, true));
        assert_eq!(read(&[(FROM_LOCAL_BEFORE, "true"), (FROM_LOCAL.name, "false")]), (false, false));
    }

    #[test]
    fn what_a_checkpoint_to_come_may_name_stays() {
        let needed = BTreeSet::from(["shared/3-0-0-aa".to_owned(), "shared/base-5-bb".to_owned()]);
        let files = [
            "shared/3-0-0-aa",
            "shared/4-0-0-aa",
            "shared/4-0-0-aa.part",
            "shared/base-5-bb",
            "shared/base-4-cc",
            "shared/6-0-0-aa",
            "chk-5/0-0-aa",
            "chk-6/0-0-aa",
            "junk",
        ];
        let expected = ["shared/4-0-0-aa", "shared/4-0-0-aa.part", "shared/base-4-cc", "chk-5/0-0-aa", "junk"];
        assert_eq!(unneeded(files, 5, &needed), expected);
    }
}
