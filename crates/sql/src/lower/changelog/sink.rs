//! What sinks need of the changes they are given: keys, an order of the changes of a key, and what happens to rows
//! that meet on the primary key.

use super::super::physical::{Node, Physical};
use super::super::text;
use super::before::Facts;
use super::keys::{Key, is_unique, sorted};
use super::kinds::Kinds;
use headwater_connector_api::ChangelogMode;
use headwater_plan::{OperatorSpec, SinkSpec};
use headwater_sql_parser::ast::OnConflict;
use headwater_types::config::{Configuration, Key as ConfigKey};
use headwater_types::{Error, Result};
use std::collections::HashMap;

/// Whether changes are put in the order of the primary key: `NONE`, `AUTO` (where they may be out of it), `FORCE`.
pub const UPSERT_MATERIALIZE: ConfigKey = ConfigKey { name: "table.exec.sink.upsert-materialize", default: "AUTO" };
/// Whether rows are spread over the sink's subtasks by primary key: `NONE`, `AUTO` (where the parallelism changes),
/// `FORCE`.
pub const KEYED_SHUFFLE: ConfigKey = ConfigKey { name: "table.exec.sink.keyed-shuffle", default: "AUTO" };
/// Whether a query whose upsert key is not the sink's primary key must say what happens on conflicts.
pub const REQUIRE_ON_CONFLICT: ConfigKey = ConfigKey { name: "table.exec.sink.require-on-conflict", default: "true" };

/// What an INSERT says about its sink.
#[derive(Debug, Clone, Copy)]
pub struct SinkTraits {
    /// The row kinds the sink takes.
    pub mode: ChangelogMode,
    /// The ON CONFLICT clause.
    pub on_conflict: Option<OnConflict>,
}

/// How a sink is written.
#[derive(Debug, Clone)]
pub struct Write {
    /// The row kinds the sink takes.
    pub mode: ChangelogMode,
    /// Positions of the primary key.
    pub primary_key: Key,
    /// Whether the primary key is an upsert key of the rows (or there is none), so that a `+U` replaces the right row.
    pub by_key: bool,
    /// Whether a materialiser puts the changes in order.
    pub materialize: bool,
    /// Whether the first row of a key stays and later ones are dropped.
    pub keep_first: bool,
    /// Whether rows are spread by primary key.
    pub keyed: bool,
}

/// How the sinks of a plan are written.
pub struct Writes {
    of: HashMap<usize, Write>,
}

impl Writes {
    /// Decides for every sink, or says why it cannot be written.
    pub fn decide(
        facts: &Facts<'_>,
        roots: &[usize],
        traits: &[SinkTraits],
        config: &Configuration,
        batch: bool,
    ) -> Result<Self> {
        let mut of = HashMap::new();
        for (root, traits) in roots.iter().zip(traits) {
            let decision = Decision { facts, node: facts.physical.node(*root), traits: *traits, config, batch };
            of.insert(*root, decision.write()?);
        }
        Ok(Self { of })
    }

    /// How a sink is written.
    pub fn of(&self, sink: usize) -> &Write {
        &self.of[&sink]
    }

    /// How an operator is written, if it is a sink.
    pub fn get(&self, id: usize) -> Option<&Write> {
        self.of.get(&id)
    }
}

struct Decision<'a> {
    facts: &'a Facts<'a>,
    node: &'a Node,
    traits: SinkTraits,
    config: &'a Configuration,
    batch: bool,
}

impl Decision<'_> {
    fn write(&self) -> Result<Write> {
        let OperatorSpec::Sink(sink) = &self.node.spec else {
            return Err(Error::internal("a root of the plan is not a sink"));
        };
        let producers = &self.node.inputs[0].producers;
        let kinds = producers.iter().fold(Kinds::APPEND, |all, p| all.union(self.facts.kinds[*p]));
        if self.traits.mode == ChangelogMode::Append && !kinds.is_append() {
            let producer = producers.iter().copied().find(|p| !self.facts.kinds[*p].is_append());
            return Err(refused(self.facts, &sink_owner(sink), producer.unwrap_or(producers[0])));
        }
        self.check_on_conflict(sink)?;
        let primary_key = primary_key(sink);
        let keys = self.facts.keys.before_exchange(self.node, 0);
        let ordered = primary_key.is_empty() || is_unique(keys, &primary_key);
        let by_key = primary_key.is_empty() || keys.contains(&primary_key);
        let upsert = self.traits.mode == ChangelogMode::Upsert && !self.batch;
        if upsert && !ordered && self.traits.on_conflict.is_none() {
            self.require_on_conflict(sink, keys)?;
        }
        let keep_first = upsert && !ordered && self.traits.on_conflict == Some(OnConflict::Nothing);
        if keep_first && !kinds.is_append() {
            return Err(Error::unsupported(
                "ON CONFLICT DO NOTHING for a query that updates its rows is not supported yet",
            ));
        }
        if upsert && !ordered && self.traits.on_conflict == Some(OnConflict::Error) {
            return Err(Error::unsupported("ON CONFLICT DO ERROR is not supported yet"));
        }
        let materialize = upsert && !keep_first && self.materializes(&primary_key, ordered, kinds)?;
        let keyed = self.keyed_shuffle(&primary_key, kinds)?;
        Ok(Write { mode: self.traits.mode, primary_key, by_key, materialize, keep_first, keyed })
    }

    fn materializes(&self, primary_key: &Key, ordered: bool, kinds: Kinds) -> Result<bool> {
        let choice = choice(self.config, UPSERT_MATERIALIZE, &["NONE", "AUTO", "FORCE"])?;
        Ok(!primary_key.is_empty()
            && match choice {
                "FORCE" => true,
                "AUTO" => !ordered && !kinds.is_append(),
                _ => false,
            })
    }

    fn keyed_shuffle(&self, primary_key: &Key, kinds: Kinds) -> Result<bool> {
        let choice = choice(self.config, KEYED_SHUFFLE, &["NONE", "AUTO", "FORCE"])?;
        let own_parallelism = matches!(self.node.parallelism, super::super::physical::Parallelism::Fixed(_));
        Ok(!primary_key.is_empty()
            && match choice {
                "FORCE" => true,
                "AUTO" => own_parallelism && !kinds.is_append(),
                _ => false,
            })
    }

    fn check_on_conflict(&self, sink: &SinkSpec) -> Result<()> {
        let Some(clause) = self.traits.on_conflict else { return Ok(()) };
        let table = sink.table.path.join(".");
        let reason = match self.traits.mode {
            ChangelogMode::Upsert if sink.table.primary_key.is_empty() => "it has no primary key",
            ChangelogMode::Upsert => "",
            ChangelogMode::Retract => "it requires UPDATE_BEFORE (retract mode)",
            ChangelogMode::Append => "it only accepts INSERT (append mode)",
        };
        if !reason.is_empty() {
            let message = format!(
                "ON CONFLICT clause is only allowed for upsert sinks. The sink '{table}' is not an upsert sink because {reason}."
            );
            return Err(Error::user("bad-on-conflict", message));
        }
        if clause != OnConflict::Deduplicate
            && let Some(source) = source_without_watermark(self.facts.physical, self.node)
        {
            let clause = if clause == OnConflict::Nothing { "NOTHING" } else { "ERROR" };
            let message = format!(
                "ON CONFLICT DO {clause} requires all source tables to define watermarks, but '{source}' does not: \
                 conflicts are decided when the watermark passes them"
            );
            return Err(Error::user("bad-on-conflict", message));
        }
        Ok(())
    }

    fn require_on_conflict(&self, sink: &SinkSpec, keys: &[Key]) -> Result<()> {
        if !self.config.boolean(REQUIRE_ON_CONFLICT)? {
            return Ok(());
        }
        let names = &self.facts.physical.node(self.node.inputs[0].producers[0]).names;
        let upsert_key = keys.first().map_or_else(|| "none".to_owned(), |key| format!("[{}]", text::list(key, names)));
        let message = format!(
            "The query has an upsert key that differs from the primary key of the sink table '{}': the primary key is \
             [{}], the upsert key is {upsert_key}, so different rows of the query may meet on one primary key. Say \
             what happens then with ON CONFLICT DO DEDUPLICATE, DO NOTHING or DO ERROR behind the query, or set \
             '{}' to 'false'.",
            sink.table.path.join("."),
            sink.table.primary_key.join(", "),
            REQUIRE_ON_CONFLICT.name,
        );
        Err(Error::user("missing-on-conflict", message))
    }
}

/// Positions of the primary key in the sink's rows.
fn primary_key(sink: &SinkSpec) -> Key {
    let position = |name: &String| sink.table.columns.iter().position(|(column, _)| column == name);
    sorted(sink.table.primary_key.iter().filter_map(position).collect())
}

fn sink_owner(sink: &SinkSpec) -> String {
    format!("Table sink '{}'", sink.table.path.join("."))
}

/// A scanned table between which and the sink no watermark is assigned.
fn source_without_watermark(physical: &Physical, node: &Node) -> Option<String> {
    let mut stack: Vec<usize> = node.inputs.iter().flat_map(|i| i.producers.clone()).collect();
    while let Some(id) = stack.pop() {
        let node = physical.node(id);
        match &node.spec {
            OperatorSpec::WatermarkAssigner(_) => {}
            OperatorSpec::Source(source) => return Some(source.table.path.join(".")),
            _ => stack.extend(node.inputs.iter().flat_map(|i| i.producers.clone())),
        }
    }
    None
}

/// The error of an operator that takes inserts only but is given changes.
pub fn refused(facts: &Facts<'_>, owner: &str, producer: usize) -> Error {
    let origin = origin(facts, producer);
    let message = format!(
        "{owner} doesn't support consuming {} changes which is produced by node {}",
        facts.kinds[producer].words(),
        text::describe(facts.physical, origin)
    );
    Error::user("sink-changelog", message)
}

/// The operator that made the changes others only pass on.
fn origin(facts: &Facts<'_>, producer: usize) -> usize {
    let mut id = producer;
    loop {
        let node = facts.physical.node(id);
        let passes = matches!(
            &node.spec,
            OperatorSpec::Calc(_)
                | OperatorSpec::WatermarkAssigner(_)
                | OperatorSpec::Expand(_)
                | OperatorSpec::Unnest(_)
                | OperatorSpec::WindowTableFunction(_)
        );
        let next = node.inputs.iter().flat_map(|i| &i.producers).find(|p| !facts.kinds[**p].is_append());
        match next {
            Some(next) if passes => id = *next,
            _ => return id,
        }
    }
}

/// A configured choice, upper case, checked.
pub fn choice(config: &Configuration, key: ConfigKey, choices: &[&'static str]) -> Result<&'static str> {
    let value = config.text(key);
    choices.iter().find(|choice| choice.eq_ignore_ascii_case(value)).copied().ok_or_else(|| {
        let message = format!("'{value}' is not a value of '{}': expected {}", key.name, choices.join(", "));
        Error::user("bad-config-value", message)
    })
}
