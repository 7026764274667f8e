//! What the decoder targets share: a schema of every type, and decoding in blocks.

use headwater_connector_api::Options;
use headwater_formats::{Format, ReadSchema};
use headwater_types::{LogicalType, RowField, TimeAttribute, TypeRoot};
use std::collections::BTreeMap;

/// Decodes the bytes in one block and in two, skipping bad records; both must give the same rows.
pub fn check(format: Format, data: &[u8]) {
    let Some((cut, data)) = data.split_first() else { return };
    let cut = usize::from(*cut) * data.len() / 256;
    let whole = decode(format, &[data]);
    let halves = decode(format, &[&data[..cut], data]);
    assert_eq!(whole, halves, "cut at {cut}");
}

/// Number of rows and of bad records; each block holds the bytes of the ones before it too.
fn decode(format: Format, blocks: &[&[u8]]) -> (usize, usize) {
    let columns = schema();
    let wanted: Vec<_> = columns.iter().map(|(_, ty)| ty.clone()).enumerate().collect();
    let options = BTreeMap::new();
    let schema = ReadSchema { columns: &columns, wanted: &wanted };
    let mut decoder = format.decoder(Options(&options), schema).expect("the options are valid");
    let (mut rows, mut bad, mut consumed) = (0, 0, 0);
    for (position, block) in blocks.iter().enumerate() {
        let at_end = position + 1 == blocks.len();
        loop {
            let input = &block[consumed..];
            let progress = decoder.decode(input, at_end, 4, &mut |_| {
                bad += 1;
                Ok(())
            });
            consumed += progress.expect("bad records are left out").consumed;
            let full = decoder.rows() >= 4;
            let decoded = decoder.finish().expect("the columns fit together");
            rows += decoded.rows;
            if !full {
                break;
            }
        }
    }
    (rows, bad)
}

fn schema() -> Vec<(String, LogicalType)> {
    let int: LogicalType = TypeRoot::Int.into();
    let row = TypeRoot::Row(vec![RowField::new("x", int.clone()), RowField::new("y", LogicalType::string())]);
    let roots = [
        ("a", TypeRoot::BigInt),
        ("b", LogicalType::string().root),
        ("c", TypeRoot::Boolean),
        ("d", TypeRoot::Double),
        ("e", TypeRoot::Decimal(10, 2)),
        ("f", TypeRoot::Timestamp(3, TimeAttribute::None)),
        ("g", TypeRoot::Date),
        ("h", TypeRoot::Time(0)),
        ("i", row),
        ("j", TypeRoot::Array(Box::new(int.clone()))),
        ("l", TypeRoot::VarBinary(16)),
        ("m", TypeRoot::TimestampLtz(6, TimeAttribute::None)),
    ];
    roots.map(|(name, root)| (name.to_owned(), root.into())).to_vec()
}
