//! Storage with copies: what is written is kept, what was verified is read from the copy.

use super::JobCopies;
use super::copies::NewCopy;
use headwater_checkpoint::SubtaskRestore;
use headwater_env::{ObjectMeta, ObjectWriter, Storage};
use headwater_types::Result;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

/// Storage whose objects are also kept as copies. Reads go to storage.
pub(crate) struct Kept {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) copies: JobCopies,
}

impl Kept {
    /// Begins a copy, if there is room for one.
    fn copy(&self, path: &str) -> Option<NewCopy> {
        self.copies.create(path).inspect_err(|e| not_kept(path, e)).ok()
    }
}

fn not_kept(path: &str, error: &std::io::Error) {
    tracing::warn!(file = path, %error, "no local copy is kept of state");
}

impl Storage for Kept {
    fn put(&self, path: &str, content: &[u8]) -> Result<()> {
        self.storage.put(path, content)?;
        if let Some(mut copy) = self.copy(path)
            && let Err(e) = copy.write(content).and_then(|()| copy.publish())
        {
            not_kept(path, &e);
        }
        Ok(())
    }

    fn put_stream<'a>(&'a self, path: &str) -> Result<Box<dyn ObjectWriter + 'a>> {
        let object = self.storage.put_stream(path)?;
        Ok(Box::new(Tee { object, copy: self.copy(path), path: path.to_owned() }))
    }

    fn stream_bytes(&self) -> u64 {
        self.storage.stream_bytes()
    }

    fn put_if_absent(&self, path: &str, content: &[u8]) -> Result<bool> {
        self.storage.put_if_absent(path, content)
    }

    fn get(&self, path: &str) -> Result<Option<Vec<u8>>> {
        self.storage.get(path)
    }

    fn get_range(&self, path: &str, range: Range<u64>) -> Result<Vec<u8>> {
        self.storage.get_range(path, range)
    }

    fn list(&self, prefix: &str) -> Result<Vec<ObjectMeta>> {
        self.storage.list(prefix)
    }

    fn delete(&self, path: &str) -> Result<()> {
        self.copies.remove(path);
        self.storage.delete(path)
    }
}

/// Writes to storage and, as long as that works, to a copy.
struct Tee<'a> {
    object: Box<dyn ObjectWriter + 'a>,
    copy: Option<NewCopy>,
    path: String,
}

impl ObjectWriter for Tee<'_> {
    fn write(&mut self, part: &[u8]) -> Result<()> {
        self.object.write(part)?;
        if let Some(copy) = &mut self.copy
            && let Err(e) = copy.write(part)
        {
            not_kept(&self.path, &e);
            self.copy = None;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        let Self { object, copy, path } = *self;
        object.finish()?;
        if let Some(Err(e)) = copy.map(NewCopy::publish) {
            not_kept(&path, &e);
        }
        Ok(())
    }
}

/// Storage as one subtask starts from it: files with an intact copy are read from there.
pub(crate) struct Verified {
    storage: Arc<dyn Storage>,
    copies: JobCopies,
    intact: BTreeSet<String>,
}

impl Verified {
    /// Checks the copies of all that a subtask starts with.
    pub(crate) fn new(storage: Arc<dyn Storage>, copies: &JobCopies, restore: &SubtaskRestore) -> Self {
        let verdict = copies.verify(restore);
        let (local, damaged, missing) = (verdict.intact.len(), verdict.damaged, verdict.missing);
        if local + damaged + missing > 0 {
            tracing::debug!(local, damaged, missing, "files of state with local copies");
        }
        Self { storage, copies: copies.clone(), intact: verdict.intact }
    }
}

impl Storage for Verified {
    fn put(&self, path: &str, content: &[u8]) -> Result<()> {
        self.storage.put(path, content)
    }

    fn stream_bytes(&self) -> u64 {
        self.storage.stream_bytes()
    }

    fn put_if_absent(&self, path: &str, content: &[u8]) -> Result<bool> {
        self.storage.put_if_absent(path, content)
    }

    fn get(&self, path: &str) -> Result<Option<Vec<u8>>> {
        self.storage.get(path)
    }

    /// A copy may be gone by now: checkpoints go on.
    fn get_range(&self, path: &str, range: Range<u64>) -> Result<Vec<u8>> {
        if self.intact.contains(path)
            && let Ok(bytes) = self.copies.read(path, &range)
        {
            return Ok(bytes);
        }
        self.storage.get_range(path, range)
    }

    fn list(&self, prefix: &str) -> Result<Vec<ObjectMeta>> {
        self.storage.list(prefix)
    }

    fn delete(&self, path: &str) -> Result<()> {
        self.storage.delete(path)
    }
}
