use super::number::push_canonical;
use super::parse::parse;
use crate::testing::{Arg, args, call, check, check_error, check_type, ints, null, null_of, words};
use headwater_plan::Value as Literal;
use headwater_types::{LogicalType, TypeRoot};
use proptest::prelude::*;

const DOCUMENT: &str = r#"{
    "type": "account", "age": 42, "activated": true, "balance": 13.37, "longBalance": 123456789.987654321,
    "contains blank": "right", "author": {"address": {"city": "Munich"}},
    "metadata": {"tags": ["t1", "t2", "t3"], "references": [{"url": "u"}]},
    "a1": [], "o1": {}, "n1": 1, "s1": "Test", "null": null
}"#;

fn no_text() -> Arg {
    null_of(LogicalType::string().root)
}

#[test]
fn numbers_print_as_big_decimals() {
    let cases = [
        ("-0", "0"),
        ("12345678901234567890123", "12345678901234567890123"),
        ("123456789.987654321", "123456789.987654321"),
        ("1.50", "1.50"),
        ("0.0", "0.0"),
        ("-0.5", "-0.5"),
        ("1e3", "1E+3"),
        ("1.25e3", "1.25E+3"),
        ("125e-1", "12.5"),
        ("1e-7", "1E-7"),
        ("0.0000001", "1E-7"),
        ("0.000001", "0.000001"),
        ("1E400", "1E+400"),
    ];
    for (number, expected) in cases {
        let mut out = String::new();
        push_canonical(&mut out, number);
        assert_eq!(out, expected, "{number}");
    }
}

#[test]
fn texts_parse_and_print_sorted() {
    let cases = [
        (
            r#" {"b": [1, null, true], "a": {"y": "", "x": "\u00e9\n\"\ud83d\ude00"}} "#,
            r#"{"a":{"x":"é\n\"😀","y":""},"b":[1,null,true]}"#,
        ),
        (r#"{"a": 1, "b": 2, "a": 3}"#, r#"{"a":3,"b":2}"#),
        (r#""\u0001\/""#, r#""\u0001/""#),
        ("1 2", "1"),
        (r#"{} trailing"#, "{}"),
    ];
    for (text, expected) in cases {
        assert_eq!(parse(text).unwrap().to_json(), expected, "{text}");
    }
    let malformed =
        ["", "a", "{", "[1,]", "{\"a\"}", "{a:1}", "01", "1.", "-", "\"\n\"", "\"\\x\"", "truex", "1a", "\"\\u12"];
    for text in malformed {
        assert!(parse(text).is_err(), "{text}");
    }
    assert!(parse(&"[".repeat(100_000)).is_err());
    assert_eq!(parse("{\n \"a\" 1").unwrap_err().to_string(), "expected ':' at line: 2, column: 6");
}

#[test]
fn kinds() {
    let cases = [
        ("1", [true, true, false, false]),
        ("\"a\"", [true, true, false, false]),
        ("null", [true, true, false, false]),
        ("[1]", [true, false, true, false]),
        ("{}", [true, false, false, true]),
        ("a", [false; 4]),
        ("", [false; 4]),
    ];
    for (text, expected) in cases {
        for (kind, expected) in ["VALUE", "SCALAR", "ARRAY", "OBJECT"].into_iter().zip(expected) {
            check(&format!("IS JSON {kind}"), args![text], &expected.to_string());
            check(&format!("IS NOT JSON {kind}"), args![text], &(!expected).to_string());
        }
    }
    check("IS JSON", args![no_text()], "NULL");
    check("IS NOT JSON", args![no_text()], "NULL");
    check_error("IS JSON", args![1], "IS JSON VALUE");
}

#[test]
fn existence() {
    let cases = [
        ("lax $", "true"),
        ("lax $.type", "true"),
        ("$.author.address.city", "true"),
        ("lax $.metadata.tags[0]", "true"),
        ("lax $.metadata.tags[3]", "false"),
        ("lax $.metadata.references[0].invalid", "false"),
        ("strict $.invalid", "false"),
        ("$['metadata']['tags'][-1]", "true"),
        ("$.null", "false"),
        ("lax $..url", "true"),
        ("$.[", "false"),
    ];
    for (path, expected) in cases {
        check("JSON_EXISTS", args![DOCUMENT, path], expected);
    }
    for (behaviour, expected) in [("TRUE", "true"), ("FALSE", "false"), ("UNKNOWN", "NULL")] {
        check("JSON_EXISTS", args![DOCUMENT, "strict $.invalid", behaviour], expected);
    }
    let path = "strict $.invalid";
    check_error("JSON_EXISTS", args![DOCUMENT, path, "ERROR"], "No results for path: $['invalid']");
    check("JSON_EXISTS", args![no_text(), "lax $"], "NULL");
}

fn value_call(path: &str, returning: TypeRoot, empty: (&str, Arg), error: (&str, Arg)) -> Vec<Arg> {
    args![DOCUMENT, path, null_of(returning), empty.0, empty.1, error.0, error.1].to_vec()
}

#[test]
fn scalar_values() {
    let texts = [
        ("$.longBalance", "123456789.987654321"),
        ("$.balance", "13.37"),
        ("$.type", "account"),
        ("$.activated", "true"),
        ("$.metadata", "NULL"),
        ("lax $.metadata", "NULL"),
        ("$.invalid", "NULL"),
        ("$.null", "NULL"),
        ("type", "account"),
    ];
    for (path, expected) in texts {
        check("JSON_VALUE", args![DOCUMENT, path], expected);
    }
    check("JSON_VALUE", args![no_text(), "lax $"], "NULL");
    check("JSON_VALUE", args!["not json", "$.a"], "NULL");
    let string = || LogicalType::string().root;
    let typed = [
        ("$.activated", TypeRoot::Boolean, "true"),
        ("$.age", TypeRoot::Int, "42"),
        ("$.balance", TypeRoot::Double, "13.37"),
        ("$.longBalance", TypeRoot::Double, "123456789.98765433"),
        ("$.type", TypeRoot::Int, "NULL"),
        ("$.balance", TypeRoot::Int, "13"),
    ];
    for (path, ty, expected) in typed {
        check("JSON_VALUE", &value_call(path, ty, ("NULL", null()), ("NULL", null())), expected);
    }
    let fallbacks = [
        (value_call("lax $.invalid", string(), ("NULL", null()), ("ERROR", null())), "NULL"),
        (value_call("lax $.invalid", TypeRoot::Int, ("DEFAULT", Arg::from(42)), ("ERROR", null())), "42"),
        (value_call("strict $.invalid", string(), ("ERROR", null()), ("NULL", null())), "NULL"),
        (value_call("strict $.invalid", TypeRoot::Int, ("NULL", null()), ("DEFAULT", Arg::from(42))), "42"),
        (value_call("strict $.['contains blank']", string(), ("NULL", null()), ("DEFAULT", "wrong".into())), "right"),
    ];
    for (args, expected) in fallbacks {
        check("JSON_VALUE", &args, expected);
    }
    let raised = value_call("lax $.invalid", string(), ("ERROR", null()), ("NULL", null()));
    check_error("JSON_VALUE", &raised, "Empty result of JSON_VALUE function is not allowed");
    let raised = value_call("$.metadata", string(), ("NULL", null()), ("ERROR", null()));
    check_error("JSON_VALUE", &raised, "Strict jsonpath mode requires scalar value");
    let unsupported = value_call("$.type", TypeRoot::Date, ("NULL", null()), ("NULL", null()));
    check_error("JSON_VALUE", &unsupported, "Unsupported type 'DATE'");
}

#[test]
fn queries() {
    let query = |path: &str, wrapper: &str, empty: &str, error: &str| {
        args![DOCUMENT, path, null(), wrapper, empty, error].to_vec()
    };
    let cases = [
        ("$.a1", "WITHOUT", "[]"),
        ("$.a1", "CONDITIONAL", "[]"),
        ("$.o1", "CONDITIONAL", "[{}]"),
        ("$.a1", "UNCONDITIONAL", "[[]]"),
        ("$.n1", "CONDITIONAL", "[1]"),
        ("$.s1", "CONDITIONAL", r#"["Test"]"#),
        ("$.s1", "WITHOUT", "NULL"),
        ("lax $.s1", "WITHOUT", "NULL"),
        ("$.metadata.tags[0,2]", "WITHOUT", r#"["t1","t3"]"#),
        ("$.metadata.tags[1:]", "WITHOUT", r#"["t2","t3"]"#),
        ("$.metadata.tags[:-2]", "WITHOUT", r#"["t1"]"#),
        ("$..city", "WITHOUT", r#"["Munich"]"#),
        ("$.metadata.references[*].url", "WITHOUT", r#"["u"]"#),
        ("$['n1','s1']", "WITHOUT", r#"{"n1":1,"s1":"Test"}"#),
        ("$.metadata.references[?(@.url == 'u')].url", "WITHOUT", r#"["u"]"#),
        ("$.author.*", "WITHOUT", r#"[{"city":"Munich"}]"#),
    ];
    for (path, wrapper, expected) in cases {
        check("JSON_QUERY", &query(path, wrapper, "NULL", "NULL"), expected);
    }
    for (behaviour, expected) in [("NULL", "NULL"), ("EMPTY ARRAY", "[]"), ("EMPTY OBJECT", "{}")] {
        check("JSON_QUERY", &query("lax $.err", "WITHOUT", behaviour, "NULL"), expected);
        check("JSON_QUERY", &query("strict $.err", "WITHOUT", "NULL", behaviour), expected);
    }
    let message = "Empty result of JSON_QUERY function is not allowed";
    check_error("JSON_QUERY", &query("lax $.err", "WITHOUT", "ERROR", "NULL"), message);
    check_error("JSON_QUERY", &query("strict $.err", "WITHOUT", "NULL", "ERROR"), "No results for path");
    check("JSON_QUERY", args![no_text(), "$"], "NULL");
}

#[test]
fn filters() {
    let json = r#"{"items": [{"a": 1, "b": "x"}, {"a": 2.5}, {"b": null, "c": [1]}, 7], "limit": {"a": 2}}"#;
    let cases = [
        ("@.a > 1", r#"[{"a":2.5}]"#),
        ("@.a >= 1 && @.b == 'x'", r#"[{"a":1,"b":"x"}]"#),
        ("@.b", r#"[{"a":1,"b":"x"},{"b":null,"c":[1]}]"#),
        ("!@.b && @.a", r#"[{"a":2.5}]"#),
        ("@.b == null || @['a'] < 2", r#"[{"a":1,"b":"x"},{"b":null,"c":[1]}]"#),
        ("!(@.a == 1 || @.a == 2.5)", r#"[{"b":null,"c":[1]},7]"#),
        ("@.c[0] == 1", r#"[{"b":null,"c":[1]}]"#),
        ("@ == 7", "[7]"),
        ("@.b < 1", "[]"),
        ("1 ==", "NULL"),
        ("'x'", "NULL"),
    ];
    for (filter, expected) in cases {
        let path = format!("$.items[?({filter})]");
        check("JSON_QUERY", args![json, path.as_str()], expected);
    }
    check("JSON_QUERY", args![json, "$.limit[?(@.a == 2)]"], r#"[{"a":2}]"#);
    let deep = format!("$[?{}@.a]", "!".repeat(100_000));
    check("JSON_QUERY", args![json, deep.as_str()], "NULL");
}

#[test]
fn queries_for_arrays() {
    let array = |element: TypeRoot| null_of(TypeRoot::Array(Box::new(element.into())));
    let query = |json: &str, path: &str, wrapper: &str, error: &str| {
        args![json, path, array(LogicalType::string().root), wrapper, "NULL", error].to_vec()
    };
    let json = r#"{"a": "[1,2]", "b": [1,2], "c": [{"y": 1, "x": 2}, null, "s"]}"#;
    check("JSON_QUERY", &query(json, "$.b", "WITHOUT", "NULL"), "[1, 2]");
    check("JSON_QUERY", &query(json, "$.a", "WITHOUT", "NULL"), "NULL");
    check("JSON_QUERY", &query(json, "$.a", "CONDITIONAL", "NULL"), "[[1,2]]");
    check("JSON_QUERY", &query(json, "$.a", "WITHOUT", "EMPTY ARRAY"), "[]");
    check("JSON_QUERY", &query(json, "$.c", "WITHOUT", "NULL"), r#"[{"x":2,"y":1}, NULL, s]"#);
    check("JSON_QUERY", &query(r#"{"a":[{"c":null},{"c":"c2"}]}"#, "lax $.a[*].c", "WITHOUT", "NULL"), "[NULL, c2]");
    let message = "Strict jsonpath mode requires array or object value, and the actual value is: ''[1,2]''";
    check_error("JSON_QUERY", &query(json, "$.a", "WITHOUT", "ERROR"), message);
    check_error(
        "JSON_QUERY",
        &query(json, "$.a", "WITHOUT", "EMPTY OBJECT"),
        "Illegal on error behavior 'EMPTY OBJECT' for return type: VARCHAR(2147483647) ARRAY",
    );
    let integers = args![json, "$.b", array(TypeRoot::Int), "WITHOUT", "NULL", "NULL"];
    check_error("JSON_QUERY", integers, "Unsupported array element type 'INTEGER' for RETURNING ARRAY in JSON_QUERY()");
}

fn variant(json: &str) -> Arg {
    Arg(LogicalType::from(TypeRoot::Variant).not_null(), Literal::String(json.to_owned()))
}

#[test]
fn construction() {
    check("JSON_OBJECT", args!["NULL"], "{}");
    check("JSON_OBJECT", args!["NULL", "b", "x\"", "a", no_text()], r#"{"a":null,"b":"x\""}"#);
    check("JSON_OBJECT", args!["ABSENT", "b", 1, "a", no_text()], r#"{"b":1}"#);
    check("JSON_OBJECT", args!["NULL", "k", variant(r#"{"x":[1]}"#)], r#"{"k":{"x":[1]}}"#);
    check("JSON_OBJECT", args!["NULL", "k", 1, "k", 2], r#"{"k":2}"#);
    check("JSON_OBJECT", args!["NULL", "a\n", ints(&[Some(1), None])], r#"{"a\n":[1,null]}"#);
    check_error("JSON_OBJECT", args!["NULL", no_text(), 1], "a key must not be NULL");
    check_type("JSON_OBJECT", args!["NULL"], "STRING NOT NULL");
    check("JSON_ARRAY", args!["ABSENT"], "[]");
    check("JSON_ARRAY", args!["ABSENT", no_text(), 1.5, true], "[1.5,true]");
    check("JSON_ARRAY", args!["NULL", no_text(), words(&[Some("A1")])], r#"[null,["A1"]]"#);
    check("JSON_ARRAY", args!["NULL", &b"Test"[..]], r#"["VGVzdA=="]"#);
    let stamp = |root| Arg(root, Literal::Int(644_333_862_001));
    let timestamp = stamp(TypeRoot::Timestamp(3, Default::default()).into());
    let instant = stamp(TypeRoot::TimestampLtz(3, Default::default()).into());
    check(
        "JSON_ARRAY",
        &args!["NULL", timestamp, instant][..],
        r#"["1990-06-02T13:37:42.001","1990-06-02T13:37:42.001Z"]"#,
    );
    check("JSON_STRING", args!["a"], r#""a""#);
    check("JSON_STRING", args![no_text()], "NULL");
    check("JSON_STRING", args![variant("{\"a\":1}")], "{\"a\":1}");
    check("AS JSON", args!["[1]"], "[1]");
}

#[test]
fn embedded_json() {
    check("JSON", args![r#" [1, 2, {"b": 1, "a": 2}] "#], r#"[1,2,{"a":2,"b":1}]"#);
    check("JSON", args!["   "], "NULL");
    check("JSON", args![no_text()], "NULL");
    check_error("JSON", args!["{"], "Invalid JSON string in JSON(value) function");
    check_error("JSON", args!["{"], "line: 1, column: 1");
}

#[test]
fn quoting() {
    let cases =
        [("[1,2,3]", r#""[1,2,3]""#), (r#"a \t " \ /"#, r#""a \\t \" \\ \/""#), ("≠😀\n", r#""\u2260\ud83d\ude00\n""#)];
    for (text, expected) in cases {
        check("JSON_QUOTE", args![text], expected);
    }
    let cases = [
        (r#""\\u00aa""#, r"\u00aa"),
        (r#""\u00aa""#, "\u{aa}"),
        (r#""[\t\u0032]""#, "[\t2]"),
        (r#"""""#, "\""),
        ("[]", "[]"),
        (r#"""\ufffa""#, "\"\u{fffa}"),
        (r#""\ud83d\ude00""#, "😀"),
        ("\"[1, 2, 3}", "\"[1, 2, 3}"),
        ("\"", "\""),
        (r#""pass through ""\uzzzz""#, r#""pass through ""\uzzzz""#),
        ("", ""),
    ];
    for (text, expected) in cases {
        check("JSON_UNQUOTE", args![text], expected);
    }
}

#[test]
fn variants() {
    check("PARSE_JSON", args![r#"{"b": [2, 3], "a": 1}"#], r#"{"a":1,"b":[2,3]}"#);
    check("TRY_PARSE_JSON", args!["1e400"], "NULL");
    check("TRY_PARSE_JSON", args!["{} {}"], "NULL");
    check_error("PARSE_JSON", args!["1e400"], "Failed to parse json string");
    check_error("PARSE_JSON", args![r#"{"a":1,"a":2}"#], "duplicate member name");
    check("PARSE_JSON", args![r#"{"a":1,"a":2}"#, true], r#"{"a":2}"#);
    check_type("PARSE_JSON", args!["1"], "VARIANT NOT NULL");
    check_type("TRY_PARSE_JSON", args!["1"], "VARIANT");
}

proptest! {
    #[test]
    fn texts_never_panic(text in r#"[\[\]{}":,\\u0-9a-f.eE+truenl \-é]{0,24}"#, path in r#"[$.\[\]'"*,:0-9a-c@?() laxstrict-]{0,16}"#) {
        let _ = parse(&text);
        let _ = call("JSON_QUERY", args![text.as_str(), path.as_str()]);
        let _ = call("JSON_QUERY", args![DOCUMENT, path.as_str()]);
        let _ = call("JSON_UNQUOTE", args![text.as_str()]);
    }

    #[test]
    fn printing_is_stable(json in json_text(3)) {
        let printed = parse(&json).expect("generated texts are JSON").to_json();
        prop_assert_eq!(parse(&printed).expect("printed texts are JSON").to_json(), printed);
    }

    #[test]
    fn quoting_can_be_undone(text in any::<String>()) {
        let (_, quoted) = call("JSON_QUOTE", args![text.as_str()]).expect("total");
        prop_assert!(quoted.is_ascii());
        prop_assert_eq!(parse(&quoted).is_ok(), !text.chars().any(is_unescaped_control));
    }
}

/// Control characters that `JSON_QUOTE` passes through, as Flink's does.
fn is_unescaped_control(c: char) -> bool {
    c < ' ' && !matches!(c, '\u{8}' | '\u{c}' | '\n' | '\r' | '\t')
}

/// JSON texts of at most this depth.
fn json_text(depth: u32) -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        "null|true|false",
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,8})?([eE][+-]?[0-9]{1,2})?",
        "\"[a-zé ]{0,6}(\\\\(n|u00e9|\"))?\"",
    ];
    scalar.prop_recursive(depth, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(" , "))),
            prop::collection::vec(("[a-c]{0,2}", inner), 0..4).prop_map(|members| {
                let members: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\" : {value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}
