use crate::testing::*;
use headwater_plan::operators::{FromChangelogSpec, PartialDeletion, ToChangelogSpec};
use headwater_plan::{OperatorSpec, Value};
use headwater_types::RowKind::{self, Delete, Insert, UpdateAfter, UpdateBefore};

fn to(codes: &[(RowKind, &str)], deletion: Option<Vec<usize>>) -> Vec<String> {
    let codes = codes.iter().map(|(kind, code)| (*kind, (*code).to_owned())).collect();
    let spec = ToChangelogSpec { codes, deletion: deletion.map(|keys| PartialDeletion { keys }) };
    let types = [int(), string()];
    let mut harness = harness(&node(OperatorSpec::ToChangelog(spec), &[&types], &[string(), int(), string()]));
    let rows = [
        ("+I", vec![i(1), s("a")]),
        ("-U", vec![i(1), s("a")]),
        ("+U", vec![i(1), s("b")]),
        ("-D", vec![i(1), s("b")]),
    ];
    harness.process(changes(&types, &rows)).unwrap();
    harness.output.rows()
}

#[test]
fn changes_become_rows_with_codes() {
    let all = [(Insert, "INSERT"), (UpdateBefore, "UPDATE_BEFORE"), (UpdateAfter, "UPDATE_AFTER"), (Delete, "DELETE")];
    let expected = ["+I[INSERT, 1, a]", "+I[UPDATE_BEFORE, 1, a]", "+I[UPDATE_AFTER, 1, b]", "+I[DELETE, 1, b]"];
    assert_eq!(to(&all, None), expected);
    let some = [(Insert, "c"), (UpdateAfter, "c"), (Delete, "d")];
    assert_eq!(to(&some, None), ["+I[c, 1, a]", "+I[c, 1, b]", "+I[d, 1, b]"], "kinds without a code are dropped");
    assert_eq!(to(&some, Some(vec![0])), ["+I[c, 1, a]", "+I[c, 1, b]", "+I[d, 1, NULL]"], "a deletion names its key");
    assert_eq!(to(&[], None), [""; 0]);
}

fn from(skips_errors: bool, codes: &[Option<&str>]) -> Result<Vec<String>, String> {
    let kinds = [("i", Insert), ("r", Insert), ("b", UpdateBefore), ("a", UpdateAfter), ("d", Delete)];
    let kinds = kinds.iter().map(|(code, kind)| ((*code).to_owned(), *kind)).collect();
    let spec = FromChangelogSpec { code: 1, kinds, skips_errors, keys: vec![] };
    let mut harness = harness(&node(OperatorSpec::FromChangelog(spec), &[&[int(), string()]], &[int()]));
    let code = |code: &Option<&str>| code.map_or(Value::Null, s);
    let rows: Vec<_> = codes.iter().enumerate().map(|(n, c)| vec![i(n as i64), code(c)]).collect();
    harness.process(batch(&[int(), string()], &rows)).map_err(|error| error.to_string())?;
    Ok(harness.output.rows())
}

#[test]
fn rows_with_codes_become_changes() {
    let codes = [Some("i"), Some("r"), Some("b"), Some("a"), Some("d")];
    assert_eq!(from(false, &codes).unwrap(), ["+I[0]", "+I[1]", "-U[2]", "+U[3]", "-D[4]"]);
    assert_eq!(from(true, &[Some("i"), None, Some("x"), Some("d")]).unwrap(), ["+I[0]", "-D[3]"]);
    assert!(from(false, &[None]).unwrap_err().contains("Received NULL op code"));
    assert!(from(false, &[Some("x")]).unwrap_err().contains("unknown op code 'x': expected 'i', 'r'"));
}
