//! The changelog of a plan: which kinds of rows flow where, by which keys, and at what cost.
//!
//! Pure passes over the pruned physical plan, in the manner of Flink's changelog-mode inference:
//!
//! 1. filters move to the normalisation of upsert streams ([`normalize`]);
//! 2. bottom-up: the kinds every operator may emit ([`kinds`]), its upsert keys ([`keys`]), how its columns change
//!    ([`monotonic`]), whether it may leave `-U` out ([`before`]);
//! 3. each sink decides how it is written ([`sink`]), each Top-N how it is kept ([`rank`]);
//! 4. top-down: who needs `-U` rows;
//! 5. the plan is rebuilt with these decisions ([`rebuild`]): `-U` is emitted only where a consumer needs it and
//!    dropped on the edges to others, joins know their keys, sinks get a materialiser, a needless normalisation goes.
//!
//! What each stateful operator then keeps is described by [`state`].

mod before;
mod keys;
mod kinds;
mod monotonic;
mod normalize;
pub mod prune;
mod rank;
mod rebuild;
mod sink;
pub mod state;
pub mod text;

#[cfg(test)]
mod tests;

pub use kinds::Kinds;
pub use sink::{KEYED_SHUFFLE, REQUIRE_ON_CONFLICT, SinkTraits, UPSERT_MATERIALIZE};

use super::physical::Physical;
use before::{Facts, Needs, can_omit};
use headwater_connector_api::ChangelogMode;
use headwater_functions::Determinism;
use headwater_plan::{Expr, OperatorSpec, TableSpec};
use headwater_types::config::{Configuration, Key};
use headwater_types::{Error, Result};
use keys::Keys;
use rank::Strategies;
use sink::Writes;

/// How long idle state lives; 0 is for ever.
pub const STATE_TTL: Key = Key { name: "table.exec.state.ttl", default: "0 ms" };
/// Whether sources of full changelogs may repeat changes, so that they are normalised by primary key.
pub const CDC_DUPLICATES: Key = Key { name: "table.exec.source.cdc-events-duplicate", default: "false" };

/// In a specification before this pass, the life of state that a hint wants to last for ever. There, 0 says nothing.
pub const FOREVER: i64 = i64::MAX;

/// What the changelog of a plan depends on besides the plan.
pub struct Context<'a> {
    /// The configuration of the job.
    pub config: &'a Configuration,
    /// The row kinds of scanned tables; others are append-only.
    pub sources: &'a [(TableSpec, ChangelogMode)],
    /// What is known about each root.
    pub sinks: &'a [SinkTraits],
    /// Whether the job runs in batch mode.
    pub batch: bool,
}

impl Context<'_> {
    fn source_mode(&self, spec: &OperatorSpec) -> ChangelogMode {
        let OperatorSpec::Source(source) = spec else { return ChangelogMode::Append };
        let known = self.sources.iter().find(|(table, _)| *table == source.table);
        known.map_or(ChangelogMode::Append, |(_, mode)| *mode)
    }
}

/// A plan whose changelog is decided.
pub struct Derived {
    /// The plan.
    pub physical: Physical,
    /// Its sinks, in the order they were given.
    pub roots: Vec<usize>,
    /// The kinds of rows every operator emits.
    pub kinds: Vec<Kinds>,
}

/// Decides the changelog of a plan.
pub fn derive(physical: &Physical, roots: &[usize], context: &Context<'_>) -> Result<Derived> {
    let (physical, roots) = normalize::push_filters(physical, roots);
    let order = physical.reachable(&roots);
    let ttl_ms = default_ttl(context.config)?;
    let kinds = possible_kinds(&physical, &order, context, ttl_ms);
    let keys = Keys::derive(&physical, &order, &kinds);
    let facts = Facts { physical: &physical, order: &order, kinds: &kinds, keys: &keys };
    check_inputs(&facts)?;
    let can_omit = can_omit(&facts);
    let changes = monotonic::derive(&physical, &order, &kinds);
    let strategies = Strategies::choose(&facts, &changes, &can_omit);
    let writes = Writes::decide(&facts, &roots, context.sinks, context.config, context.batch)?;
    let needs = Needs::derive(&facts, &can_omit, &strategies, &writes);
    let decisions =
        rebuild::Decisions { facts: &facts, strategies: &strategies, writes: &writes, needs: &needs, ttl_ms };
    Ok(rebuild::rebuild(&decisions, &roots, context))
}

/// `table.exec.state.ttl` in milliseconds.
fn default_ttl(config: &Configuration) -> Result<i64> {
    let ttl = config.duration(STATE_TTL)?.as_millis();
    i64::try_from(ttl).map_err(|_| Error::user("bad-config-value", format!("'{}' is too long", STATE_TTL.name)))
}

/// What every operator emits if all that can choose emit `-U`.
fn possible_kinds(physical: &Physical, order: &[usize], context: &Context<'_>, ttl_ms: i64) -> Vec<Kinds> {
    let mut kinds = vec![Kinds::APPEND; physical.node_count()];
    for id in order {
        let node = physical.node(*id);
        let mut spec = node.spec.clone();
        if let Some(emits) = kinds::choice(&mut spec) {
            *emits = true;
        }
        rebuild::fill_ttl(&mut spec, ttl_ms);
        kinds[*id] = kinds::produced(&spec, &input_kinds(node, &kinds), context.source_mode(&spec));
    }
    kinds
}

fn input_kinds(node: &super::physical::Node, kinds: &[Kinds]) -> Vec<Kinds> {
    let of_input = |input: &super::physical::Input| {
        input.producers.iter().fold(Kinds::APPEND, |all, producer| all.union(kinds[*producer]))
    };
    node.inputs.iter().map(of_input).collect()
}

/// Refuses changes where only inserts are understood.
fn check_inputs(facts: &Facts<'_>) -> Result<()> {
    for id in facts.order {
        let node = facts.physical.node(*id);
        check_deletions(facts, node)?;
        if kinds::accepts_changes(&node.spec) {
            continue;
        }
        let producers = node.inputs.iter().flat_map(|i| &i.producers);
        if let Some(producer) = producers.copied().find(|p| !facts.kinds[*p].is_append()) {
            return Err(sink::refused(facts, node.spec_name(), producer));
        }
    }
    Ok(())
}

/// Refuses deletions that tell the key of their row where there is none.
fn check_deletions(facts: &Facts<'_>, node: &super::physical::Node) -> Result<()> {
    let OperatorSpec::ToChangelog(codes) = &node.spec else { return Ok(()) };
    let lacks_key = codes.deletion.as_ref().is_some_and(|deletion| deletion.keys.is_empty());
    if !lacks_key || !facts.keys.before_exchange(node, 0).is_empty() {
        return Ok(());
    }
    let message = "TO_CHANGELOG with produces_full_deletes => false needs input with an upsert key: a PRIMARY KEY of the \
                   table, or PARTITION BY the columns that identify a row";
    Err(Error::user("missing-upsert-key", message))
}

/// Whether an expression gives the same value whenever it is evaluated.
fn is_deterministic(expr: &Expr) -> bool {
    let own = match expr {
        Expr::Call { function, .. } => {
            headwater_functions::lookup(function).is_some_and(|function| function.determinism == Determinism::Pure)
        }
        _ => true,
    };
    own && expr.children().into_iter().all(is_deterministic)
}
