//! Streams of upserts become full changelogs right behind their sources.
//!
//! Watermarks are still assigned first: they belong to the splits of the source, and the exchange of the
//! normalisation mixes those.

use super::changelog::CDC_DUPLICATES;
use super::physical::Node;
use super::relation::Relation;
use super::{Lowering, keyed};
use crate::logical::Scan;
use headwater_connector_api::ChangelogMode;
use headwater_plan::operators::ChangelogNormalizeSpec;
use headwater_plan::{Expr, OperatorSpec};
use headwater_types::{Error, Result};

impl Lowering<'_> {
    /// The rows of a scan, normalised by primary key where changes lack what they replace or may repeat.
    pub(super) fn normalized(&mut self, scan: &Scan, source: Relation) -> Result<Relation> {
        let key = &scan.table.primary_key;
        let repeats = scan.mode == ChangelogMode::Retract && self.context.config.boolean(CDC_DUPLICATES)?;
        if repeats && key.is_empty() {
            let message = format!(
                "Configuration '{}' is enabled which requires the changelog sources to define a PRIMARY KEY. However, \
                 table '{}' doesn't have a primary key.",
                CDC_DUPLICATES.name,
                scan.table.path.join(".")
            );
            return Err(Error::user("missing-primary-key", message));
        }
        if scan.mode != ChangelogMode::Upsert && !repeats {
            return Ok(source);
        }
        let position = |name: &String| {
            let found = scan.columns.iter().position(|(_, column)| column.name == *name);
            found.ok_or_else(|| Error::internal(format!("the primary-key column {name} is not scanned")))
        };
        let keys = key.iter().map(position).collect::<Result<Vec<_>>>()?;
        let producers = vec![self.normalize(&source, keys)?];
        Ok(Relation { producers, ..source })
    }

    fn normalize(&mut self, input: &Relation, keys: Vec<usize>) -> Result<usize> {
        let (partitioning, parallelism) = keyed(&keys);
        let spec = ChangelogNormalizeSpec {
            keys,
            condition: None,
            emits_update_before: true,
            mini_batch: self.mini_batch()?,
            state_ttl_ms: 0,
        };
        let types = self.types(input).to_vec();
        let names = self.names(input).to_vec();
        let node = self.unary_node(input, OperatorSpec::ChangelogNormalize(spec), types, names);
        let inputs = vec![input.input(partitioning)];
        Ok(self.physical.add(Node { inputs, parallelism, emits_changes: true, ..node }))
    }

    /// The rows below a normalisation, through calcs that keep its key, with the key's positions in them.
    pub(super) fn below_normalize(&mut self, relation: &Relation) -> Option<(Relation, Vec<usize>)> {
        let [producer] = relation.producers[..] else { return None };
        let node = self.physical.node(producer).clone();
        let input = node.inputs.first()?.producers.clone();
        match &node.spec {
            OperatorSpec::ChangelogNormalize(spec) => {
                Some((Relation { producers: input, ..relation.clone() }, spec.keys.clone()))
            }
            OperatorSpec::Calc(calc) if calc.condition.is_none() => {
                let (below, keys) = self.below_normalize(&Relation { producers: input, ..relation.clone() })?;
                let place = |key: &usize| {
                    let is_key = |e: &Expr| matches!(e, Expr::Column { index, .. } if index == key);
                    calc.projection.iter().position(is_key)
                };
                let keys = keys.iter().map(place).collect::<Option<Vec<_>>>()?;
                let inputs = vec![super::one_input(&below.producers, node.inputs[0].partitioning.clone())];
                let calc = self.physical.add(Node { inputs, ..node });
                Some((Relation { producers: vec![calc], ..relation.clone() }, keys))
            }
            _ => None,
        }
    }

    /// The rows of a watermark assigner that was put below a normalisation.
    pub(super) fn normalized_again(&mut self, assigned: Relation, keys: Option<Vec<usize>>) -> Result<Relation> {
        let Some(keys) = keys else { return Ok(assigned) };
        let producers = vec![self.normalize(&assigned, keys)?];
        Ok(Relation { producers, ..assigned })
    }
}
