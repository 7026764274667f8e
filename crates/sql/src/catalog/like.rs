//! `CREATE TABLE ... LIKE`: merging a new declaration with that of an existing table, feature by feature.
//!
//! Without options everything of the source table is included, and its options are overwritten by the new
//! ones. Physical columns are always included. Under `INCLUDING` a feature declared on both sides is an
//! error; `OVERWRITING` lets the new one win; `EXCLUDING` leaves the old one out.

use super::{Column, ColumnKind, Table};
use crate::{SqlError, SqlResult};
use headwater_sql_parser::ast::{LikeFeature, LikeOption, LikeStrategy};

/// How a feature of the source table is merged.
pub type Strategy = LikeStrategy;

/// The strategy of every feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LikeRules {
    constraints: Strategy,
    distribution: Strategy,
    generated: Strategy,
    metadata: Strategy,
    options: Strategy,
    partitions: Strategy,
    watermarks: Strategy,
}

impl LikeRules {
    /// The rules of a LIKE clause: the defaults, then `ALL`, then single features.
    pub fn new(options: &[LikeOption]) -> SqlResult<Self> {
        let mut rules = Self::all(Strategy::Including);
        rules.options = Strategy::Overwriting;
        for (i, option) in options.iter().enumerate() {
            check(option, &options[..i])?;
        }
        if let Some(all) = options.iter().find(|o| o.feature == LikeFeature::All) {
            rules = Self::all(all.strategy);
        }
        for option in options {
            rules.set(option.feature, option.strategy);
        }
        Ok(rules)
    }

    fn all(strategy: Strategy) -> Self {
        Self {
            constraints: strategy,
            distribution: strategy,
            generated: strategy,
            metadata: strategy,
            options: strategy,
            partitions: strategy,
            watermarks: strategy,
        }
    }

    fn set(&mut self, feature: LikeFeature, strategy: Strategy) {
        match feature {
            LikeFeature::All => {}
            LikeFeature::Constraints => self.constraints = strategy,
            LikeFeature::Distribution => self.distribution = strategy,
            LikeFeature::Generated => self.generated = strategy,
            LikeFeature::Metadata => self.metadata = strategy,
            LikeFeature::Options => self.options = strategy,
            LikeFeature::Partitions => self.partitions = strategy,
            LikeFeature::Watermarks => self.watermarks = strategy,
        }
    }
}

/// Each feature once, and OVERWRITING only where there is something to overwrite one by one.
fn check(option: &LikeOption, before: &[LikeOption]) -> SqlResult<()> {
    if before.iter().any(|other| other.feature == option.feature) {
        return Err(bad_like("Each like option feature can be declared only once.").with_span(option.span));
    }
    let overwritable = matches!(
        option.feature,
        LikeFeature::Generated | LikeFeature::Metadata | LikeFeature::Options | LikeFeature::Watermarks
    );
    if option.strategy == Strategy::Overwriting && !overwritable {
        let name = feature_name(option.feature);
        let message = format!("Illegal merging strategy 'OVERWRITING' for '{name}' option.");
        return Err(bad_like(message).with_span(option.span));
    }
    Ok(())
}

fn feature_name(feature: LikeFeature) -> &'static str {
    match feature {
        LikeFeature::All => "ALL",
        LikeFeature::Constraints => "CONSTRAINTS",
        LikeFeature::Distribution => "DISTRIBUTION",
        LikeFeature::Generated => "GENERATED",
        LikeFeature::Metadata => "METADATA",
        LikeFeature::Options => "OPTIONS",
        LikeFeature::Partitions => "PARTITIONS",
        LikeFeature::Watermarks => "WATERMARKS",
    }
}

fn bad_like(message: impl Into<String>) -> SqlError {
    SqlError::new("like-conflict", message)
}

/// The new table with what it takes over from `base`.
pub fn merge(base: &Table, derived: Table, rules: &LikeRules) -> SqlResult<Table> {
    let mut merged = derived;
    merge_options(base, &mut merged, rules.options)?;
    merged.columns = merge_columns(base, std::mem::take(&mut merged.columns), rules)?;
    merge_watermark(base, &mut merged, rules.watermarks)?;
    merge_primary_key(base, &mut merged, rules.constraints)?;
    merge_partitions(base, &mut merged, rules.partitions)?;
    merge_distribution(base, &mut merged, rules.distribution)?;
    Ok(merged)
}

fn merge_options(base: &Table, merged: &mut Table, strategy: Strategy) -> SqlResult<()> {
    if strategy == Strategy::Excluding {
        return Ok(());
    }
    let both = merged.options.keys().find(|key| base.options.contains_key(*key));
    if let Some(key) = both.filter(|_| strategy == Strategy::Including) {
        return Err(bad_like(format!(
            "There already exists an option ['{key}' -> '{}'] in the base table. You might want to specify EXCLUDING \
             OPTIONS or OVERWRITING OPTIONS.",
            base.options[key]
        )));
    }
    for (key, value) in &base.options {
        merged.options.entry(key.clone()).or_insert_with(|| value.clone());
    }
    Ok(())
}

fn merge_columns(base: &Table, derived: Vec<Column>, rules: &LikeRules) -> SqlResult<Vec<Column>> {
    let mut columns: Vec<Column> = base.columns.iter().filter(|c| is_included(c, rules)).cloned().collect();
    let inherited = columns.len();
    for column in derived {
        match columns[..inherited].iter().position(|c| c.name == column.name) {
            None => columns.push(column),
            Some(at) => {
                check_overlap(&columns[at], &column, rules)?;
                columns[at] = column;
            }
        }
    }
    Ok(columns)
}

fn is_included(column: &Column, rules: &LikeRules) -> bool {
    match column.kind {
        ColumnKind::Physical => true,
        ColumnKind::Computed { .. } => rules.generated != Strategy::Excluding,
        ColumnKind::Metadata { .. } => rules.metadata != Strategy::Excluding,
    }
}

/// Whether `new` may take the place of `old`.
fn check_overlap(old: &Column, new: &Column, rules: &LikeRules) -> SqlResult<()> {
    let (what, feature, strategy) = match (&old.kind, &new.kind) {
        (ColumnKind::Computed { .. }, ColumnKind::Computed { .. }) => ("generated", "GENERATED", rules.generated),
        (ColumnKind::Metadata { .. }, ColumnKind::Metadata { .. }) => ("metadata", "METADATA", rules.metadata),
        _ => return Err(bad_like(format!("A column named '{}' already exists in the base table.", new.name))),
    };
    if strategy == Strategy::Overwriting {
        return Ok(());
    }
    Err(bad_like(format!(
        "A {what} column named '{}' already exists in the base table. You might want to specify EXCLUDING {feature} \
         or OVERWRITING {feature}.",
        new.name
    )))
}

fn merge_watermark(base: &Table, merged: &mut Table, strategy: Strategy) -> SqlResult<()> {
    let Some(inherited) = base.watermark.as_ref().filter(|_| strategy != Strategy::Excluding) else { return Ok(()) };
    match &merged.watermark {
        None => merged.watermark = Some(inherited.clone()),
        Some(_) if strategy == Strategy::Overwriting => {}
        Some(own) => {
            return Err(bad_like(format!(
                "There already exists a watermark spec for column '{}' in the base table. You might want to specify \
                 EXCLUDING WATERMARKS or OVERWRITING WATERMARKS.",
                own.column
            )));
        }
    }
    Ok(())
}

fn merge_primary_key(base: &Table, merged: &mut Table, strategy: Strategy) -> SqlResult<()> {
    if strategy == Strategy::Excluding || base.primary_key.is_empty() {
        return Ok(());
    }
    if !merged.primary_key.is_empty() {
        let message = "The base table already has a primary key. You might want to specify EXCLUDING CONSTRAINTS.";
        return Err(bad_like(message));
    }
    merged.primary_key = base.primary_key.clone();
    merged.primary_key_name = base.primary_key_name.clone();
    Ok(())
}

/// As in Flink, EXCLUDING only allows the new table keys of its own; without any it has those of the base table.
fn merge_partitions(base: &Table, merged: &mut Table, strategy: Strategy) -> SqlResult<()> {
    let has_own = !merged.partition_keys.is_empty();
    if base.partition_keys.is_empty() || (has_own && strategy == Strategy::Excluding) {
        return Ok(());
    }
    if has_own {
        let message = "The base table already has partitions defined. You might want to specify EXCLUDING PARTITIONS.";
        return Err(bad_like(message));
    }
    merged.partition_keys = base.partition_keys.clone();
    Ok(())
}

/// As [`merge_partitions`].
fn merge_distribution(base: &Table, merged: &mut Table, strategy: Strategy) -> SqlResult<()> {
    let has_own = merged.distribution.is_some();
    if base.distribution.is_none() || (has_own && strategy == Strategy::Excluding) {
        return Ok(());
    }
    if has_own {
        let message =
            "The base table already has a distribution defined. You might want to specify EXCLUDING DISTRIBUTION.";
        return Err(bad_like(message));
    }
    merged.distribution = base.distribution.clone();
    Ok(())
}
