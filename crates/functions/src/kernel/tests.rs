use super::*;
use arrow::array::{Array, Int32Array, Int64Array, StringArray};
use arrow::datatypes::{DataType, Int64Type};
use std::sync::Arc;

#[test]
fn a_null_argument_gives_null_and_scalars_repeat() {
    let args = [
        Operand::Array(Arc::new(Int32Array::from(vec![Some(1), None, Some(3)]))),
        Operand::Scalar(Arc::new(Int64Array::from(vec![10]))),
    ];
    let sum =
        primitive2::<Int32Array, Int64Array, Int64Type>(&args, 3, &DataType::Int64, |a, b| i64::from(a) + b).unwrap();
    assert_eq!(downcast::<Int64Array>(&sum).unwrap(), &Int64Array::from(vec![Some(11), None, Some(13)]));
}

#[test]
fn a_null_scalar_gives_only_nulls() {
    let args = [
        Operand::Array(Arc::new(StringArray::from(vec!["a", "b"]))),
        Operand::Scalar(Arc::new(StringArray::from(vec![None::<&str>]))),
    ];
    let same = boolean2::<StringArray, StringArray>(&args, 2, |a, b| a == b).unwrap();
    assert_eq!(same.null_count(), 2);
    let joined = map2::<StringArray, StringArray, _>(&args, 2, strings(2), |a, b, out| {
        out.append_value(format!("{a}{b}"));
        Ok(())
    });
    assert_eq!(joined.unwrap().null_count(), 2);
}

#[test]
fn a_column_of_another_type_is_an_error() {
    let args = [Operand::Array(Arc::new(Int32Array::from(vec![1])))];
    assert!(boolean1::<StringArray>(&args, 1, str::is_empty).is_err());
}
