//! Which rows survive.

use crate::testing::*;
use headwater_plan::OperatorSpec;
use headwater_plan::operators::DropUpdateBeforeSpec;

fn run(keys: Option<Vec<usize>>, rows: &[(&str, i64, i64)]) -> Vec<String> {
    let types = [int(), int()];
    let spec = OperatorSpec::DropUpdateBefore(DropUpdateBeforeSpec { keys });
    let mut operator = harness(&node(spec, &[&types], &types));
    let rows: Vec<_> = rows.iter().map(|(kind, key, value)| (*kind, vec![i(*key), i(*value)])).collect();
    operator.process(changes(&types, &rows)).unwrap();
    operator.output.rows()
}

#[test]
fn pairs_lose_their_first_half() {
    let rows = [("+I", 1, 1), ("-U", 1, 1), ("+U", 1, 2), ("-D", 1, 2)];
    assert_eq!(run(None, &rows), ["+I[1, 1]", "+U[1, 2]", "-D[1, 2]"]);
    assert_eq!(run(Some(vec![0]), &rows), ["+I[1, 1]", "+U[1, 2]", "-D[1, 2]"]);
}

#[test]
fn halves_without_their_other_half_are_deletions() {
    let rows = [("-U", 1, 1), ("+U", 2, 2), ("-U", 3, 3)];
    assert_eq!(run(Some(vec![0]), &rows), ["-D[1, 1]", "+U[2, 2]", "-D[3, 3]"]);
}

#[test]
fn an_empty_key_is_the_same_for_all_rows() {
    assert_eq!(run(Some(vec![]), &[("-U", 1, 1), ("+U", 2, 2)]), ["+U[2, 2]"]);
}
