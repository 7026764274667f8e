//! The sink: producing directly, or staging for a transaction.

mod committable;
mod committer;
mod delivery;
mod direct;
mod encode;
mod frame;
mod marker;
mod preflight;
mod reduce;
mod settings;
mod staging;

#[cfg(test)]
mod tests;

pub(crate) use delivery::{Delivery, ProducerState};
pub(crate) use direct::{Producer, send};
pub(crate) use frame::{Frames, Record};
pub(crate) use settings::letter_producer;

use crate::table::Layout;
use committer::TransactionCommitter;
use headwater_connector_api::{Committer, Sink, SinkWriter, WriterContext};
use headwater_plan::SinkSpec;
use headwater_types::Result;
use preflight::Preflight;
use settings::{Guarantee, Settings};
use std::sync::Arc;

/// A write to a topic.
pub(crate) struct KafkaSink {
    settings: Arc<Settings>,
}

impl KafkaSink {
    /// Checks the options of the write.
    pub(crate) fn new(spec: &SinkSpec, layout: Layout) -> Result<Self> {
        let settings = Arc::new(Settings::new(spec, layout)?);
        encode::Encoder::new(&settings)?;
        Ok(Self { settings })
    }
}

impl Sink for KafkaSink {
    fn writer(&self, context: WriterContext) -> Result<Box<dyn SinkWriter>> {
        let preflight = Preflight::start(self.settings.clone(), &context);
        Ok(match self.settings.guarantee {
            Guarantee::ExactlyOnce => {
                Box::new(staging::StagingWriter::new(self.settings.clone(), &context, preflight)?)
            }
            Guarantee::None | Guarantee::AtLeastOnce => {
                Box::new(direct::DirectWriter::new(self.settings.clone(), &context, preflight)?)
            }
        })
    }

    fn committer(&self) -> Result<Option<Box<dyn Committer>>> {
        Ok(match self.settings.guarantee {
            Guarantee::ExactlyOnce => Some(Box::new(TransactionCommitter::new(self.settings.clone()))),
            Guarantee::None | Guarantee::AtLeastOnce => None,
        })
    }
}
