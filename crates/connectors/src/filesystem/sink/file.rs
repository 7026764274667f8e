//! One file being written.

use super::{InProgress, Plan, StagedFile};
use crate::filesystem::bad_records::cannot_write;
use headwater_connector_api::Options;
use headwater_data::ChangeBatch;
use headwater_formats::RowEncoder;
use headwater_formats::parquet::{ParquetWriter, options::parquet_options};
use headwater_types::{Error, ErrorKind, Result};
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

/// Bytes that are collected before they are written.
const BUFFER_BYTES: usize = 256 << 10;

enum Body {
    Records { file: File, encoder: Box<dyn RowEncoder>, buffer: Vec<u8>, written: u64 },
    Columns(Box<ParquetWriter<File>>),
}

/// A staged file that is open.
pub(super) struct OpenFile {
    pub(super) staged: StagedFile,
    pub(super) opened_ms: i64,
    pub(super) written_ms: i64,
    /// Whether a checkpoint holds the file, which then outlives its writer.
    pub(super) checkpointed: bool,
    body: Body,
}

/// Checks that the format can write the table's columns with the table's options.
pub(super) fn check(plan: &Plan) -> Result<()> {
    match plan.format.is_columnar() {
        true => parquet_options(Options(&plan.options)).map(|_| ()),
        false => plan.format.encoder(Options(&plan.options), &plan.columns).map(|_| ()),
    }
}

impl OpenFile {
    pub(super) fn create(plan: &Plan, staged: StagedFile, now_ms: i64) -> Result<Self> {
        let path = &staged.staged;
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory).map_err(|e| cannot_write(directory, e))?;
        }
        let file = File::create_new(path).map_err(|e| cannot_write(path, e))?;
        let options = Options(&plan.options);
        let body = if plan.format.is_columnar() {
            Body::Columns(Box::new(ParquetWriter::new(file, &plan.columns, parquet_options(options)?)?))
        } else {
            Body::Records { file, encoder: plan.format.encoder(options, &plan.columns)?, buffer: vec![], written: 0 }
        };
        Ok(Self { staged, opened_ms: now_ms, written_ms: now_ms, checkpointed: false, body })
    }

    /// Goes on with a file of a checkpoint: cuts off what came after.
    pub(super) fn resume(plan: &Plan, state: InProgress) -> Result<Self> {
        let path = &state.file.staged;
        let mut file = File::options().write(true).open(path).map_err(|e| cannot_write(path, e))?;
        let length = file.metadata().map_err(|e| cannot_write(path, e))?.len();
        if length < state.bytes {
            return Err(too_short(path, length, state.bytes));
        }
        let cut = file.set_len(state.bytes).and_then(|()| file.seek(SeekFrom::End(0)));
        cut.map_err(|e| cannot_write(path, e))?;
        let encoder = plan.format.encoder(Options(&plan.options), &plan.columns)?;
        let body = Body::Records { file, encoder, buffer: vec![], written: state.bytes };
        let (opened_ms, written_ms) = (state.opened_ms, state.written_ms);
        Ok(Self { staged: state.file, opened_ms, written_ms, checkpointed: true, body })
    }

    /// Makes what was written durable and says how much it is; `None` for a columnar file, which is of no use
    /// before its end.
    pub(super) fn checkpoint(&mut self, directory: &str) -> Result<Option<InProgress>> {
        self.drain()?;
        let Body::Records { file, written, .. } = &self.body else { return Ok(None) };
        file.sync_data().map_err(|e| cannot_write(&self.staged.staged, e))?;
        self.checkpointed = true;
        Ok(Some(InProgress {
            directory: directory.to_owned(),
            file: self.staged.clone(),
            bytes: *written,
            opened_ms: self.opened_ms,
            written_ms: self.written_ms,
        }))
    }

    pub(super) fn write(&mut self, batch: &ChangeBatch, now_ms: i64) -> Result<()> {
        self.written_ms = now_ms;
        match &mut self.body {
            Body::Records { encoder, buffer, .. } => {
                encoder.encode(batch, buffer)?;
                if buffer.len() >= BUFFER_BYTES { self.drain() } else { Ok(()) }
            }
            Body::Columns(writer) => writer.write(batch),
        }
    }

    fn drain(&mut self) -> Result<()> {
        if let Body::Records { file, buffer, written, .. } = &mut self.body {
            file.write_all(buffer).map_err(|e| cannot_write(&self.staged.staged, e))?;
            *written += buffer.len() as u64;
            buffer.clear();
        }
        Ok(())
    }

    /// Bytes of the file so far.
    pub(super) fn bytes(&self) -> u64 {
        match &self.body {
            Body::Records { buffer, written, .. } => written + buffer.len() as u64,
            Body::Columns(writer) => writer.bytes(),
        }
    }

    /// Ends the file, durably.
    pub(super) fn close(mut self) -> Result<StagedFile> {
        self.drain()?;
        let file = match self.body {
            Body::Records { file, .. } => file,
            Body::Columns(writer) => writer.finish()?,
        };
        file.sync_all().map_err(|e| cannot_write(&self.staged.staged, e))?;
        Ok(self.staged)
    }
}

fn too_short(path: &Path, length: u64, expected: u64) -> Error {
    let message = format!(
        "the staged file '{}' has {length} bytes, but the checkpoint was taken when it had {expected}: rows are lost; \
         restore from an older checkpoint",
        path.display()
    );
    Error::new(ErrorKind::Corruption, "staged-file-lost", message)
}
