//! Builds the plan again with everything that was decided about its changelog.

use super::super::keyed;
use super::super::one_input;
use super::super::physical::{Input, Node, Parallelism, Physical};
use super::before::{Facts, Needs, unique_by};
use super::kinds::{self, Kinds};
use super::rank::Strategies;
use super::sink::{Write, Writes};
use super::{Context, Derived, FOREVER, input_kinds};
use headwater_connector_api::ChangelogMode;
use headwater_plan::operators::{DeduplicateSpec, DropUpdateBeforeSpec, JoinInputKey, JoinSpec, SinkMaterializeSpec};
use headwater_plan::{Expr, OperatorSpec, Partitioning};

/// What was decided.
pub struct Decisions<'a> {
    /// The plan and what is known about it.
    pub facts: &'a Facts<'a>,
    /// How ranks are kept.
    pub strategies: &'a Strategies,
    /// How sinks are written.
    pub writes: &'a Writes,
    /// Who needs `-U`.
    pub needs: &'a Needs,
    /// Life of state where no hint says otherwise, milliseconds.
    pub ttl_ms: i64,
}

/// The plan with the decisions in it.
pub fn rebuild(decisions: &Decisions<'_>, roots: &[usize], context: &Context<'_>) -> Derived {
    let count = decisions.facts.physical.node_count();
    let mut rebuild =
        Rebuild { decisions, context, plan: Physical::default(), kinds: vec![], ids: vec![usize::MAX; count] };
    for id in decisions.facts.order {
        rebuild.node(*id);
    }
    let roots = roots.iter().map(|root| rebuild.ids[*root]).collect();
    Derived { physical: rebuild.plan, roots, kinds: rebuild.kinds }
}

struct Rebuild<'a> {
    decisions: &'a Decisions<'a>,
    context: &'a Context<'a>,
    plan: Physical,
    /// Of the operators of `plan`.
    kinds: Vec<Kinds>,
    /// Where the operators of the old plan are.
    ids: Vec<usize>,
}

impl Rebuild<'_> {
    fn node(&mut self, id: usize) {
        let old = self.decisions.facts.physical.node(id);
        if self.is_needless(id) {
            self.ids[id] = self.ids[old.inputs[0].producers[0]];
            return;
        }
        let mut node = old.clone();
        self.decide(id, &mut node);
        for (port, input) in node.inputs.iter_mut().enumerate() {
            input.producers.iter_mut().for_each(|producer| *producer = self.ids[*producer]);
            let drops = !matches!(old.spec, OperatorSpec::Sink(_)) && !self.decisions.needs.by_input[id][port];
            if drops {
                self.drop_update_before(input, None);
            }
        }
        if let Some(write) = self.decisions.writes.get(id) {
            self.prepare_writes(&mut node, write, self.decisions.facts.keys.before_exchange(old, 0).first().cloned());
        }
        self.ids[id] = self.add(node);
    }

    /// Sets what an operator can choose.
    fn decide(&self, id: usize, node: &mut Node) {
        let facts = self.decisions.facts;
        if let Some(emits) = kinds::choice(&mut node.spec) {
            *emits = self.decisions.needs.wanted[id];
        }
        let old = facts.physical.node(id);
        match &mut node.spec {
            OperatorSpec::Rank(rank) => rank.strategy = self.decisions.strategies.of(id),
            OperatorSpec::Join(join) => {
                (join.left_unique, join.right_unique) =
                    (input_key(facts, old, join, 0), input_key(facts, old, join, 1));
            }
            OperatorSpec::ToChangelog(codes) => {
                let key = facts.keys.before_exchange(old, 0).first();
                if let (Some(deletion), Some(key)) = (&mut codes.deletion, key)
                    && deletion.keys.is_empty()
                {
                    deletion.keys.clone_from(key);
                }
            }
            _ => {}
        }
        fill_ttl(&mut node.spec, self.decisions.ttl_ms);
    }

    fn add(&mut self, mut node: Node) -> usize {
        let mode = self.context.source_mode(&node.spec);
        let kinds = kinds::produced(&node.spec, &input_kinds(&node, &self.kinds), mode);
        node.emits_changes = !kinds.is_append();
        let id = match node.spec {
            OperatorSpec::Sink(_) => self.plan.add_unshared(node),
            _ => self.plan.add(node),
        };
        if id == self.kinds.len() {
            self.kinds.push(kinds);
        }
        id
    }

    /// Takes `-U` off the rows of an input's producers.
    fn drop_update_before(&mut self, input: &mut Input, keys: Option<&Vec<usize>>) {
        for producer in &mut input.producers {
            if self.kinds[*producer].update_before {
                let spec = DropUpdateBeforeSpec { keys: keys.cloned() };
                *producer = self.above(*producer, OperatorSpec::DropUpdateBefore(spec), Parallelism::Inherit);
            }
        }
    }

    /// An operator over a producer whose rows keep their columns.
    fn above(&mut self, producer: usize, spec: OperatorSpec, parallelism: Parallelism) -> usize {
        let inputs = vec![one_input(&[producer], Partitioning::Forward)];
        self.add(Node { spec, inputs, parallelism, ..self.plan.node(producer).clone() })
    }

    /// What stands between a query and its sink.
    fn prepare_writes(&mut self, sink: &mut Node, write: &Write, upsert_key: Option<Vec<usize>>) {
        let state_ttl_ms = self.decisions.ttl_ms;
        let keys = write.primary_key.clone();
        if write.keep_first {
            let spec = DeduplicateSpec {
                keys,
                rowtime: None,
                keep_last: false,
                emits_update_before: false,
                emits_insert: true,
                mini_batch: None,
                state_ttl_ms,
            };
            self.keyed_above(sink, OperatorSpec::Deduplicate(spec), write);
        } else if write.materialize {
            let emits_update_before = write.mode == ChangelogMode::Retract;
            let spec = SinkMaterializeSpec { keys, upsert_key, emits_update_before, state_ttl_ms };
            self.keyed_above(sink, OperatorSpec::SinkMaterialize(spec), write);
        } else if write.keyed {
            sink.inputs[0].partitioning = Partitioning::Hash(write.primary_key.clone());
        }
        if write.mode != ChangelogMode::Retract {
            let keys = (!write.primary_key.is_empty()).then_some(&write.primary_key);
            self.drop_update_before(&mut sink.inputs[0], keys);
        }
    }

    /// Puts an operator keyed by the primary key between a sink and its input.
    fn keyed_above(&mut self, sink: &mut Node, spec: OperatorSpec, write: &Write) {
        let (partitioning, parallelism) = keyed(&write.primary_key);
        let parallelism = match sink.parallelism {
            Parallelism::Fixed(n) => Parallelism::Fixed(n),
            _ => parallelism,
        };
        let first = self.plan.node(sink.inputs[0].producers[0]).clone();
        let inputs = vec![Input { producers: sink.inputs[0].producers.clone(), partitioning }];
        let added = self.add(Node { spec, inputs, parallelism, ..first });
        sink.inputs = vec![one_input(&[added], Partitioning::Forward)];
    }

    /// Whether a normalisation can go: nobody needs the rows that an upsert stream does not carry, because all
    /// that follows are sinks that identify rows by the same key.
    fn is_needless(&self, id: usize) -> bool {
        let facts = self.decisions.facts;
        let OperatorSpec::ChangelogNormalize(spec) = &facts.physical.node(id).spec else { return false };
        let upsert = || {
            if let OperatorSpec::FromChangelog(from) =
                &facts.physical.node(facts.physical.node(id).inputs[0].producers[0]).spec
            {
                return from.is_upsert();
            }
            let sources = sources(facts.physical, id);
            sources.iter().all(|s| self.context.source_mode(&facts.physical.node(*s).spec) == ChangelogMode::Upsert)
        };
        spec.condition.is_none() && !self.decisions.needs.wanted[id] && upsert() && self.feeds_upsert_sinks(id)
    }

    fn feeds_upsert_sinks(&self, id: usize) -> bool {
        let facts = self.decisions.facts;
        let mut consumers =
            facts.order.iter().filter(|c| facts.physical.node(**c).inputs.iter().any(|i| i.producers.contains(&id)));
        consumers.all(|consumer| match &facts.physical.node(*consumer).spec {
            OperatorSpec::Sink(_) => {
                let write = self.decisions.writes.of(*consumer);
                write.mode == ChangelogMode::Upsert
                    && write.by_key
                    && !write.primary_key.is_empty()
                    && !write.materialize
            }
            OperatorSpec::Calc(calc) => {
                let plain = |expr: &Expr| matches!(expr, Expr::Column { .. });
                calc.condition.is_none() && calc.projection.iter().all(plain) && self.feeds_upsert_sinks(*consumer)
            }
            _ => false,
        })
    }
}

/// The sources below an operator.
fn sources(physical: &Physical, id: usize) -> Vec<usize> {
    let reachable = physical.reachable(&[id]);
    reachable.into_iter().filter(|s| matches!(physical.node(*s).spec, OperatorSpec::Source(_))).collect()
}

fn input_key(facts: &Facts<'_>, node: &Node, join: &JoinSpec, port: usize) -> JoinInputKey {
    let on = if port == 0 { &join.left_keys } else { &join.right_keys };
    if unique_by(facts, node, port, on) {
        return JoinInputKey::JoinKeyUnique;
    }
    match facts.keys.before_exchange(node, port).first() {
        Some(key) => JoinInputKey::Unique(key.clone()),
        None => JoinInputKey::None,
    }
}

/// Gives state the default life where no hint gave it another.
pub fn fill_ttl(spec: &mut OperatorSpec, default_ms: i64) {
    for ttl in super::state::ttls(spec) {
        *ttl = match *ttl {
            0 => default_ms,
            FOREVER => 0,
            hinted => hinted,
        };
    }
}
