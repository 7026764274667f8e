use super::*;

#[test]
fn nesting_counts_brackets_outside_of_strings() {
    for (json, expected) in [("", 0), ("1", 0), ("[]", 1), (r#"{"a":[{}]}"#, 3), (r#"["[[[","\"[[["]"#, 1), ("]]][", 1)]
    {
        assert_eq!(nesting(json.as_bytes()), expected, "{json}");
    }
}

#[test]
fn a_plan_that_is_nested_too_deeply_is_refused() {
    let bytes = format!("{MAGIC} {VERSION}\n{}", "[".repeat(1_000_000));
    assert_eq!(decode(bytes.as_bytes()).unwrap_err().message(), "not a Headwater plan: it is nested too deeply");
}
