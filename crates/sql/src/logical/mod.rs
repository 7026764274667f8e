//! The logical plan: DataFusion's [`LogicalPlan`](datafusion_expr::LogicalPlan) with our extension nodes.
//!
//! Conventions between binder, optimiser and lowering:
//!
//! * Every column of a plan is unqualified and has a name that is unique in the whole plan: the display
//!   name, `#`, a number ([`ColumnNames::fresh`]). So no rule ever meets an ambiguous name, a self-join
//!   needs no aliases, and `SubqueryAlias` is not used. A node that passes columns through (filter, join,
//!   sort, window function, watermark assigner) keeps their names; a projection names each output with an
//!   alias.
//! * Everything whose meaning differs from DataFusion's is a [`FunctionUdf`](headwater_expressions) with
//!   Flink's bound types: arithmetic, casts, comparisons of types DataFusion would coerce, every function.
//!   DataFusion's own nodes are used for column references, literals, AND, OR, NOT, IS [NOT] NULL, CASE,
//!   IN lists, comparisons (`=`, `<>`, `<`, ..., IS [NOT] DISTINCT FROM) between operands of one Arrow type,
//!   subqueries and outer references. DataFusion's `Cast` is never produced by the binder.
//! * Flink's types are derived bottom-up ([`types::column_types`]); nothing depends on field metadata
//!   surviving a rule.
//! * Sources are [`Scan`] leaves, not `TableScan`s: all physical and used metadata columns are scanned, and
//!   the physical plan prunes columns after equal subplans were shared.
//! * Aggregates are native `Aggregate` nodes over [`aggregate::FlinkAggregate`] functions, each aliased;
//!   group expressions are plain columns (a projection below computes them). Grouping sets are an
//!   [`Expand`] below an ordinary aggregate.

pub mod aggregate;
pub mod changelog_codes;
pub mod match_recognize;
pub mod membership;
pub mod nodes;
pub mod over;
pub mod snapshot;
pub mod state_ttl;
pub mod types;

pub use changelog_codes::{FromChangelog, ToChangelog};
pub use match_recognize::MatchRecognize;
pub use nodes::{Expand, InlineValues, Rank, RankOrder, Scan, Unnest, WatermarkAssigner, WindowTvf};
pub use over::{Over, OverCall};
pub use snapshot::Snapshot;
pub use state_ttl::StateTtl;

/// Makes column names that are unique within a plan.
#[derive(Debug, Default)]
pub struct ColumnNames {
    next: usize,
}

impl ColumnNames {
    /// A fresh unique name that shows `display`.
    pub fn fresh(&mut self, display: &str) -> String {
        self.next += 1;
        format!("{display}#{}", self.next)
    }
}

/// The display part of a unique column name.
pub fn display_name(unique: &str) -> &str {
    unique.rsplit_once('#').map_or(unique, |(display, _)| display)
}

/// Name of a column that holds a computed value: the same for the same expression over columns of the same names.
/// State is found again by such names after a query changed, so values computed in another way need another one.
pub fn computed_name(expr: &datafusion_expr::Expr) -> String {
    let text = expr.to_string();
    let mut canonical = String::with_capacity(text.len());
    let mut rest = text.as_str();
    // Unique names end in a number that depends on the rest of the query.
    while let Some((before, after)) = rest.split_once('#') {
        canonical.push_str(before);
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    canonical.push_str(rest);
    format!("${:08x}", headwater_data::stable_hash(canonical.as_bytes()) >> 32)
}
