//! Hints and settings about state: how long it lives, and how rows are bundled.

use super::Lowering;
use super::changelog::FOREVER;
use crate::logical::{Expand, StateTtl, Unnest, WatermarkAssigner, WindowTvf};
use datafusion_expr::LogicalPlan;
use headwater_plan::operators::MiniBatch;
use headwater_types::config::Key;
use headwater_types::{Error, Result};

/// Whether rows are processed in bundles.
const MINI_BATCH: Key = Key { name: "table.exec.mini-batch.enabled", default: "false" };
/// How long a row may wait for its bundle.
const MINI_BATCH_LATENCY: Key = Key { name: "table.exec.mini-batch.allow-latency", default: "0 ms" };
/// Rows of a bundle.
const MINI_BATCH_SIZE: Key = Key { name: "table.exec.mini-batch.size", default: "-1" };

/// The life that a STATE_TTL hint gives the rows of a relation, as a specification holds it before its changelog is
/// derived. Other state in between (of a join, an aggregate) ends the search: the hint was for that.
pub fn state_ttl_hint(plan: &LogicalPlan) -> Option<i64> {
    match plan {
        LogicalPlan::Projection(p) => state_ttl_hint(&p.input),
        LogicalPlan::Filter(f) => state_ttl_hint(&f.input),
        LogicalPlan::SubqueryAlias(a) => state_ttl_hint(&a.input),
        LogicalPlan::Extension(extension) => {
            let node = extension.node.as_any();
            if let Some(hint) = node.downcast_ref::<StateTtl>() {
                return Some(if hint.ttl_ms == 0 { FOREVER } else { hint.ttl_ms });
            }
            let input = node.downcast_ref::<Expand>().map(|n| &n.input);
            let input = input.or_else(|| node.downcast_ref::<Unnest>().map(|n| &n.input));
            let input = input.or_else(|| node.downcast_ref::<WatermarkAssigner>().map(|n| &n.input));
            let input = input.or_else(|| node.downcast_ref::<WindowTvf>().map(|n| &n.input));
            state_ttl_hint(input?)
        }
        _ => None,
    }
}

impl Lowering<'_> {
    /// How rows are bundled in front of stateful operators, if they are.
    pub(super) fn mini_batch(&self) -> Result<Option<MiniBatch>> {
        let config = self.context.config;
        if self.batch_mode || !config.boolean(MINI_BATCH)? {
            return Ok(None);
        }
        let rows = config.integer(MINI_BATCH_SIZE)?;
        let latency = config.duration(MINI_BATCH_LATENCY)?;
        let positive = |name: &str| {
            let message = format!("'{name}' must be positive when '{}' is true", MINI_BATCH.name);
            Error::user("bad-config-value", message)
        };
        let rows = u64::try_from(rows).ok().filter(|n| *n > 0).ok_or_else(|| positive(MINI_BATCH_SIZE.name))?;
        if latency.is_zero() {
            return Err(positive(MINI_BATCH_LATENCY.name));
        }
        Ok(Some(MiniBatch { rows, latency_ms: latency.as_millis() as u64 }))
    }
}
