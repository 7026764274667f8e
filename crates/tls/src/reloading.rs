//! The side that is called, made again when one of its files was replaced.
//!
//! Certificates are renewed while processes run: by a person who copies files, by cert-manager, which swaps symbolic links.
//! Whoever accepts a connection asks for the present configuration; that looks at the files, and reads them when they are not
//! those of the last time. Connections that are open keep the certificates they began with.
//!
//! Files are replaced one after the other, so what they hold may not fit together for a moment, or be cut short. Then the last
//! configuration goes on, and the files are read again when they change again.

use crate::Options;
use headwater_types::Result;
use rustls::ServerConfig;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// What tells a file from the one that was there before; `None` where there is none.
type Stamp = Option<(SystemTime, u64, u64)>;

/// The side that is called, with the certificates that the files hold now.
pub struct Reloading {
    options: Options,
    present: Mutex<Present>,
}

struct Present {
    config: Arc<ServerConfig>,
    /// Of the files, when they were read last.
    stamps: Vec<Stamp>,
}

impl std::fmt::Debug for Reloading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reloading").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Reloading {
    /// Reads the files for the first time.
    ///
    /// # Errors
    /// When one is missing, cannot be read, or holds something else.
    pub fn new(options: Options) -> Result<Self> {
        // Stamps before the files: what is replaced in between is read once more.
        let stamps = stamps(&options);
        let present = Present { config: options.server()?, stamps };
        Ok(Self { options, present: Mutex::new(present) })
    }

    /// The present configuration. `told` hears of it when the files have changed: whether they are used now, or why not.
    pub fn server(&self, told: impl FnOnce(Result<()>)) -> Arc<ServerConfig> {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = stamps(&self.options);
        if stamps != present.stamps {
            present.stamps = stamps;
            told(self.options.server().map(|config| present.config = config));
        }
        present.config.clone()
    }
}

fn stamps(options: &Options) -> Vec<Stamp> {
    let files = [&options.keystore, &options.certificate, &options.private_key, &options.truststore];
    files.into_iter().flatten().map(|path| stamp(path)).collect()
}

fn stamp(path: &Path) -> Stamp {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len(), number(&metadata)))
}

/// A file that takes the place of another one has another number, even when it is as large and as old.
#[cfg(unix)]
fn number(metadata: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn number(_metadata: &std::fs::Metadata) -> u64 {
    0
}
