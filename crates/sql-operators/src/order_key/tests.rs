//! Bytes compare as rows do.

use super::OrderEncoder;
use crate::sort::sorted_indices;
use crate::testing::*;
use headwater_plan::Value;
use headwater_plan::operators::SortKey;
use proptest::prelude::*;

proptest! {
    #[test]
    fn orders_compare_as_rows_do(
        rows in prop::collection::vec((prop::option::of(-2i64..3), prop::option::of("[a\u{0}]{0,2}")), 1..20),
        directions in prop::collection::vec((any::<bool>(), any::<bool>()), 2),
    ) {
        let text = |v: &Option<String>| v.as_deref().map_or(Value::Null, s);
        let values: Vec<_> = rows.iter().map(|(a, b)| vec![optional(*a), text(b)]).collect();
        let types = [int(), string()];
        let batch = batch(&types, &values);
        let key = |(column, (ascending, nulls_first)): (usize, &(bool, bool))| {
            SortKey { column, ascending: *ascending, nulls_first: *nulls_first }
        };
        let order: Vec<_> = directions.iter().enumerate().map(key).collect();
        let encoded = OrderEncoder::new(&row_type(&types), &order).unwrap().encode(batch.rows()).unwrap();
        let mut found: Vec<u32> = (0..rows.len() as u32).collect();
        found.sort_by(|a, b| encoded.key(*a as usize).cmp(encoded.key(*b as usize)));
        let expected = sorted_indices(batch.rows(), &order, None).unwrap();
        prop_assert_eq!(found, expected.values().to_vec());
    }
}
