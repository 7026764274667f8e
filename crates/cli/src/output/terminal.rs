//! Where a client writes: the process's own outputs, or a text that somebody compares.

use std::fmt::{self, Debug};
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// What a client prints goes here. Clones write to the same place.
#[derive(Clone, Default)]
pub enum Terminal {
    /// Results to stdout, messages about errors to stderr.
    #[default]
    Process,
    /// Both into one text, in the order in which a person would see them.
    Kept(Kept),
}

/// A text that grows.
#[derive(Clone, Default)]
pub struct Kept(Arc<Mutex<Vec<u8>>>);

impl Terminal {
    /// A terminal whose text is kept.
    pub fn kept() -> Self {
        Self::Kept(Kept::default())
    }

    /// The writer of results.
    pub fn out(&self) -> Box<dyn Write> {
        match self {
            Self::Process => Box::new(io::BufWriter::new(io::stdout().lock())),
            Self::Kept(kept) => Box::new(kept.clone()),
        }
    }

    /// Writes a message beside the results.
    pub fn say(&self, message: &str) -> io::Result<()> {
        let mut out = self.out();
        writeln!(out, "{message}")?;
        out.flush()
    }

    /// Writes a line about what went wrong.
    pub fn complain(&self, line: fmt::Arguments<'_>) {
        match self {
            Self::Process => crate::complain(line),
            Self::Kept(kept) => kept.push(format!("{line}\n").as_bytes()),
        }
    }

    /// What was kept since the last call.
    pub fn take(&self) -> String {
        match self {
            Self::Process => String::new(),
            Self::Kept(Kept(text)) => {
                let bytes = std::mem::take(&mut *text.lock().unwrap_or_else(PoisonError::into_inner));
                String::from_utf8_lossy(&bytes).into_owned()
            }
        }
    }
}

impl Kept {
    fn push(&self, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Debug for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Process => "Process",
            Self::Kept(_) => "Kept",
        })
    }
}
