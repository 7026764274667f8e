//! One file being written.

use super::{Plan, StagedFile};
use crate::filesystem::bad_records::cannot_write;
use headwater_connector_api::Options;
use headwater_data::ChangeBatch;
use headwater_formats::RowEncoder;
use headwater_formats::parquet::{ParquetWriter, options::parquet_options};
use headwater_types::Result;
use std::fs::File;
use std::io::Write;

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
        let file = File::create(path).map_err(|e| cannot_write(path, e))?;
        let options = Options(&plan.options);
        let body = if plan.format.is_columnar() {
            Body::Columns(Box::new(ParquetWriter::new(file, &plan.columns, parquet_options(options)?)?))
        } else {
            Body::Records { file, encoder: plan.format.encoder(options, &plan.columns)?, buffer: vec![], written: 0 }
        };
        Ok(Self { staged, opened_ms: now_ms, written_ms: now_ms, body })
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
