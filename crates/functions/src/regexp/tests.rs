use super::java::translate;
use crate::testing::{Arg, args, call, check, check_error, check_type, null_of};
use headwater_types::LogicalType;
use proptest::prelude::*;

fn no_text() -> Arg {
    null_of(LogicalType::string().root)
}

#[test]
fn tests_and_counts() {
    check("REGEXP", args!["100-200", r"(\d+)"], "true");
    check("REGEXP", args!["abc-def", r"(\d+)"], "false");
    check("REGEXP", args!["abc", ""], "false");
    check("REGEXP", args!["abc", "("], "false");
    check("REGEXP", args!["abc", no_text()], "NULL");
    let cases = [
        ("hello world! Hello everyone!", "Hello", "1"),
        ("^abc", r"\^abc", "1"),
        ("a.b.c.d", r"\.", "3"),
        ("abc123xyz456", r"\d", "6"),
        ("Helloworld! Hello everyone!", r"\bHello\b", "1"),
        ("abc", "", "4"),
        ("abc", "(", "NULL"),
    ];
    for (text, pattern, expected) in cases {
        check("REGEXP_COUNT", args![text, pattern], expected);
    }
    check("REGEXP_INSTR", args!["世界abc", "a"], "3");
    check("REGEXP_INSTR", args!["abc", "z"], "0");
}

#[test]
fn replaces() {
    let cases = [
        ("foobar", "oo|ar", "", "fb"),
        ("foobar", "^f*.*r$", "", ""),
        ("foobar", r"\w", "", ""),
        ("fooobar", "oo", "$", "f$obar"),
        ("baac", "a*", "X", "XbXXcX"),
        ("foobar", "(", "X", "NULL"),
    ];
    for (text, pattern, replacement, expected) in cases {
        check("REGEXP_REPLACE", args![text, pattern, replacement], expected);
    }
    check_type("REGEXP_REPLACE", args!["a", "b", "c"], "STRING");
}

#[test]
fn extracts() {
    let url = "https://www.nexmark.com/a/item.htm?query=1&channel_id=12345&x=y";
    check("REGEXP_EXTRACT", args![url, "(&|^)channel_id=([^&]*)", 2], "12345");
    check("REGEXP_EXTRACT", args![url, "(&|^)channel_id=([^&]*)"], "&channel_id=12345");
    check("REGEXP_EXTRACT", args!["foothebar", "foo(.*?)(bar)", 2], "bar");
    check("REGEXP_EXTRACT", args!["foo", "(x)?foo", 1], "NULL");
    check("REGEXP_EXTRACT", args!["foo", "foo", 1], "NULL");
    check("REGEXP_EXTRACT", args!["foo", "foo", -1], "NULL");
    check("REGEXP_EXTRACT", args!["foo", "bar"], "NULL");
    check("REGEXP_SUBSTR", args!["100-200, 300-400", r"(\d+)-(\d+)$"], "300-400");
    check("REGEXP_SUBSTR", args!["abc", "("], "NULL");
}

#[test]
fn extracts_all() {
    let cases = [
        ("100-200, 300-400", "[a-z]", Some(0), "[]"),
        ("abcdeabde", "(abcdeabde)|([a-z]*)", Some(2), "[NULL, ]"),
        ("abcdeabde", "ab((c)|(.?))de", Some(2), "[c, NULL]"),
        ("abcdeabde", "", Some(0), "[, , , , , , , , , ]"),
        ("100-200, 300-400", r"(\d+)-(\d+)", None, "[100, 300]"),
        ("abcdeabde", "abcdeabde", None, "NULL"),
        ("abcdeabde", "(abcdeabde)", Some(-1), "NULL"),
        ("abcdeabde", "(abcdeabde)", Some(2), "NULL"),
    ];
    for (text, pattern, group, expected) in cases {
        let mut args = args![text, pattern].to_vec();
        args.extend(group.map(Arg::from));
        check("REGEXP_EXTRACT_ALL", &args, expected);
    }
    check_error("REGEXP_EXTRACT_ALL", args![1024, "1024"], "REGEXP_EXTRACT_ALL(str <CHARACTER_STRING>");
}

#[test]
fn java_dialect() {
    let cases = [
        ("٣", r"\d", "false"),
        ("a\rb", "a.b", "false"),
        ("a\rb", "(?s)a.b", "true"),
        ("a.b", r"\Qa.b\E", "true"),
        ("axb", r"\Qa.b\E", "false"),
        ("A", r"\p{Upper}", "true"),
        ("é", r"\p{Alpha}", "false"),
        ("é", r"\p{IsAlphabetic}", "true"),
        ("abab", r"(ab)\1", "true"),
        ("foobar", "foo(?=bar)", "true"),
        ("foobaz", "foo(?!baz)", "false"),
        ("aaa", "a++a", "false"),
        ("aaa", "a{1,3}+a", "false"),
        ("aé", r"a\x{e9}", "true"),
        ("é", r"[\u00e0-\u00ef]", "true"),
        ("x]y", "[]]", "true"),
        ("b", "[a-z&&[^aeiou]]", "true"),
        ("e", "[a-z&&[^aeiou]]", "false"),
        ("K", "(?iu)k", "true"),
        ("a\n", r"a\Z", "true"),
        ("a}+", r"a}\+", "true"),
    ];
    for (text, pattern, expected) in cases {
        check("REGEXP", args![text, pattern], expected);
    }
    check_error("REGEXP", args!["a", r"\Ga"], r"\G in regular expressions is not supported");
}

#[test]
fn only_backtracking_constructs_leave_the_linear_engine() {
    for pattern in ["(&|^)channel_id=([^&]*)", r"\d+?x", "a}+", "(?<n>x)(?:y)", r"[(?=]"] {
        assert!(!translate(pattern).unwrap().backtracks, "{pattern}");
    }
    for pattern in ["a*+", "(?<!x)y", r"(a)\1", "(?>a)", "x{2}+"] {
        assert!(translate(pattern).unwrap().backtracks, "{pattern}");
    }
}

proptest! {
    #[test]
    fn patterns_never_panic(pattern in r"[\\\[\]().*+?{}|^$&~#a-z0-9QEpPxuRZb<=!:,é-]{0,16}", text in "[a-c0-2é\n ]{0,8}") {
        let _ = call("REGEXP_REPLACE", args![text.as_str(), pattern.as_str(), "-"]);
        let _ = call("REGEXP_EXTRACT_ALL", args![text.as_str(), pattern.as_str(), 1]);
    }

    #[test]
    fn quoted_texts_match_themselves(text in "[^\\\\]{0,12}") {
        let pattern = format!(r"\Q{text}\E");
        check("REGEXP_EXTRACT", args![text.as_str(), pattern.as_str()], &text);
    }
}
