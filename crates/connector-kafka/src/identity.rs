//! What a table is in lineage: topics of a cluster, which is named by the first of its brokers as written.
//!
//! Other OpenLineage producers name a cluster so too. Where clients write other brokers first, a namespace resolver of
//! the lineage configuration gives all of them one name.

use crate::source::{KafkaSplit, Topics, topics_matching};
use headwater_connector_api::{DatasetIdentity, Options, Split};
use headwater_plan::{SourceSpec, TableSpec};
use headwater_types::Result;

/// The first topic, or the pattern.
pub(crate) fn dataset(table: &TableSpec) -> Result<DatasetIdentity> {
    let named = datasets(table)?.into_iter().next();
    let pattern = Options(&table.options).get("topic-pattern").unwrap_or_default();
    named.map_or_else(|| identity(table, pattern), Ok)
}

/// One dataset a topic; none for a pattern, which only the brokers can tell.
pub(crate) fn datasets(table: &TableSpec) -> Result<Vec<DatasetIdentity>> {
    let topics = Options(&table.options).get("topic").unwrap_or_default().split(';').map(str::trim);
    topics.filter(|topic| !topic.is_empty()).map(|topic| identity(table, topic)).collect()
}

/// The topics that match now; `None` without a pattern.
pub(crate) fn discover(table: &TableSpec) -> Result<Option<Vec<DatasetIdentity>>> {
    if Options(&table.options).get("topic-pattern").is_none() {
        return Ok(None);
    }
    let scan = SourceSpec { table: table.clone(), produced: vec![], limit: None };
    topics_matching(&scan)?.iter().map(|topic| identity(table, topic)).collect::<Result<_>>().map(Some)
}

/// The partition, named by its topic too where the table has several.
pub(crate) fn position(table: &TableSpec, split: &Split) -> Option<(String, i64)> {
    let split = KafkaSplit::decode(split).ok()?;
    let is_only = matches!(Topics::of(Options(&table.options)), Ok(Topics::List(names)) if names.len() == 1);
    let partition = match is_only {
        true => split.partition.to_string(),
        false => format!("{}-{}", split.topic, split.partition),
    };
    Some((partition, split.next))
}

fn identity(table: &TableSpec, topic: &str) -> Result<DatasetIdentity> {
    let brokers = Options(&table.options).require("properties.bootstrap.servers")?;
    let first = brokers.split([',', ';']).map(str::trim).find(|broker| !broker.is_empty()).unwrap_or_default();
    // A listener name such as SASL_SSL://host:9092 is no part of the address.
    let first = first.rsplit_once("://").map_or(first, |(_, address)| address);
    Ok(DatasetIdentity { namespace: format!("kafka://{first}"), name: topic.to_owned(), schema: table.columns.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::KafkaSplit;
    use std::collections::BTreeMap;

    fn table(options: &[(&str, &str)]) -> TableSpec {
        let options = options.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<BTreeMap<_, _>>();
        TableSpec {
            path: ["c", "d", "t"].map(str::to_owned),
            columns: vec![],
            partition_keys: vec![],
            primary_key: vec![],
            options,
        }
    }

    #[test]
    fn topics_are_datasets_of_the_first_broker() {
        for (brokers, topic, namespace, names) in [
            ("b:1", "t", "kafka://b:1", &["t"][..]),
            (" b:1 , a:1", "t; u;", "kafka://b:1", &["t", "u"]),
            ("SASL_SSL://b:1;a:1", "t", "kafka://b:1", &["t"]),
        ] {
            let found = datasets(&table(&[("properties.bootstrap.servers", brokers), ("topic", topic)])).unwrap();
            assert!(found.iter().all(|dataset| dataset.namespace == namespace), "{found:?}");
            assert_eq!(found.iter().map(|dataset| dataset.name.as_str()).collect::<Vec<_>>(), names);
        }
        let pattern = table(&[("properties.bootstrap.servers", "b:1"), ("topic-pattern", "t.*")]);
        assert_eq!((datasets(&pattern).unwrap(), dataset(&pattern).unwrap().name.as_str()), (vec![], "t.*"));
    }

    #[test]
    fn partitions_are_named_by_their_topic_where_there_are_several() {
        let split = KafkaSplit { topic: "u".to_owned(), partition: 3, next: 42, stop: None }.encode().unwrap();
        let one = table(&[("topic", "u")]);
        assert_eq!(position(&one, &split), Some(("3".to_owned(), 42)));
        let two = table(&[("topic", "t;u")]);
        assert_eq!(position(&two, &split), Some(("u-3".to_owned(), 42)));
        assert_eq!(position(&one, &Split(vec![9])), None);
    }
}
