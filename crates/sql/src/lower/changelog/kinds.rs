//! Which kinds of rows an operator emits, given those of its inputs.

use headwater_connector_api::ChangelogMode;
use headwater_plan::OperatorSpec;
use headwater_plan::operators::{AggregatePhase, DeduplicateSpec, GroupAggregateSpec, JoinKind, JoinSpec, OverTime};
use headwater_types::RowKind;
use std::fmt;

/// Kinds of rows besides `+I`, which everything may emit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kinds {
    /// `-U`.
    pub update_before: bool,
    /// `+U`.
    pub update_after: bool,
    /// `-D`.
    pub delete: bool,
}

impl Kinds {
    /// `+I` only.
    pub const APPEND: Self = Self { update_before: false, update_after: false, delete: false };
    /// All kinds.
    pub const ALL: Self = Self { update_before: true, update_after: true, delete: true };

    /// What a table in this mode holds.
    pub fn of(mode: ChangelogMode) -> Self {
        match mode {
            ChangelogMode::Append => Self::APPEND,
            ChangelogMode::Upsert => Self { update_before: false, ..Self::ALL },
            ChangelogMode::Retract => Self::ALL,
        }
    }

    /// Whether there is nothing but `+I`.
    pub fn is_append(self) -> bool {
        self == Self::APPEND
    }

    /// The kinds of both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            update_before: self.update_before || other.update_before,
            update_after: self.update_after || other.update_after,
            delete: self.delete || other.delete,
        }
    }

    /// The changes in words, as errors name them.
    pub fn words(self) -> &'static str {
        match (self.update_after, self.delete) {
            (true, true) => "update and delete",
            (_, true) => "delete",
            _ => "update",
        }
    }

    /// Results that are updated; rows vanish only if `delete`.
    fn updating(update_before: bool, delete: bool) -> Self {
        Self { update_before, update_after: true, delete }
    }
}

impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("I")?;
        let rest = [(self.update_before, ",UB"), (self.update_after, ",UA"), (self.delete, ",D")];
        rest.iter().filter(|(emitted, _)| *emitted).try_for_each(|(_, kind)| f.write_str(kind))
    }
}

/// What an operator emits. `inputs` has one entry per input, `source` is the mode of a scanned table.
pub fn produced(spec: &OperatorSpec, inputs: &[Kinds], source: ChangelogMode) -> Kinds {
    let input = inputs.first().copied().unwrap_or_default();
    match spec {
        OperatorSpec::Source(_) => Kinds::of(source),
        OperatorSpec::Calc(_)
        | OperatorSpec::WatermarkAssigner(_)
        | OperatorSpec::Expand(_)
        | OperatorSpec::WindowTableFunction(_)
        | OperatorSpec::Unnest(_)
        | OperatorSpec::TemporalJoin(_)
        | OperatorSpec::Limit(_) => input,
        OperatorSpec::DropUpdateBefore(spec) => Kinds {
            update_before: false,
            delete: input.delete || (spec.keys.is_some() && input.update_before),
            ..input
        },
        OperatorSpec::Join(spec) => join(spec, inputs),
        OperatorSpec::GroupAggregate(spec) => group_aggregate(spec, input),
        OperatorSpec::Rank(spec) => Kinds::updating(spec.emits_update_before, true),
        OperatorSpec::Deduplicate(spec) => deduplicate(spec),
        OperatorSpec::OverAggregate(spec) if spec.time == OverTime::Column && !spec.final_only => {
            Kinds::updating(spec.emits_update_before, !input.is_append())
        }
        OperatorSpec::ChangelogNormalize(spec) => Kinds::updating(spec.emits_update_before, true),
        OperatorSpec::SinkMaterialize(spec) => Kinds::updating(spec.emits_update_before, true),
        OperatorSpec::SortLimit(_) => Kinds { delete: true, ..Kinds::APPEND },
        OperatorSpec::FromChangelog(spec) => {
            let holds = |wanted: RowKind| spec.kinds.iter().any(|(_, kind)| *kind == wanted);
            Kinds {
                update_before: holds(RowKind::UpdateBefore),
                update_after: holds(RowKind::UpdateAfter),
                delete: holds(RowKind::Delete),
            }
        }
        _ => Kinds::APPEND,
    }
}

/// Matches follow the rows of both sides; rows without a match come and go with the other side.
fn join(spec: &JoinSpec, inputs: &[Kinds]) -> Kinds {
    if spec.final_only {
        return Kinds::APPEND;
    }
    let both = inputs.iter().fold(Kinds::APPEND, |all, kinds| all.union(*kinds));
    let right = inputs.get(1).copied().unwrap_or_default();
    match spec.kind {
        JoinKind::Inner => both,
        JoinKind::Semi => Kinds { delete: both.delete || !right.is_append(), ..both },
        JoinKind::Left | JoinKind::Right | JoinKind::Full | JoinKind::Anti => Kinds { delete: true, ..both },
    }
}

fn group_aggregate(spec: &GroupAggregateSpec, input: Kinds) -> Kinds {
    // Sums are inserts; but a key goes when all its rows are taken back, and only the global half can tell.
    if spec.phase == AggregatePhase::Local {
        return Kinds { delete: !input.is_append(), ..Kinds::APPEND };
    }
    if spec.final_only {
        return Kinds::APPEND;
    }
    // The groups of a DISTINCT never change; only those that time out are emitted again.
    if spec.calls.is_empty() && input.is_append() && spec.state_ttl_ms == 0 {
        return Kinds::APPEND;
    }
    Kinds::updating(spec.emits_update_before, !input.is_append() && !spec.keys.is_empty())
}

/// The first row by arrival stays; the first or last by event time may be replaced.
fn deduplicate(spec: &DeduplicateSpec) -> Kinds {
    match spec.keep_last || spec.rowtime.is_some() {
        true => Kinds::updating(spec.emits_update_before, false),
        false => Kinds::APPEND,
    }
}

/// Whether an input of an operator may hold changes.
pub fn accepts_changes(spec: &OperatorSpec) -> bool {
    match spec {
        OperatorSpec::WindowJoin(_)
        | OperatorSpec::WindowRank(_)
        | OperatorSpec::IntervalJoin(_)
        | OperatorSpec::TemporalSort(_)
        | OperatorSpec::SortLimit(_)
        | OperatorSpec::Limit(_)
        | OperatorSpec::FromChangelog(_)
        | OperatorSpec::MatchRecognize(_)
        | OperatorSpec::Deduplicate(_) => false,
        OperatorSpec::OverAggregate(spec) => spec.time == OverTime::Column || spec.final_only,
        _ => true,
    }
}

/// The place where an operator says whether it emits `-U`, if it can choose.
pub fn choice(spec: &mut OperatorSpec) -> Option<&mut bool> {
    match spec {
        OperatorSpec::GroupAggregate(spec) => Some(&mut spec.emits_update_before),
        OperatorSpec::Rank(spec) => Some(&mut spec.emits_update_before),
        OperatorSpec::Deduplicate(spec) => Some(&mut spec.emits_update_before),
        OperatorSpec::OverAggregate(spec) => Some(&mut spec.emits_update_before),
        OperatorSpec::ChangelogNormalize(spec) => Some(&mut spec.emits_update_before),
        OperatorSpec::SinkMaterialize(spec) => Some(&mut spec.emits_update_before),
        _ => None,
    }
}
