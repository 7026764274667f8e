//! `TO_CHANGELOG` and `FROM_CHANGELOG`.

use super::physical::Node;
use super::relation::{Relation, Slot};
use super::{Lowering, keyed};
use crate::logical::nodes::NamedType;
use crate::logical::{FromChangelog, ToChangelog, display_name};
use headwater_plan::OperatorSpec;
use headwater_plan::operators::{FromChangelogSpec, PartialDeletion, ToChangelogSpec};
use headwater_types::{Error, Result};

impl Lowering<'_> {
    pub(super) fn lower_to_changelog(&mut self, codes: &ToChangelog) -> Result<Relation> {
        let input = self.whole(&codes.input)?;
        let keys = positions(&input, &codes.partition_by)?;
        let deletion = codes.partial_deletes.then(|| PartialDeletion { keys: keys.clone() });
        let spec = OperatorSpec::ToChangelog(ToChangelogSpec { codes: codes.codes.clone(), deletion });
        self.coded(&input, spec, &keys, codes.columns()?, false)
    }

    pub(super) fn lower_from_changelog(&mut self, codes: &FromChangelog) -> Result<Relation> {
        let input = self.whole(&codes.input)?;
        let keys = positions(&input, &codes.partition_by)?;
        let [code] = positions(&input, std::slice::from_ref(&codes.code))?[..] else {
            return Err(Error::internal("a code in several columns"));
        };
        let without_code = |key: &usize| key - usize::from(*key > code);
        let spec = FromChangelogSpec {
            code,
            kinds: codes.kinds.clone(),
            skips_errors: codes.skips_errors,
            keys: keys.iter().map(without_code).collect(),
        };
        let (upsert, own) = (spec.is_upsert(), spec.keys.clone());
        let changes = self.coded(&input, OperatorSpec::FromChangelog(spec), &keys, codes.columns()?, true)?;
        match upsert {
            true => self.normalized_again(changes, Some(own)),
            false => Ok(changes),
        }
    }

    /// The columns of a plan, in the order of its schema and no others.
    pub(super) fn whole(&mut self, plan: &datafusion_expr::LogicalPlan) -> Result<Relation> {
        let input = self.plan(plan)?;
        let names: Vec<String> = plan.schema().fields().iter().map(|f| f.name().clone()).collect();
        self.select(&input, &names)
    }

    fn coded(
        &mut self,
        input: &Relation,
        spec: OperatorSpec,
        keys: &[usize],
        columns: Vec<NamedType>,
        changes: bool,
    ) -> Result<Relation> {
        let names = columns.iter().map(|(name, _)| display_name(name).to_owned()).collect();
        let types = columns.iter().map(|(_, ty)| ty.clone()).collect();
        let node = Node { emits_changes: changes, ..self.unary_node(input, spec, types, names) };
        let node = match keys {
            [] => node,
            keys => {
                let (partitioning, parallelism) = keyed(keys);
                Node { inputs: vec![input.input(partitioning)], parallelism, ..node }
            }
        };
        let slots = columns.into_iter().enumerate().map(|(i, (name, _))| (name, Slot::Physical(i))).collect();
        Ok(Relation::new(self.physical.add(node), slots))
    }
}

/// Where the columns of these unique names are.
pub(super) fn positions(input: &Relation, names: &[String]) -> Result<Vec<usize>> {
    let position = |name: &String| match input.slot(name) {
        Some(Slot::Physical(position)) => Ok(position),
        _ => Err(Error::internal(format!("column {name} is not in scope"))),
    };
    names.iter().map(position).collect()
}
