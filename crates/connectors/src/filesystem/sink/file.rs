//! One file being written.

use super::Plan;
use super::output::{self, Output};
use super::staged::{Content, InProgress, StagedFile};
use super::upload::{Shared, Upload};
use headwater_connector_api::Options;
use headwater_data::ChangeBatch;
use headwater_formats::RowEncoder;
use headwater_formats::parquet::{ParquetWriter, options::parquet_options};
use headwater_types::{Error, Result};
use std::io::Write;
use std::sync::Arc;

/// Bytes that are collected before they are written.
const BUFFER_BYTES: usize = 256 << 10;

enum Body {
    Records { output: Output, encoder: Box<dyn RowEncoder>, buffer: Vec<u8>, written: u64 },
    Columns(Box<ParquetWriter<Output>>),
}

/// A staged file that is open.
pub(super) struct OpenFile {
    pub(super) staged: StagedFile,
    pub(super) opened_ms: i64,
    pub(super) written_ms: i64,
    /// Whether a checkpoint holds the file, which then outlives its writer.
    pub(super) checkpointed: bool,
    /// Of an object: what the store knows of it.
    pub(super) upload: Option<Arc<Shared>>,
    body: Body,
}

/// A file that has ended, of which parts may be on their way.
pub(super) struct ClosedFile {
    pub(super) staged: StagedFile,
    pub(super) checkpointed: bool,
    pub(super) upload: Option<Upload>,
}

impl ClosedFile {
    /// What to hand over; no part may be on its way.
    pub(super) fn finish(&self) -> Result<StagedFile> {
        let mut staged = self.staged.clone();
        if let Some(upload) = &self.upload {
            output::finish(&mut staged, upload)?;
        }
        Ok(staged)
    }
}

/// Checks that the format can write the table's columns with the table's options.
pub(super) fn check(plan: &Plan) -> Result<()> {
    match plan.format.is_columnar() {
        true => parquet_options(Options(&plan.options)).map(|_| ()),
        false => plan.format.encoder(Options(&plan.options), &plan.columns).map(|_| ()),
    }
}

impl OpenFile {
    pub(super) fn create(
        plan: &Plan,
        staged: StagedFile,
        now_ms: i64,
        waker: &Arc<dyn Fn() + Send + Sync>,
    ) -> Result<Self> {
        let output = Output::create(plan, &staged, waker)?;
        let upload = output.shared();
        let options = Options(&plan.options);
        let body = if plan.format.is_columnar() {
            Body::Columns(Box::new(ParquetWriter::new(output, &plan.columns, parquet_options(options)?)?))
        } else {
            Body::Records { output, encoder: plan.format.encoder(options, &plan.columns)?, buffer: vec![], written: 0 }
        };
        Ok(Self { staged, opened_ms: now_ms, written_ms: now_ms, checkpointed: false, upload, body })
    }

    /// Goes on with a file of a checkpoint, without what came after: an object where it is, a hidden file as `own`.
    pub(super) fn resume(
        plan: &Plan,
        state: InProgress,
        own: StagedFile,
        waker: &Arc<dyn Fn() + Send + Sync>,
    ) -> Result<Self> {
        let InProgress { file, bytes, opened_ms, written_ms } = state;
        let is_object = matches!(file.content, Content::Object { .. });
        let (output, staged) = match is_object {
            true => (Output::create(plan, &file, waker)?, file),
            false => (Output::copy(&file, bytes, &own)?, own),
        };
        let upload = output.shared();
        let encoder = plan.format.encoder(Options(&plan.options), &plan.columns)?;
        let body = Body::Records { output, encoder, buffer: vec![], written: bytes };
        Ok(Self { staged, opened_ms, written_ms, checkpointed: is_object, upload, body })
    }

    /// Makes what was written durable and says how much it is; `None` for a columnar file, which is of no use
    /// before its end.
    pub(super) fn checkpoint(&mut self) -> Result<Option<InProgress>> {
        self.drain()?;
        let Body::Records { output, written, .. } = &mut self.body else { return Ok(None) };
        output.persist(&mut self.staged)?;
        self.checkpointed = true;
        let (bytes, opened_ms, written_ms) = (*written, self.opened_ms, self.written_ms);
        Ok(Some(InProgress { file: self.staged.clone(), bytes, opened_ms, written_ms }))
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

    /// Moves what was collected to the output, so that its parts can be waited for.
    pub(super) fn drain(&mut self) -> Result<()> {
        if let Body::Records { output, buffer, written, .. } = &mut self.body {
            output.write_all(buffer).map_err(|e| cannot_write(&self.staged, e))?;
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
    pub(super) fn close(mut self) -> Result<ClosedFile> {
        self.drain()?;
        let output = match self.body {
            Body::Records { output, .. } => output,
            Body::Columns(writer) => writer.finish()?,
        };
        Ok(ClosedFile { staged: self.staged, checkpointed: self.checkpointed, upload: output.close()? })
    }
}

fn cannot_write(file: &StagedFile, error: std::io::Error) -> Error {
    match &file.content {
        Content::Local { staged, .. } => crate::filesystem::bad_records::cannot_write(staged, error),
        Content::Object { key, .. } => {
            Error::user("cannot-write", format!("cannot write the object '{key}': {error}")).with_source(error)
        }
    }
}
