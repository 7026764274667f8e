//! Column lineage between the datasets of a graph.

use super::Window;
use crate::error::Result;
use crate::names::{DIRECT, RELATION_TYPES, bits};
use crate::read::{iso, texts};
use crate::store::db::{Database, Param};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Relations of a pair of datasets: by target column (empty for the whole dataset) and source column, what kind, when
/// last, and the expression of the latest.
pub type Relations = BTreeMap<(String, String), Relation>;

/// What is known of two columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Relation {
    /// Mask of kinds.
    pub types: i64,
    /// Last hour.
    pub last: i64,
    /// The expression, if a producer told it.
    pub expression: String,
    /// The job of the latest.
    pub job: i64,
}

/// Whose column lineage counts: a column of the table and its values.
pub type Filter = Option<(&'static str, Vec<i64>)>;

/// Column lineage by source and target dataset. `sources` and `targets` bound either end, when given.
///
/// # Errors
/// Those of the database.
pub async fn find(
    db: &Database,
    sources: Option<&BTreeSet<i64>>,
    targets: Option<&BTreeSet<i64>>,
    units: Filter,
    window: &Window,
) -> Result<BTreeMap<(i64, i64), Relations>> {
    let mut params: Vec<Param> = vec![];
    let mut conditions = vec![window.condition("c")];
    let mut within = |column: &str, ids: Vec<i64>| {
        params.push(ids.into());
        conditions.push(db.within_ints(column, params.len()));
    };
    for (column, ids) in [("c.source_id", sources), ("c.target_id", targets)] {
        if let Some(ids) = ids {
            within(column, ids.iter().copied().collect());
        }
    }
    if let Some((column, ids)) = units {
        within(&format!("c.{column}"), ids);
    }
    let sql = format!(
        "SELECT c.source_id, c.target_id, c.set_id, c.job_id, {} FROM column_lineage c WHERE {} \
         GROUP BY c.source_id, c.target_id, c.set_id, c.job_id",
        window.last_hour("c"),
        conditions.join(" AND ")
    );
    let rows = db.rows(&sql, params).await?;
    let sets: BTreeSet<i64> = rows.iter().map(|row| row.int(2)).collect();
    let sets = texts(db, "column_set", sets.into_iter().collect()).await?;
    let sets: HashMap<i64, Vec<(String, String, i64, String)>> =
        sets.into_iter().filter_map(|(id, text)| Some((id, serde_json::from_str(&text).ok()?))).collect();
    let mut found: BTreeMap<(i64, i64), Relations> = BTreeMap::new();
    for row in rows {
        let relations = found.entry((row.int(0), row.int(1))).or_default();
        for (source, target, types, expression) in sets.get(&row.int(2)).into_iter().flatten() {
            let known = relations.entry((target.clone(), source.clone())).or_default();
            known.types |= types;
            let last = row.int(4);
            if (last, expression) >= (known.last, &known.expression) {
                (known.last, known.job) = (last, row.int(3));
                if !expression.is_empty() {
                    known.expression.clone_from(expression);
                }
            }
        }
    }
    Ok(found)
}

/// The `direct_column_lineage` and `indirect_column_lineage` of an answer.
pub fn shown(found: &BTreeMap<(i64, i64), Relations>) -> (Vec<Value>, Vec<Value>) {
    let (mut direct, mut indirect) = (vec![], vec![]);
    for ((source, target), relations) in found {
        let entity = |id: i64| json!({"kind": "DATASET", "id": id.to_string()});
        let mut fields: Map<String, Value> = Map::new();
        let mut whole = vec![];
        for ((column, from), relation) in relations {
            let value = json!({"field": from, "types": bits(&RELATION_TYPES, relation.types),
                               "last_used_at": iso(relation.last)});
            if column.is_empty() {
                whole.push(value);
            } else if let Some(list) = fields.entry(column.clone()).or_insert_with(|| json!([])).as_array_mut() {
                list.push(value);
            }
        }
        if !fields.is_empty() {
            direct.push(json!({"from": entity(*source), "to": entity(*target), "fields": fields}));
        }
        if !whole.is_empty() {
            indirect.push(json!({"from": entity(*source), "to": entity(*target), "fields": whole}));
        }
    }
    (direct, indirect)
}

/// Whether values pass from source to target.
pub fn is_direct(types: i64) -> bool {
    types & DIRECT != 0
}
