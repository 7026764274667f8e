//! The split enumerators of a job's sources.

use headwater_connector_api::{Registry, Source, Split, SplitEnumerator};
use headwater_env::Env;
use headwater_plan::{JobGraph, OperatorSpec, SourceSpec};
use headwater_taskmanager::SplitAnswer;
use headwater_types::ids::{SubtaskId, VertexId};
use headwater_types::{Error, Result};
use std::collections::BTreeMap;

/// One enumerator per source vertex.
pub(crate) struct Splits {
    sources: BTreeMap<VertexId, SourceSplits>,
}

struct SourceSplits {
    source: Box<dyn Source>,
    enumerator: Box<dyn SplitEnumerator>,
    parallelism: u32,
}

impl Splits {
    /// Makes the enumerators of all sources of a job, new ones.
    pub(crate) fn new(graph: &JobGraph, registry: &Registry, env: &Env) -> Result<Self> {
        let mut sources = BTreeMap::new();
        for vertex in &graph.vertices {
            if let Some(OperatorSpec::Source(scan)) = vertex.chain.first().map(|node| &node.spec) {
                let source = source(scan, registry)?;
                let enumerator = source.enumerator(env)?;
                sources.insert(vertex.id, SourceSplits { source, enumerator, parallelism: vertex.parallelism });
            }
        }
        Ok(Self { sources })
    }

    /// The answer to a source subtask that asks for a split.
    pub(crate) fn next(&mut self, subtask: SubtaskId) -> Result<SplitAnswer> {
        let Some(source) = self.sources.get_mut(&subtask.vertex) else {
            return Err(Error::internal(format!("subtask {subtask} is not a source but asks for a split")));
        };
        Ok(source.enumerator.next_split(subtask.index, source.parallelism)?.into())
    }

    /// What each enumerator needs to go on from here.
    pub(crate) fn snapshot(&mut self) -> Result<BTreeMap<VertexId, Vec<u8>>> {
        self.sources.iter_mut().map(|(id, source)| Ok((*id, source.enumerator.snapshot()?))).collect()
    }

    /// Puts the enumerator of a source back to a snapshot, or to the beginning.
    pub(crate) fn reset(&mut self, vertex: VertexId, env: &Env, state: Option<&[u8]>) -> Result<()> {
        if let Some(source) = self.sources.get_mut(&vertex) {
            source.enumerator = match state {
                Some(state) => source.source.restore_enumerator(env, state)?,
                None => source.source.enumerator(env)?,
            };
        }
        Ok(())
    }

    /// The job has another parallelism.
    pub(crate) fn reshape(&mut self, graph: &JobGraph) {
        for vertex in &graph.vertices {
            if let Some(source) = self.sources.get_mut(&vertex.id) {
                source.parallelism = vertex.parallelism;
            }
        }
    }

    /// Tells the enumerator of a source that a checkpoint with these remaining splits is complete.
    pub(crate) fn complete(&mut self, vertex: VertexId, checkpoint: u64, splits: &[Split]) -> Result<()> {
        match self.sources.get_mut(&vertex) {
            Some(source) => source.enumerator.checkpoint_complete(checkpoint, splits),
            None => Ok(()),
        }
    }

    /// The sources.
    pub(crate) fn vertices(&self) -> Vec<VertexId> {
        self.sources.keys().copied().collect()
    }
}

fn source(scan: &SourceSpec, registry: &Registry) -> Result<Box<dyn Source>> {
    let name = scan.table.options.get("connector").map(String::as_str).unwrap_or_default();
    let path = scan.table.path.join(".");
    registry
        .get(name)?
        .source(scan)?
        .ok_or_else(|| Error::user("connector-direction", format!("the {name} connector cannot read the table {path}")))
}
