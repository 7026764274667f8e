//! Hints behind SELECT: the life of state, and how joins are to be run.
//!
//! `STATE_TTL('table' = '1 day')` counts. The hints that choose among Flink's batch joins, and those of lookup joins, are
//! checked for the tables they name and change nothing: there is one way to run a streaming join.

use super::scope::ScopeRelation;
use crate::logical::StateTtl;
use crate::logical::nodes::extension;
use crate::{SqlError, SqlResult};
use datafusion_expr::LogicalPlan;
use headwater_sql_parser::ast::{Hint, HintArg};
use headwater_types::config::parse_duration;

/// Hints that name the tables of a join.
const JOIN_HINTS: &[&str] =
    &["BROADCAST", "SHUFFLE_HASH", "SHUFFLE_MERGE", "NEST_LOOP", "LOOKUP", "MULTI_JOIN", "SKEW"];

/// The plan of an item of FROM, marked with the life of its state if a hint says so.
pub(super) fn with_state_ttl(plan: LogicalPlan, relations: &[ScopeRelation], hints: &[Hint]) -> SqlResult<LogicalPlan> {
    let [relation] = relations else { return Ok(plan) };
    for (name, ttl, hint) in state_ttls(hints) {
        if names(relation, name) {
            let duration = parse_duration(ttl).and_then(|d| i64::try_from(d.as_millis()).ok()).ok_or_else(|| {
                let message =
                    format!("'{ttl}' is not a duration such as '1 day' or '90 min' (in STATE_TTL of '{name}')");
                SqlError::at("bad-hint", message, hint.span)
            })?;
            return Ok(extension(StateTtl { input: plan, ttl_ms: duration }));
        }
    }
    Ok(plan)
}

/// Checks that hints are well formed and name relations in sight.
pub(super) fn check(hints: &[Hint], relations: &[ScopeRelation]) -> SqlResult<()> {
    for hint in hints {
        let kind = hint.name.value.to_ascii_uppercase();
        if kind == "STATE_TTL" {
            if hint.args.is_empty() || hint.args.iter().any(|arg| !matches!(arg, HintArg::KeyValue { .. })) {
                let message =
                    "Invalid STATE_TTL hint, expecting at least one key-value options specified: 'table' = 'duration'";
                return Err(SqlError::at("bad-hint", message, hint.span));
            }
            let stray =
                state_ttls(std::slice::from_ref(hint)).find(|(name, ..)| !relations.iter().any(|r| names(r, name)));
            if let Some((name, ..)) = stray {
                return Err(unmatched(name, &kind, hint));
            }
        } else if JOIN_HINTS.contains(&kind.as_str()) && kind != "LOOKUP" {
            let stray = hint.args.iter().filter_map(table_name).find(|name| !relations.iter().any(|r| names(r, name)));
            if let Some(name) = stray {
                return Err(unmatched(&name, &kind, hint));
            }
        }
    }
    Ok(())
}

fn state_ttls(hints: &[Hint]) -> impl Iterator<Item = (&str, &str, &Hint)> {
    let ttl_hints = hints.iter().filter(|hint| hint.name.value.eq_ignore_ascii_case("STATE_TTL"));
    ttl_hints.flat_map(|hint| {
        hint.args.iter().filter_map(move |arg| match arg {
            HintArg::KeyValue { key, value } => Some((key.value.as_str(), value.value.as_str(), hint)),
            _ => None,
        })
    })
}

fn table_name(arg: &HintArg) -> Option<String> {
    match arg {
        HintArg::Name(name) => Some(name.parts().collect::<Vec<_>>().join(".")),
        _ => None,
    }
}

/// Whether a relation answers to a name, written with dots.
fn names(relation: &ScopeRelation, name: &str) -> bool {
    relation.answers_to(&name.split('.').collect::<Vec<_>>())
}

fn unmatched(name: &str, kind: &str, hint: &Hint) -> SqlError {
    let message = format!(
        "The options of following hints cannot match the name of input tables or views: \n`{name}` in `{kind}`"
    );
    SqlError::at("bad-hint", message, hint.span)
}
