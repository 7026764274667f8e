//! SET and RESET: the session's configuration.

use super::{Rows, Session, StatementResult};
use crate::lower::changelog;
use crate::{SqlError, SqlResult};
use headwater_sql_parser::ast::{SqlOption, StringLiteral};
use headwater_types::config;

/// `SET` lists what is set; `SET 'k' = 'v'` sets.
pub(super) fn set(session: &mut Session, option: Option<&SqlOption>) -> SqlResult<StatementResult> {
    let Some(option) = option else { return Ok(list(session).into()) };
    let (key, value) = (option.key.value.trim(), option.value.value.trim());
    check_value(key, value).map_err(|error| error.with_span(option.value.span))?;
    if let Some(warning) = headwater_types::config_keys::warning(key, value) {
        session.warnings.push(warning);
    }
    session.config.set(key, value);
    Ok(StatementResult::Ok)
}

/// `RESET` returns everything to what the session started with, `RESET 'k'` one key.
pub(super) fn reset(session: &mut Session, key: Option<&StringLiteral>) -> StatementResult {
    match key {
        None => session.config = session.initial_config.clone(),
        Some(key) => match session.initial_config.get(&key.value) {
            Some(initial) => session.config.set(&key.value, initial.to_string()),
            None => session.config.unset(&key.value),
        },
    }
    StatementResult::Ok
}

fn list(session: &Session) -> Rows {
    let pairs = session.config.visible();
    Rows::strings(&["key", "value"], pairs.map(|(k, v)| vec![Some(k.to_string()), Some(v.to_string())]).collect())
}

/// Refuses at once what could only fail later, for the keys the SQL front end itself reads.
fn check_value(key: &str, value: &str) -> SqlResult<()> {
    let mut probe = config::Configuration::new();
    probe.set(key, value);
    let checked = match key {
        "parallelism.default" => probe.integer(config::PARALLELISM_DEFAULT).map(drop),
        "pipeline.max-parallelism" => probe.integer(config::MAX_PARALLELISM).map(drop),
        "pipeline.auto-watermark-interval" => probe.duration(config::AUTO_WATERMARK_INTERVAL).map(drop),
        "execution.buffer-timeout.interval" => probe.duration(config::BUFFER_TIMEOUT).map(drop),
        "table.exec.source.idle-timeout" => probe.duration(config::SOURCE_IDLE_TIMEOUT).map(drop),
        "table.dml-sync" => probe.boolean(config::DML_SYNC).map(drop),
        "table.exec.state.ttl" => probe.duration(changelog::STATE_TTL).map(drop),
        "table.exec.source.cdc-events-duplicate" => probe.boolean(changelog::CDC_DUPLICATES).map(drop),
        "table.exec.sink.require-on-conflict" => probe.boolean(changelog::REQUIRE_ON_CONFLICT).map(drop),
        "table.exec.sink.upsert-materialize" | "table.exec.sink.keyed-shuffle" => {
            return check_choice(key, value, &["NONE", "AUTO", "FORCE"]);
        }
        "table.exec.sink.not-null-enforcer" => return check_choice(key, value, &["ERROR", "DROP"]),
        "table.exec.sink.type-length-enforcer" => return check_choice(key, value, &["IGNORE", "TRIM_PAD", "ERROR"]),
        "table.exec.sink.nested-constraint-enforcer" => {
            return check_choice(key, value, &["IGNORE", "ROWS", "ROWS_AND_COLLECTIONS"]);
        }
        "table.optimizer.distinct-agg.split.enabled" => return check_choice(key, value, &["true", "false"]),
        "table.exec.sink.rowtime-inserter" => return check_choice(key, value, &["ENABLED", "DISABLED"]),
        "table.exec.uid.generation" => return check_choice(key, value, &["PLAN_ONLY", "ALWAYS", "DISABLED"]),
        "execution.state-recovery.claim-mode" | "execution.savepoint-restore-mode" => {
            return check_choice(key, value, &["NO_CLAIM", "CLAIM"]);
        }
        "execution.state-recovery.ignore-unclaimed-state" | "execution.savepoint.ignore-unclaimed-state" => {
            return check_choice(key, value, &["true", "false"]);
        }
        "table.local-time-zone" => return check_zone(value),
        "execution.runtime-mode" => return check_choice(key, value, &["STREAMING", "BATCH", "AUTOMATIC"]),
        "table.optimizer.agg-phase-strategy" => return check_choice(key, value, &["AUTO", "ONE_PHASE", "TWO_PHASE"]),
        _ => Ok(()),
    };
    checked.map_err(SqlError::from)
}

fn check_choice(key: &str, value: &str, choices: &[&str]) -> SqlResult<()> {
    if choices.iter().any(|choice| choice.eq_ignore_ascii_case(value)) {
        return Ok(());
    }
    let message = format!("'{value}' is not a valid value of '{key}': expected one of {}", choices.join(", "));
    let error = SqlError::new("bad-config-value", message);
    let near = config::nearest(value, choices.iter().copied());
    Err(near.map_or(error.clone(), |near| error.with_hint(format!("did you mean '{near}'?"))))
}

/// A zone is a region name, an offset such as `GMT+05:00`, or `default`.
fn check_zone(value: &str) -> SqlResult<()> {
    if value == config::LOCAL_TIME_ZONE.default || headwater_functions::zone::parse(value).is_ok() {
        return Ok(());
    }
    let message = format!("'{value}' is not a time zone: expected a region such as 'Europe/Berlin', or 'UTC'");
    let error = SqlError::new("bad-config-value", message);
    let near = config::nearest(value, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
    Err(near.map_or(error.clone(), |near| error.with_hint(format!("did you mean '{near}'?"))))
}
