//! Joins without a bound in time: both inputs are kept, and either may take rows back.

use super::super::Lowering;
use super::super::relation::Relation;
use super::{JoinOutput, Sides, all_of, positions};
use headwater_plan::OperatorSpec;
use headwater_plan::operators::{JoinInputKey, JoinKind, JoinSpec};

impl Lowering<'_> {
    /// The order of the output has nothing to do with the times in it, so time attributes become plain timestamps.
    /// `ttls_ms` is what hints say about the life of the rows of each side.
    pub(super) fn regular_join(&mut self, sides: Sides, ttls_ms: [i64; 2]) -> Relation {
        let final_only = self.final_only(&sides.left) && self.final_only(&sides.right);
        let takes_back = matches!(sides.kind, JoinKind::Left | JoinKind::Right | JoinKind::Full | JoinKind::Anti);
        let changes = takes_back || self.emits_changes(&sides.left) || self.emits_changes(&sides.right);
        let (left_keys, right_keys) = positions(&sides.pairs);
        let spec = JoinSpec {
            kind: sides.kind,
            left_keys,
            right_keys,
            null_safe: sides.pairs.iter().map(|p| p.null_safe).collect(),
            condition: all_of(sides.residual.clone()),
            left_unique: JoinInputKey::None,
            right_unique: JoinInputKey::None,
            left_ttl_ms: ttls_ms[0],
            right_ttl_ms: ttls_ms[1],
            final_only,
        };
        let output = JoinOutput { emits_changes: changes && !final_only, keeps_time: [false, false] };
        self.add_join(&sides, &sides.pairs, output, OperatorSpec::Join(spec))
    }
}
