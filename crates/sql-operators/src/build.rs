//! From operator specifications to operators.

use crate::calc::Calc;
use crate::changelog_codes::{FromChangelog, ToChangelog};
use crate::drop_update_before::DropUpdateBefore;
use crate::expand::Expand;
use crate::group_aggregate;
use crate::sort::Sort;
use crate::temporal_sort::TemporalSort;
use crate::unnest::Unnest;
use crate::watermark_assigner::WatermarkAssigner;
use crate::window_join::WindowJoin;
use crate::window_rank::WindowRank;
use crate::{
    changelog_normalize, deduplicate, interval_join, join, match_recognize, over_aggregate, rank, sink_materialize,
    temporal_join,
};
use crate::{limit, sort_limit};
use crate::{window_aggregate, window_table_function};
use headwater_env::Env;
use headwater_expressions::ExprContext;
use headwater_operator_api::Operator;
use headwater_plan::{OperatorNode, OperatorSpec};
use headwater_types::config::{Configuration, LOCAL_TIME_ZONE};
use headwater_types::{Error, Result};

/// What operators are built with besides their node.
pub struct BuildContext<'a> {
    /// Configuration of the job.
    pub config: &'a Configuration,
    /// Clock and randomness.
    pub env: Env,
    /// Whether rows other than `+I` may arrive: the `emits_changes` of the operators before this one.
    pub input_changes: bool,
}

/// Builds the operator of a node. Sources, sinks and VALUES are not operators.
pub fn build(node: &OperatorNode, context: &BuildContext<'_>) -> Result<Box<dyn Operator>> {
    let built = build_spec(node, context);
    built.map_err(|error| error.context(format_args!("operator '{}'", node.name)))
}

fn build_spec(node: &OperatorNode, context: &BuildContext<'_>) -> Result<Box<dyn Operator>> {
    let retract = context.input_changes;
    let expr = || expr_context(context);
    Ok(match &node.spec {
        OperatorSpec::Calc(spec) => Box::new(Calc::new(spec, node, &expr()?)?),
        OperatorSpec::WatermarkAssigner(spec) => Box::new(WatermarkAssigner::new(spec, node, &expr()?)?),
        OperatorSpec::Expand(spec) => Box::new(Expand::new(spec, node, &expr()?)?),
        OperatorSpec::Unnest(spec) => Box::new(Unnest::new(spec, node, &expr()?)?),
        OperatorSpec::WindowTableFunction(spec) => window_table_function::build(spec, node)?,
        OperatorSpec::WindowAggregate(spec) => window_aggregate::build(spec, node, retract)?,
        OperatorSpec::WindowJoin(spec) => Box::new(WindowJoin::new(spec, node, &expr()?)?),
        OperatorSpec::WindowRank(spec) => Box::new(WindowRank::new(spec, node)?),
        OperatorSpec::Join(spec) => join::build(spec, node, context)?,
        OperatorSpec::IntervalJoin(spec) => interval_join::build(spec, node, context)?,
        OperatorSpec::TemporalJoin(spec) => temporal_join::build(spec, node, context)?,
        OperatorSpec::Rank(spec) => rank::build(spec, node, context)?,
        OperatorSpec::Deduplicate(spec) => deduplicate::build(spec, node, context)?,
        OperatorSpec::OverAggregate(spec) => over_aggregate::build(spec, node, context)?,
        OperatorSpec::ChangelogNormalize(spec) => changelog_normalize::build(spec, node, context)?,
        OperatorSpec::SinkMaterialize(spec) => sink_materialize::build(spec, node, context)?,
        OperatorSpec::DropUpdateBefore(spec) => Box::new(DropUpdateBefore::new(spec)),
        OperatorSpec::GroupAggregate(spec) => group_aggregate::build(spec, node, retract)?,
        OperatorSpec::Sort(spec) => Box::new(Sort::new(spec, node)),
        OperatorSpec::TemporalSort(spec) => Box::new(TemporalSort::new(spec, node)?),
        OperatorSpec::SortLimit(spec) => sort_limit::build(spec, node, retract)?,
        OperatorSpec::Limit(spec) => limit::build(spec, node, retract)?,
        OperatorSpec::ToChangelog(spec) => Box::new(ToChangelog::new(spec, node)),
        OperatorSpec::FromChangelog(spec) => Box::new(FromChangelog::new(spec, node)),
        OperatorSpec::MatchRecognize(spec) => match_recognize::build(spec, node, context)?,
        OperatorSpec::Source(_) | OperatorSpec::Values(_) | OperatorSpec::Sink(_) => {
            return Err(Error::internal("sources, sinks and VALUES are driven through the connector API"));
        }
    })
}

/// What expressions are compiled with.
pub(crate) fn expr_context(context: &BuildContext<'_>) -> Result<ExprContext> {
    let zone = session_zone(context.config)?;
    Ok(ExprContext { zone, env: context.env.clone() })
}

/// The session time zone of a configuration. `default` is UTC here: whoever starts a job replaces it by the
/// zone of the system, because operators do not read their environment.
pub fn session_zone(config: &Configuration) -> Result<chrono_tz::Tz> {
    match config.text(LOCAL_TIME_ZONE) {
        "default" => Ok(chrono_tz::Tz::UTC),
        name => headwater_functions::zone::parse(name),
    }
}
