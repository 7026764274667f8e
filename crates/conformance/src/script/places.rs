//! Placeholders: `$VAR_..._PATH` is a directory of the script's own.

use crate::outcome::Stop;
use std::io;

/// How a placeholder starts.
const PREFIX: &str = "$VAR_";

/// What placeholders stand for. The directories go away with it.
pub(crate) struct Places {
    root: tempfile::TempDir,
}

impl Places {
    /// New directories.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { root: tempfile::tempdir()? })
    }

    /// The text with its placeholders filled in.
    pub(crate) fn fill(&self, text: &str) -> Result<String, Stop> {
        let mut out = String::new();
        let mut rest = text;
        while let Some(start) = rest.find(PREFIX) {
            let (before, after) = rest.split_at(start);
            let end = after[PREFIX.len()..].find(|c: char| !c.is_ascii_uppercase() && c != '_');
            let (name, behind) = after.split_at(end.map_or(after.len(), |end| end + PREFIX.len()));
            out.push_str(before);
            out.push_str(&self.value(name)?);
            rest = behind;
        }
        out.push_str(rest);
        Ok(out)
    }

    fn value(&self, placeholder: &str) -> Result<String, Stop> {
        let name = placeholder.strip_prefix(PREFIX).and_then(|name| name.strip_suffix("_PATH"));
        match name {
            Some(name) if !name.contains("JAR") => {
                Ok(self.root.path().join(name.to_ascii_lowercase()).to_string_lossy().into_owned())
            }
            _ => Err(Stop::skipped(format!("nothing here is what {placeholder} stands for"))),
        }
    }
}
