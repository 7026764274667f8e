//! The writer of `exactly-once`: keeps the records of an epoch until the checkpoint is complete.
//!
//! Nothing is sent to a broker here. The records become part of the checkpoint, compressed, and are produced by the
//! [committer](super::committer) once it is complete. So no transaction is open while the job computes, and none can
//! time out.

use super::committable::Stage;
use super::encode::Encoder;
use super::frame::Record;
use super::preflight::Preflight;
use super::reduce::Reduce;
use super::settings::Settings;
use crate::client::{Trouble, explain_code};
use headwater_connector_api::{Committable, SinkWriter, WriterContext};
use headwater_data::ChangeBatch;
use headwater_env::Env;
use headwater_types::{Error, Result};
use rdkafka::error::RDKafkaErrorCode;
use std::sync::Arc;

/// Compressed bytes that a writer stages between two checkpoints.
const STAGED_BYTES_MAX: usize = 1 << 30;
/// Compressed bytes of a committable from which on the next one is begun: a committable is one transaction at least,
/// and a transaction must end before the brokers lose patience.
const COMMITTABLE_BYTES: usize = 16 << 20;

pub(super) struct StagingWriter {
    env: Env,
    on_bytes: Arc<dyn Fn(u64) + Send + Sync>,
    subtask: u32,
    settings: Arc<Settings>,
    /// Bytes that the client takes as one record.
    record_bytes_max: u64,
    preflight: Preflight,
    encoder: Encoder,
    reduce: Option<Reduce>,
    stage: Stage,
    /// Committables of this epoch that are full, and their bytes.
    full: Vec<Committable>,
    full_bytes: usize,
    /// Number of this writer, drawn at random.
    writer: u64,
    sequence: u64,
    is_checkpointed: bool,
}

impl StagingWriter {
    pub(super) fn new(settings: Arc<Settings>, context: &WriterContext, preflight: Preflight) -> Result<Self> {
        if !context.checkpointing && context.subtask == 0 {
            tracing::warn!(
                topic = settings.topic,
                "an exactly-once sink of a job without checkpoints writes nothing before the job ends: set \
                 'execution.checkpointing.interval'"
            );
        }
        Ok(Self {
            encoder: Encoder::new(&settings)?,
            reduce: settings.buffer_flush.map(Reduce::new),
            stage: Stage::default(),
            full: vec![],
            full_bytes: 0,
            writer: context.env.random_u64(),
            sequence: 0,
            is_checkpointed: context.checkpointing,
            env: context.env.clone(),
            on_bytes: context.on_bytes.clone(),
            subtask: context.subtask,
            record_bytes_max: settings.record_bytes_max(),
            settings,
            preflight,
        })
    }

    fn release(&mut self) -> Result<()> {
        let Some(reduce) = &mut self.reduce else { return Ok(()) };
        let (mut frames, records) = (vec![], reduce.len() as u64);
        reduce.drain_into(&mut frames);
        self.stage.add_frames(&frames, records)
    }

    /// Ends the committable that is being made, if it holds anything.
    fn end_committable(&mut self) -> Result<()> {
        if let Some(committable) = self.stage.take(self.writer, self.sequence, self.subtask)? {
            self.sequence += 1;
            self.full_bytes += committable.0.len();
            self.full.push(committable);
        }
        Ok(())
    }

    fn check_room(&self) -> Result<()> {
        if self.full_bytes + self.stage.bytes() <= STAGED_BYTES_MAX {
            return Ok(());
        }
        let advice = match self.is_checkpointed {
            true => "checkpoint more often ('execution.checkpointing.interval') or raise the sink's parallelism",
            false => "enable checkpoints ('execution.checkpointing.interval'), at which staged records are written",
        };
        let message = format!(
            "an exactly-once Kafka sink has staged more than {} MB since the last checkpoint: {advice}",
            STAGED_BYTES_MAX >> 20
        );
        Err(Error::user("kafka-epoch-too-large", message))
    }
}

/// Refuses what the client would not take: once it is in a complete checkpoint, its commit would fail for ever.
fn check_size(topic: &str, record: &Record<'_>, most: u64) -> Result<()> {
    let bytes = record.wire_bytes();
    if bytes <= most {
        return Ok(());
    }
    let doing = format!("writing a record of {bytes} bytes to the topic '{topic}', where the client takes {most}");
    Err(explain_code(&doing, RDKafkaErrorCode::MessageSizeTooLarge, &Trouble::default()))
}

impl SinkWriter for StagingWriter {
    fn is_ready(&mut self) -> bool {
        self.preflight.is_done()
    }

    fn write(&mut self, batch: ChangeBatch) -> Result<()> {
        self.preflight.partitions()?;
        self.check_room()?;
        let (mut bytes, now_ms) = (0, self.env.now_ms());
        let (stage, reduce) = (&mut self.stage, &mut self.reduce);
        let (topic, record_bytes_max) = (&self.settings.topic, self.record_bytes_max);
        self.encoder.each(&batch, |record| {
            check_size(topic, &record, record_bytes_max)?;
            bytes += record.bytes();
            match reduce {
                Some(reduce) => {
                    reduce.add(&record, now_ms);
                    Ok(())
                }
                None => stage.add(&record),
            }
        })?;
        (self.on_bytes)(bytes);
        if self.reduce.as_ref().is_some_and(|reduce| reduce.is_due(now_ms)) {
            self.release()?;
        }
        if self.stage.bytes() >= COMMITTABLE_BYTES { self.end_committable() } else { Ok(()) }
    }

    fn is_flushed(&mut self) -> Result<bool> {
        if !self.preflight.is_done() {
            return Ok(false);
        }
        self.preflight.partitions().map(|_| true)
    }

    fn take_committables(&mut self, _checkpoint: u64, _end: bool) -> Result<Vec<Committable>> {
        self.release()?;
        self.end_committable()?;
        self.full_bytes = 0;
        Ok(std::mem::take(&mut self.full))
    }
}
