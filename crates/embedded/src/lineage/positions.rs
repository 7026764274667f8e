//! Where sources stand, as the latest checkpoint says: the splits of its manifest.

use super::ReporterOptions;
use super::observe::latest;
use headwater_checkpoint::layout::operator_keys;
use headwater_checkpoint::{Blob, Manifest, Statistics};
use headwater_connector_api::Split;
use headwater_jobmanager::JobSummary;
use headwater_jobmanager::locate::locate;
use headwater_lineage::model::PartitionPosition;
use headwater_plan::{JobGraph, OperatorSpec};
use headwater_storage::Provider;
use std::collections::BTreeMap;

/// Partitions that one table tells at most.
const PARTITIONS_MAX: usize = 1_024;

type ByTable = BTreeMap<String, Vec<PartitionPosition>>;

/// The positions of one checkpoint, read once.
#[derive(Default)]
pub(super) struct Positions {
    checkpoint: Option<u64>,
    by_table: ByTable,
}

impl Positions {
    /// The positions of the latest completed checkpoint. One that cannot be read leaves those before.
    pub fn of(&mut self, summary: &JobSummary, statistics: &Statistics, options: &ReporterOptions) -> ByTable {
        let latest = latest(statistics);
        let Some((number, path)) = latest.and_then(|c| Some((c.checkpoint, c.path.as_deref()?))) else {
            return ByTable::new();
        };
        if self.checkpoint != Some(number) {
            let mut config = options.config.clone();
            config.merge(&summary.graph.config);
            if let Ok(origin) = locate(&Provider, path, &config) {
                self.by_table = read(&origin.manifest, &summary.graph, options);
                self.checkpoint = Some(number);
            }
        }
        self.by_table.clone()
    }
}

fn read(manifest: &Manifest, graph: &JobGraph, options: &ReporterOptions) -> ByTable {
    let nodes: Vec<_> = graph.vertices.iter().flat_map(|vertex| &vertex.chain).collect();
    let keys = operator_keys(nodes.iter().map(|node| node.uid.as_str()));
    let mut by_table = ByTable::new();
    for (node, key) in nodes.iter().zip(keys) {
        let OperatorSpec::Source(source) = &node.spec else { continue };
        let connector = options.registry.get(source.table.options.get("connector").map_or("", String::as_str));
        let Ok(connector) = connector else { continue };
        let Some(state) = manifest.operators.iter().find(|state| state.key == key) else { continue };
        let positions = by_table.entry(source.table.path.join(".")).or_default();
        for blob in state.splits.iter().flat_map(|part| &part.items) {
            // A split that is too large to be here is none of a partition.
            let Blob::Inline(bytes) = blob else { continue };
            let position = connector.split_position(&source.table, &Split(bytes.clone()));
            positions.extend(position.map(|(partition, offset)| PartitionPosition { partition, offset }));
        }
        positions.sort_by(|a, b| a.partition.cmp(&b.partition));
        positions.truncate(PARTITIONS_MAX);
    }
    by_table.retain(|_, positions| !positions.is_empty());
    by_table
}
