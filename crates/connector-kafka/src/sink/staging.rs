//! The writer of `exactly-once`: keeps the records of an epoch until the checkpoint is complete.
//!
//! Nothing is sent to a broker here. The records become part of the checkpoint, compressed, and are produced by the
//! [committer](super::committer) once it is complete. So no transaction is open while the job computes, and none can
//! time out.

use super::committable::Stage;
use super::encode::Encoder;
use super::preflight::Preflight;
use super::reduce::Reduce;
use super::settings::Settings;
use headwater_connector_api::{Committable, SinkWriter, WriterContext};
use headwater_data::ChangeBatch;
use headwater_env::Env;
use headwater_types::{Error, Result};
use std::sync::Arc;

/// Compressed bytes that a writer stages between two checkpoints.
const STAGED_BYTES_MAX: usize = 1 << 30;

pub(super) struct StagingWriter {
    env: Env,
    on_bytes: Arc<dyn Fn(u64) + Send + Sync>,
    subtask: u32,
    preflight: Preflight,
    encoder: Encoder,
    reduce: Option<Reduce>,
    stage: Stage,
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
            writer: context.env.random_u64(),
            sequence: 0,
            is_checkpointed: context.checkpointing,
            env: context.env.clone(),
            on_bytes: context.on_bytes.clone(),
            subtask: context.subtask,
            preflight,
        })
    }

    fn release(&mut self) -> Result<()> {
        let Some(reduce) = &mut self.reduce else { return Ok(()) };
        let (mut frames, records) = (vec![], reduce.len() as u64);
        reduce.drain_into(&mut frames);
        self.stage.add_frames(&frames, records)
    }

    fn check_room(&self) -> Result<()> {
        if self.stage.bytes() <= STAGED_BYTES_MAX {
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

impl SinkWriter for StagingWriter {
    fn is_ready(&mut self) -> bool {
        self.preflight.is_done()
    }

    fn write(&mut self, batch: ChangeBatch) -> Result<()> {
        self.preflight.partitions()?;
        self.check_room()?;
        let (mut bytes, now_ms) = (0, self.env.now_ms());
        let (stage, reduce) = (&mut self.stage, &mut self.reduce);
        self.encoder.each(&batch, |record| {
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
        Ok(())
    }

    fn is_flushed(&mut self) -> Result<bool> {
        if !self.preflight.is_done() {
            return Ok(false);
        }
        self.preflight.partitions().map(|_| true)
    }

    fn take_committables(&mut self, _checkpoint: u64, _end: bool) -> Result<Vec<Committable>> {
        self.release()?;
        let staged = self.stage.take(self.writer, self.sequence, self.subtask)?;
        self.sequence += u64::from(staged.is_some());
        Ok(staged.into_iter().collect())
    }
}
