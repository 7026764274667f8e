//! The split enumerators of a job's sources.

use headwater_connector_api::{Registry, SplitEnumerator};
use headwater_env::Env;
use headwater_plan::{JobGraph, OperatorSpec, SourceSpec};
use headwater_taskmanager::SplitAnswer;
use headwater_types::ids::{SubtaskId, VertexId};
use headwater_types::{Error, Result};
use std::collections::BTreeMap;

/// One enumerator per source vertex.
pub(crate) struct Splits {
    enumerators: BTreeMap<VertexId, (Box<dyn SplitEnumerator>, u32)>,
}

impl Splits {
    /// Makes the enumerators of all sources of a job.
    pub(crate) fn new(graph: &JobGraph, registry: &Registry, env: &Env) -> Result<Self> {
        let mut enumerators = BTreeMap::new();
        for vertex in &graph.vertices {
            if let Some(OperatorSpec::Source(scan)) = vertex.chain.first().map(|node| &node.spec) {
                enumerators.insert(vertex.id, (enumerator(scan, registry, env)?, vertex.parallelism));
            }
        }
        Ok(Self { enumerators })
    }

    /// The answer to a source subtask that asks for a split.
    pub(crate) fn next(&mut self, subtask: SubtaskId) -> Result<SplitAnswer> {
        let Some((enumerator, parallelism)) = self.enumerators.get_mut(&subtask.vertex) else {
            return Err(Error::internal(format!("subtask {subtask} is not a source but asks for a split")));
        };
        Ok(enumerator.next_split(subtask.index, *parallelism)?.into())
    }
}

fn enumerator(scan: &SourceSpec, registry: &Registry, env: &Env) -> Result<Box<dyn SplitEnumerator>> {
    let name = scan.table.options.get("connector").map(String::as_str).unwrap_or_default();
    let source = registry.get(name)?.source(scan)?;
    let path = scan.table.path.join(".");
    source
        .ok_or_else(|| {
            Error::user("connector-direction", format!("the {name} connector cannot read the table {path}"))
        })?
        .enumerator(env)
}
