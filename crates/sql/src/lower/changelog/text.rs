//! The operators of changelogs in plans.

use super::super::text::{list, render, sort_text};
use headwater_plan::OperatorSpec;
use headwater_plan::operators::{DeduplicateSpec, RankEnd, RankFunction, RankSpec, RankStrategy};

/// What stands between the parentheses of an operator over columns of these names.
pub fn describe(spec: &OperatorSpec, names: &[String]) -> String {
    match spec {
        OperatorSpec::Rank(rank) => rank_text(rank, names),
        OperatorSpec::Deduplicate(deduplicate) => deduplicate_text(deduplicate, names),
        OperatorSpec::ChangelogNormalize(normalize) => {
            let condition = normalize.condition.as_ref();
            let condition = condition.map(|c| format!(", condition=[{}]", render(c, names))).unwrap_or_default();
            format!("key=[{}]{condition}", list(&normalize.keys, names))
        }
        OperatorSpec::SinkMaterialize(materialize) => {
            let upsert = materialize.upsert_key.as_ref();
            let upsert = upsert.map(|key| format!(", upsertKey=[{}]", list(key, names))).unwrap_or_default();
            format!("key=[{}]{upsert}", list(&materialize.keys, names))
        }
        OperatorSpec::DropUpdateBefore(drop) => match &drop.keys {
            Some(keys) => format!("key=[{}]", list(keys, names)),
            None => String::new(),
        },
        _ => String::new(),
    }
}

fn rank_text(rank: &RankSpec, names: &[String]) -> String {
    let strategy = match &rank.strategy {
        RankStrategy::Append => "AppendFastStrategy".to_owned(),
        RankStrategy::Retract => "RetractStrategy".to_owned(),
        RankStrategy::Update(key) => format!("UpdateFastStrategy[{}]", list(key, names)),
    };
    let function = match rank.function {
        RankFunction::RowNumber => "ROW_NUMBER",
        RankFunction::Rank => "RANK",
        RankFunction::DenseRank => "DENSE_RANK",
    };
    let end = match rank.end {
        RankEnd::Constant(end) => end.to_string(),
        RankEnd::Column(column) => names[column].clone(),
    };
    format!(
        "strategy=[{strategy}], rankType=[{function}], rankRange=[rankStart={}, rankEnd={end}], partitionBy=[{}], \
         orderBy=[{}]",
        rank.start,
        list(&rank.keys, names),
        sort_text(&rank.order, names)
    )
}

fn deduplicate_text(deduplicate: &DeduplicateSpec, names: &[String]) -> String {
    let keep = if deduplicate.keep_last { "LastRow" } else { "FirstRow" };
    let time = deduplicate.rowtime.map_or("PROCTIME", |_| "ROWTIME");
    format!("keep=[{keep}], key=[{}], order=[{time}]", list(&deduplicate.keys, names))
}
