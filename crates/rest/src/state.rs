//! What all calls share.

use crate::metrics::Rates;
use crate::triggers::Triggers;
use crate::uploads::Uploads;
use crate::{Cluster, Options};
use std::sync::Arc;

/// What all calls share.
pub(crate) struct State {
    pub(crate) cluster: Arc<dyn Cluster>,
    pub(crate) options: Options,
    pub(crate) triggers: Triggers,
    pub(crate) rates: Rates,
    pub(crate) uploads: Uploads,
}

impl State {
    pub(crate) fn new(cluster: Arc<dyn Cluster>, options: Options) -> Self {
        Self { cluster, options, triggers: Triggers::default(), rates: Rates::default(), uploads: Uploads::default() }
    }
}
