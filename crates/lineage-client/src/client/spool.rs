//! Events in files, for an endpoint that does not take them now.
//!
//! ```text
//! <directory>/<milliseconds>-<process>-<number>-<p|e>.json     key, line feed, event; p: periodic
//! ```
//!
//! A file is written beside and renamed, so that it is there whole or not at all. Processes may share a directory: an event
//! may then be sent twice, which consumers bear, but is never lost by it. When there is no room, periodic events go first.

use super::Message;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// A spool.
pub(super) struct Spool {
    directory: PathBuf,
    bytes_max: u64,
    process: u64,
    /// Known files with their sizes, oldest first; read from the directory with the first use.
    files: Option<BTreeMap<String, u64>>,
    bytes: u64,
}

impl Spool {
    pub(super) fn new(directory: PathBuf, bytes_max: u64, process: u64) -> Self {
        Self { directory, bytes_max, process, files: None, bytes: 0 }
    }

    /// Puts an event in; how many others had to go, or `None` when there was no room for it.
    pub(super) fn push(&mut self, message: &Message, now_ms: i64) -> io::Result<Option<u64>> {
        self.open()?;
        let size = message.json.len() as u64 + message.key.len() as u64 + 1;
        let Some(lost) = self.make_room(size, message.periodic) else { return Ok(None) };
        let kind = if message.periodic { 'p' } else { 'e' };
        let name = format!("{now_ms:015}-{:016x}-{:010}-{kind}.json", self.process, message.number);
        let mut content = Vec::with_capacity(message.json.len() + message.key.len() + 1);
        content.extend(message.key.replace('\n', " ").as_bytes());
        content.push(b'\n');
        content.extend(&message.json);
        let beside = self.directory.join(format!("{name}.part"));
        std::fs::write(&beside, content)?;
        std::fs::rename(&beside, self.directory.join(&name))?;
        self.bytes += size;
        self.files.get_or_insert_default().insert(name, size);
        Ok(Some(lost))
    }

    /// The oldest event with the name of its file. What cannot be read is forgotten.
    pub(super) fn oldest(&mut self) -> Option<(String, Message)> {
        self.open().ok()?;
        loop {
            let name = self.files.as_ref()?.keys().next()?.clone();
            match std::fs::read(self.directory.join(&name)).ok().and_then(|content| parse(&name, &content)) {
                Some(message) => return Some((name, message)),
                None => self.remove(&name),
            }
        }
    }

    /// An event was taken.
    pub(super) fn remove(&mut self, name: &str) {
        let _ = std::fs::remove_file(self.directory.join(name));
        if let Some(size) = self.files.as_mut().and_then(|files| files.remove(name)) {
            self.bytes = self.bytes.saturating_sub(size);
        }
    }

    /// Makes room; `None` when there is none to make. A periodic event pushes no other kind out.
    fn make_room(&mut self, size: u64, periodic: bool) -> Option<u64> {
        let mut lost = 0;
        while self.bytes + size > self.bytes_max {
            let files = self.files.as_ref()?;
            let victim = files.keys().find(|name| name.ends_with("-p.json"));
            let victim = victim.or_else(|| files.keys().next().filter(|_| !periodic))?.clone();
            self.remove(&victim);
            lost += 1;
        }
        Some(lost)
    }

    fn open(&mut self) -> io::Result<()> {
        if self.files.is_some() {
            return Ok(());
        }
        create_private(&self.directory)?;
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(&self.directory)?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with("-p.json") || name.ends_with("-e.json") {
                files.insert(name, entry.metadata().map_or(0, |metadata| metadata.len()));
            }
        }
        self.bytes = files.values().sum();
        self.files = Some(files);
        Ok(())
    }
}

fn parse(name: &str, content: &[u8]) -> Option<Message> {
    let end = content.iter().position(|byte| *byte == b'\n')?;
    let key = std::str::from_utf8(&content[..end]).ok()?.to_owned();
    let number = name.split('-').nth(2)?.parse().ok()?;
    let json = content[end + 1..].to_vec();
    Some(Message { key, json, periodic: name.ends_with("-p.json"), number })
}

/// A directory that only its owner reads: events name tables and hold statements.
fn create_private(directory: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}
