//! Where an operator instance gets its state from.

use crate::engine::{EngineContext, EngineKind, EngineOptions};
use crate::evolution::ValueMigrator;
use crate::memory::MemoryBudget;
use crate::rewrite::restored_as;
use crate::row_codec::EncodedRows;
use crate::snapshot::ListSnapshot;
use crate::ttl::split_stored;
use crate::{MapTable, OperatorList, Redistribution, TableDescriptor, TimerTable, ValueTable};
use headwater_data::run::{Entries, EntryRef, EntryStream, Run};
use headwater_env::Env;
use headwater_types::Result;
use std::ops::Range;
use std::sync::Arc;

/// Opens the tables of one operator instance.
#[derive(Clone)]
pub struct StateContext {
    /// Number of key groups of the job.
    pub max_parallelism: u32,
    /// Key groups that this instance owns.
    pub owned_groups: Range<u32>,
    /// Clock for time to live.
    pub env: Env,
    /// What a checkpoint held for this operator; empty for a new job.
    pub restored: Arc<dyn Restored>,
    /// Where tables keep their entries.
    pub engine: EngineOptions,
    /// The memory of the process, which tables count their use against.
    pub memory: MemoryBudget,
}

/// The state of one operator in the checkpoint that a job starts from.
pub trait Restored: Send + Sync {
    /// The table of this name; `None` when the checkpoint has none.
    ///
    /// # Errors
    /// When the stored table cannot be read.
    fn table(&self, name: &str) -> Result<Option<RestoredTable>>;
    /// The items this instance gets of the list of this name.
    ///
    /// # Errors
    /// When the stored list cannot be read.
    fn list(&self, name: &str) -> Result<Vec<ListSnapshot>>;
    /// The runs of the table of this name, for engines that take them over as they are; `None` when the checkpoint has
    /// none, or when they can only be read through [`Restored::table`].
    ///
    /// # Errors
    /// When the stored table cannot be read.
    fn runs(&self, name: &str) -> Result<Option<Vec<RestoredRun>>> {
        let _ = name;
        Ok(None)
    }
    /// Whether the job starts from a checkpoint at all.
    fn is_restored(&self) -> bool;
}

/// A stored table: its descriptor then, and its entries in owned key groups, each once, without deletions.
pub struct RestoredTable {
    /// What the table was when it was stored.
    pub descriptor: TableDescriptor,
    /// The entries, in any order.
    pub entries: Box<dyn EntryStream>,
}

/// A run of a stored table. Runs of a table come oldest first: a newer one hides what an older one says.
pub struct RestoredRun {
    /// What the table was when the run was written.
    pub descriptor: TableDescriptor,
    /// The run.
    pub run: Run,
    /// Key groups that it counts for here, in order.
    pub groups: Vec<Range<u32>>,
}

/// Nothing was restored.
struct Nothing;

impl Restored for Nothing {
    fn table(&self, _name: &str) -> Result<Option<RestoredTable>> {
        Ok(None)
    }

    fn list(&self, _name: &str) -> Result<Vec<ListSnapshot>> {
        Ok(vec![])
    }

    fn is_restored(&self) -> bool {
        false
    }
}

impl StateContext {
    /// State of a new job that owns all of `max_parallelism` key groups.
    pub fn empty(env: Env, max_parallelism: u32) -> Self {
        Self {
            max_parallelism,
            owned_groups: 0..max_parallelism,
            env,
            restored: Arc::new(Nothing),
            engine: EngineOptions::default(),
            memory: MemoryBudget::unlimited(),
        }
    }

    /// Opens a table of one value per key.
    ///
    /// # Errors
    /// When its stored form cannot be read or does not fit.
    pub fn value_table(&self, descriptor: TableDescriptor) -> Result<ValueTable> {
        let mut table = ValueTable::new(descriptor.clone(), self)?;
        if let Some(runs) = self.runs_in_place(&descriptor)? {
            table.adopt(runs)?;
            return Ok(table);
        }
        self.load(&descriptor, &mut |entry, had_ttl| table.load(entry, had_ttl))?;
        table.finish_load()?;
        Ok(table)
    }

    /// Opens a table of an ordered map per key.
    ///
    /// # Errors
    /// When its stored form cannot be read or does not fit.
    pub fn map_table(&self, descriptor: TableDescriptor) -> Result<MapTable> {
        let mut table = MapTable::new(descriptor.clone(), self)?;
        if let Some(runs) = self.runs_in_place(&descriptor)? {
            table.adopt(runs)?;
            return Ok(table);
        }
        self.load(&descriptor, &mut |entry, had_ttl| table.load(entry, had_ttl))?;
        table.finish_load()?;
        Ok(table)
    }

    /// Opens a table of timers.
    ///
    /// # Errors
    /// When its stored form cannot be read or does not fit.
    pub fn timer_table(&self, descriptor: TableDescriptor) -> Result<TimerTable> {
        let mut table = TimerTable::new(descriptor.clone(), self);
        self.load(&descriptor, &mut |entry, _| table.load(entry))?;
        Ok(table)
    }

    /// Opens a list of items that belong to no key.
    ///
    /// # Errors
    /// When its stored form cannot be read.
    pub fn operator_list(&self, name: &str, redistribution: Redistribution) -> Result<OperatorList> {
        let items = self.restored.list(name)?.into_iter().flat_map(|list| list.items).collect();
        Ok(OperatorList::new(name.to_owned(), redistribution, items))
    }

    /// What a checkpoint holds of a table that an operator keeps in a form of its own: every entry once, values as
    /// the table that is `wanted` has them. `None` when there is no such table.
    ///
    /// # Errors
    /// When the stored form cannot be read or does not fit.
    pub fn restored_entries(&self, wanted: &TableDescriptor) -> Result<Option<Box<dyn EntryStream>>> {
        let stored = self.restored.table(&wanted.name)?;
        stored.map(|stored| restored_as(stored, wanted, self.env.now_ms())).transpose()
    }

    pub(crate) fn engine_context(&self) -> Result<EngineContext> {
        let lease = match self.engine.store()? {
            Some(store) => store.lease(&self.memory),
            None => Arc::new(self.memory.lease(u64::MAX)),
        };
        Ok(EngineContext { groups: self.max_parallelism, env: self.env.clone(), lease })
    }

    /// The runs of a table, if the engine can take them over as they are: they hold what the table will, and an engine
    /// on disk can look up entries.
    fn runs_in_place(&self, wanted: &TableDescriptor) -> Result<Option<Vec<RestoredRun>>> {
        let in_memory = matches!(self.engine.kind, EngineKind::HashMap);
        let Some(runs) = self.restored.runs(&wanted.name)? else { return Ok(None) };
        for run in &runs {
            let is_same = run.descriptor.ttl.is_some() == wanted.ttl.is_some()
                && ValueMigrator::new(&run.descriptor, wanted)?.is_none();
            if !is_same || !(in_memory || run.run.is_indexed()) {
                return Ok(None);
            }
        }
        Ok(Some(runs))
    }

    /// Calls `load(entry, had_ttl)` with every restored entry of a table, values rewritten as they are wanted.
    fn load(&self, wanted: &TableDescriptor, load: &mut dyn FnMut(EntryRef<'_>, bool) -> Result<()>) -> Result<()> {
        let Some(mut stored) = self.restored.table(&wanted.name)? else { return Ok(()) };
        let had_ttl = stored.descriptor.ttl.is_some();
        if let Some(migrator) = ValueMigrator::new(&stored.descriptor, wanted)? {
            return load_migrated(stored, &migrator, load);
        }
        while stored.entries.advance()? {
            load(stored.entries.entry(), had_ttl)?;
        }
        Ok(())
    }
}

/// Rows that are rewritten at once.
const MIGRATED_ROWS: usize = 1024;

fn load_migrated(
    mut stored: RestoredTable,
    migrator: &ValueMigrator,
    load: &mut dyn FnMut(EntryRef<'_>, bool) -> Result<()>,
) -> Result<()> {
    let had_ttl = stored.descriptor.ttl.is_some();
    let (mut batch, mut rows, mut migrated) = (Entries::new(), EncodedRows::new(), EncodedRows::new());
    let mut value = vec![];
    loop {
        let more = stored.entries.advance()?;
        if more {
            let entry = stored.entries.entry();
            rows.push(split_stored(entry.value.unwrap_or_default(), had_ttl)?.1);
            batch.push(entry);
        }
        if batch.len() == MIGRATED_ROWS || !more {
            migrator.migrate(&rows, &mut migrated)?;
            for (entry, row) in batch.iter().zip(migrated.iter()) {
                value.clear();
                value.extend_from_slice(split_stored(entry.value.unwrap_or_default(), had_ttl)?.0);
                value.extend_from_slice(row);
                load(EntryRef { value: Some(&value), ..entry }, had_ttl)?;
            }
            batch.clear();
            rows.clear();
        }
        if !more {
            return Ok(());
        }
    }
}
