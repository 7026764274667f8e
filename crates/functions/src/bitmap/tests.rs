use super::{Bitmap, Operation, build};
use crate::testing::{Arg, args, check, check_error, check_type};
use headwater_plan::Value;
use headwater_types::{LogicalType, TypeRoot};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn bytes(members: &[i32]) -> Vec<u8> {
    build(members.iter().map(|member| member.cast_unsigned()).collect())
}

fn members(bytes: &[u8]) -> Vec<u32> {
    Bitmap::parse(bytes).unwrap().members().collect()
}

#[test]
fn the_serialisation_is_the_portable_one() {
    let expected = [0x3A, 0x30, 0, 0, 1, 0, 0, 0, 0, 0, 2, 0, 16, 0, 0, 0, 1, 0, 2, 0, 3, 0];
    assert_eq!(bytes(&[3, 1, 2, 2]), expected);
    assert_eq!(bytes(&[]), [0x3A, 0x30, 0, 0, 0, 0, 0, 0]);
    // One part of runs: 10 to 14.
    let runs = [0x3B, 0x30, 0, 0, 1, 0, 0, 4, 0, 1, 0, 10, 0, 4, 0];
    assert_eq!(members(&runs), [10, 11, 12, 13, 14]);
    let both = Bitmap::parse(&runs).unwrap().combine(&Bitmap::parse(&bytes(&[-1])).unwrap(), Operation::Or);
    assert_eq!(members(&both), [10, 11, 12, 13, 14, u32::MAX]);
}

#[test]
fn what_is_no_bitmap_is_refused() {
    let whole = bytes(&[1, 2, 70_000]);
    for length in 0..whole.len() {
        assert!(Bitmap::parse(&whole[..length]).is_err(), "{length} bytes");
    }
    let unsorted = [0x3A, 0x30, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 16, 0, 0, 0, 2, 0, 1, 0];
    assert!(Bitmap::parse(&unsorted).is_err());
    check_error("BITMAP_FROM_BYTES", args![b"invalid".as_slice()], "Failed to deserialize bitmap from bytes.");
}

#[test]
fn functions() {
    let set = || bytes(&[1, 3, -1]);
    let of = |name: &str, expected: &str| {
        let bitmap = Arg(LogicalType::from(TypeRoot::Bitmap).not_null(), Value::Bytes(set()));
        check(name, &[bitmap], expected);
    };
    of("BITMAP_TO_STRING", "{1,3,4294967295}");
    of("BITMAP_TO_ARRAY", "[1, 3, -1]");
    of("BITMAP_CARDINALITY", "3");
    check_error("BITMAP_CARDINALITY", args![1024], "BITMAP_CARDINALITY(bitmap <BITMAP>)");
    check_type("BITMAP_FROM_BYTES", args![set().as_slice()], "BITMAP NOT NULL");
}

fn sets() -> impl Strategy<Value = Vec<u32>> {
    let part = prop_oneof![Just(0_u32), Just(1), Just(0xFFFF)];
    let dense = (part.clone(), 0..60_000_u32, 0..6_000_u32)
        .prop_map(|(key, start, length)| (start..start + length).map(|low| (key << 16) | low.min(0xFFFF)).collect());
    prop_oneof![proptest::collection::vec((part, 0..50_u32).prop_map(|(key, low)| (key << 16) | low), 0..40), dense]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn operations_are_those_of_sets(left in sets(), right in sets()) {
        let (a, b): (BTreeSet<_>, BTreeSet<_>) = (left.iter().copied().collect(), right.iter().copied().collect());
        let (left, right) = (build(left), build(right));
        let (left, right) = (Bitmap::parse(&left).unwrap(), Bitmap::parse(&right).unwrap());
        prop_assert_eq!(left.cardinality(), a.len() as u64);
        for (operation, expected) in [
            (Operation::And, &a & &b),
            (Operation::Or, &a | &b),
            (Operation::Xor, &a ^ &b),
            (Operation::AndNot, &a - &b),
        ] {
            let expected: Vec<u32> = expected.into_iter().collect();
            prop_assert_eq!(members(&left.combine(&right, operation)), expected.clone());
            prop_assert_eq!(left.combine(&right, operation), build(expected));
        }
    }
}
