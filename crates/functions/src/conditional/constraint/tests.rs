use super::*;
use arrow::array::{Int64Array, ListArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields};
use headwater_types::logical_type::RowField;

const RULES: Rules = Rules { lengths: Lengths::Fail, depth: Depth::Collections, nulls: true };

fn field(name: &str, ty: LogicalType) -> RowField {
    RowField::new(name, ty)
}

fn strings(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn eval(array: ArrayRef, ty: &LogicalType, rules: Rules) -> Result<ArrayRef> {
    let rows = array.len();
    Constrain { column: "c".to_owned(), ty: ty.clone(), rules }.eval(&[Operand::Array(array)], rows)
}

#[test]
fn rules_survive_encoding() {
    for lengths in [Lengths::Ignore, Lengths::Fit, Lengths::Fail] {
        for depth in [Depth::Columns, Depth::Rows, Depth::Collections] {
            for nulls in [false, true] {
                let rules = Rules { lengths, depth, nulls };
                assert_eq!(Rules::decode(Some(&Some(rules.encode()))).unwrap(), rules);
            }
        }
    }
    assert!(Rules::decode(None).is_err());
}

#[test]
fn strings_are_cut_and_padded() {
    let rules = Rules { lengths: Lengths::Fit, ..RULES };
    let values = [Some("äbcd"), Some("ä"), Some(""), None];
    let char = eval(strings(&values), &TypeRoot::Char(3).into(), rules).unwrap();
    assert_eq!(char.as_ref(), strings(&[Some("äbc"), Some("ä  "), Some("   "), None]).as_ref());
    let varchar = eval(strings(&values), &TypeRoot::VarChar(3).into(), rules).unwrap();
    assert_eq!(varchar.as_ref(), strings(&[Some("äbc"), Some("ä"), Some(""), None]).as_ref());
    let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![&b"abcd"[..], b"a"]));
    let binary = eval(bytes, &TypeRoot::Binary(3).into(), rules).unwrap();
    assert_eq!(binary.as_ref(), &BinaryArray::from(vec![&b"abc"[..], b"a\0\0"]) as &dyn Array);
}

#[test]
fn wrong_lengths_are_refused() {
    for (ty, value, fits) in [
        (TypeRoot::Char(2), "äb", true),
        (TypeRoot::Char(2), "a", false),
        (TypeRoot::VarChar(2), "a", true),
        (TypeRoot::VarChar(2), "abc", false),
        (LogicalType::string().root, "abc", true),
    ] {
        let outcome = eval(strings(&[Some(value)]), &LogicalType::from(ty.clone()), RULES);
        assert_eq!(outcome.is_ok(), fits, "{ty:?} {value}");
    }
    let error = eval(strings(&[None, Some("a")]), &TypeRoot::Char(2).into(), RULES).unwrap_err();
    assert!(error.to_string().contains("Column 'c' is CHAR(2), however, a string of length 1 is"), "{error}");
}

#[test]
fn nulls_are_found_inside_of_values() {
    let element = LogicalType::from(TypeRoot::BigInt).not_null();
    let inner = LogicalType::from(TypeRoot::Array(Box::new(element)));
    let ty = LogicalType::from(TypeRoot::Row(vec![field("list", inner)]));
    let item = Arc::new(Field::new("item", DataType::Int64, true));
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), Some(2), None]));
    let lists: ArrayRef = Arc::new(ListArray::new(item, OffsetBuffer::from_lengths([2, 0, 1]), numbers, None));
    let fields = Fields::from(vec![Field::new("list", lists.data_type().clone(), true)]);
    let row = |nulls: Option<NullBuffer>| -> ArrayRef {
        Arc::new(StructArray::new(fields.clone(), vec![lists.clone()], nulls))
    };
    let error = eval(row(None), &ty, RULES).unwrap_err();
    assert!(error.to_string().contains("Column 'c.list[element]' is NOT NULL"), "{error}");
    let satisfies = Satisfies { ty: ty.clone(), rules: RULES }.eval(&[Operand::Array(row(None))], 3).unwrap();
    assert_eq!(satisfies.as_boolean(), &BooleanArray::from(vec![true, true, false]));
    let hidden = Some(NullBuffer::from(vec![true, true, false]));
    assert!(eval(row(hidden), &ty, RULES).is_ok(), "a row that is NULL has no fields");
    assert!(eval(row(None), &ty, Rules { depth: Depth::Rows, ..RULES }).is_ok(), "collections are not looked into");
}

#[test]
fn types_say_whether_there_is_anything_to_check() {
    let limited = LogicalType::from(TypeRoot::Char(2));
    let array = LogicalType::from(TypeRoot::Array(Box::new(limited.clone())));
    let row = LogicalType::from(TypeRoot::Row(vec![field("f", limited.clone())]));
    let fit = |depth| Rules { lengths: Lengths::Fit, depth, nulls: false };
    assert!(fit(Depth::Columns).concern(&limited) && !fit(Depth::Columns).concern(&row));
    assert!(fit(Depth::Rows).concern(&row) && !fit(Depth::Rows).concern(&array));
    assert!(!fit(Depth::Rows).fits_collections(&array) && fit(Depth::Collections).fits_collections(&array));
    assert!(!fit(Depth::Collections).fits_collections(&row), "strings in rows can be cut");
    assert!(!Rules { lengths: Lengths::Ignore, depth: Depth::Columns, nulls: true }.concern(&limited.not_null()));
}
