use crate::Operand;
use crate::testing::{Arg, args, call, check, check_error, check_type, null, null_of};
use arrow::array::{AsArray, StringArray};
use headwater_types::{LogicalType, TypeRoot};
use proptest::prelude::*;
use std::sync::Arc;

fn no_text() -> Arg {
    null_of(LogicalType::string().root)
}

#[test]
fn concatenation() {
    check("||", args!["a", "b"], "ab");
    check("||", args!["a", no_text()], "NULL");
    check("CONCAT", args!["a", "", "c"], "ac");
    check("CONCAT", args!["a", null(), "c"], "NULL");
    check("CONCAT_WS", args!["~~~~", "AA"], "AA");
    check("CONCAT_WS", args!["~", no_text(), "AA", "BB", "", no_text(), "CC"], "AA~BB~~CC");
    check("CONCAT_WS", args![no_text(), "AA"], "NULL");
    check("REPEAT", args!["ab", 3], "ababab");
    check("REPEAT", args!["ab", -1], "");
    check_error("REPEAT", args!["ab", i64::MAX], "longer than 2 GiB");
    let char = |n, text: &str| Arg(LogicalType::from(TypeRoot::Char(n)).not_null(), Arg::from(text).1);
    check_type("||", &[char(2, "ab"), char(1, "c")], "CHAR(3) NOT NULL");
    check_type("||", &[char(2, "ab"), Arg::from("c")], "STRING NOT NULL");
    check_type("CONCAT", &[char(2, "ab"), null()], "STRING");
}

#[test]
fn case_and_length() {
    check("LOWER", args!["This Is"], "this is");
    check("LOWER", args!["ÄÖ ΣΑΣ"], "äö σας");
    check("UPPER", args!["straße"], "STRASSE");
    check("UPPER", args!["ABC"], "ABC");
    check("INITCAP", args!["hello wORLD, a1b"], "Hello World, A1b");
    check("CHAR_LENGTH", args!["1世3"], "3");
    check("CHARACTER_LENGTH", args!["abc"], "3");
    check("ASCII", args!["efg"], "101");
    check("ASCII", args![""], "0");
    for (code, expected) in [(300, ","), (97 + 256, "a"), (-9, ""), (0, "\0"), (228, "ä")] {
        check("CHR", args![code], expected);
    }
    check_type("CHAR_LENGTH", args!["abc"], "INT NOT NULL");
    check_type("UPPER", args![null()], "STRING");
    check_error("UPPER", args![1], "UPPER");
}

#[test]
fn slices_of_columns_convert_alone() {
    let function = crate::lookup("UPPER").expect("registered");
    let types = [LogicalType::string()];
    let (env, _) = headwater_env::Env::simulated(0, 0);
    let build = crate::BuildContext {
        arg_types: &types,
        literals: &[None],
        return_type: &types[0],
        zone: chrono_tz::UTC,
        env: &env,
    };
    let column = StringArray::from(vec![Some("é"), Some("ab"), None, Some("c"), Some("ü")]).slice(1, 3);
    let upper = function.build(&build).expect("builds").eval(&[Operand::Array(Arc::new(column))], 3).expect("total");
    assert_eq!(upper.as_string::<i32>(), &StringArray::from(vec![Some("AB"), None, Some("C")]));
}

#[test]
fn parts() {
    let cases = [
        (2, None, "his is a test String."),
        (2, Some(5), "his i"),
        (0, Some(3), "Thi"),
        (2, Some(100), "his is a test String."),
        (100, Some(10), ""),
        (2, Some(-1), "NULL"),
        (-2, None, "g."),
        (-2, Some(1), "g"),
        (-2, Some(0), ""),
        (-100, Some(3), ""),
        (i64::MIN, Some(i64::MAX), ""),
    ];
    for (start, length, expected) in cases {
        let mut args = args!["This is a test String.", start].to_vec();
        args.extend(length.map(Arg::from));
        check("SUBSTRING", &args, expected);
    }
    check("SUBSTR", args!["1世3", 1, 2], "1世");
    check("SUBSTR", args!["1世3", -2], "世3");
    check("SUBSTRING", args![no_text(), 2, 3], "NULL");
    check("LEFT", args!["1世3", 2], "1世");
    check("LEFT", args!["abc", -2], "");
    check("RIGHT", args!["1世3", 2], "世3");
    check("RIGHT", args!["abc", 5], "abc");
    check("RIGHT", args!["abc", 0], "");
    check("REVERSE", args!["1世3"], "3世1");
    check_type("SUBSTRING", args!["abc", 1], "STRING");
}

#[test]
fn overlays() {
    check("OVERLAY", args!["This is a old string", "new", 11, 3], "This is a new string");
    check("OVERLAY", args!["Hello", "hello world", 2, 3], "Hhello worldo");
    check("OVERLAY", args!["abcdef", "x", 3], "abxdef");
    check("OVERLAY", args!["abc", "x", 0, 1], "abc");
    check("OVERLAY", args!["abc", "x", 4, 1], "abc");
    check("OVERLAY", args!["abcdef", "x", 2, -1], "ax");
}

#[test]
fn searching() {
    check("POSITION", args!["test", "xxxtest"], "4");
    check("LOCATE", args!["testx", "xxxtest"], "0");
    check("LOCATE", args!["aa", "aaads", 2], "2");
    check("LOCATE", args!["心", "开心开心", 3], "4");
    check("LOCATE", args!["", "abc"], "1");
    check("INSTR", args!["Tech on the net", "e"], "2");
    check("INSTR", args!["Tech on the net", "e", 1, 3], "14");
    check("INSTR", args!["Tech on the net", "e", -3, 2], "2");
    check("INSTR", args!["aaa", "aa", 1, 2], "2");
    check("INSTR", args!["abc", "", 1, 1_000_000_000_000], "1");
    check("INSTR", args!["e", no_text()], "NULL");
    check_error("INSTR", args!["abc", "a", 1, 0], "must be positive");
    check("STARTSWITH", args!["in中文", "in中"], "true");
    check("STARTSWITH", args!["", ""], "true");
    check("ENDSWITH", args!["www.apache.org", "org"], "true");
    check("ENDSWITH", args![&[1_u8, 2, 3][..], &[2_u8, 3][..]], "true");
    check_error("STARTSWITH", args!["1", &[1_u8][..]], "STARTSWITH");
}

#[test]
fn trimming() {
    check("TRIM", args!["BOTH", "abd", "abcddcba"], "cddc");
    check("TRIM", args!["TRAILING", " ", "  example  "], "  example");
    check("TRIM", args!["LEADING", "e", "example"], "xample");
    check("TRIM", args!["BOTH", "开心", "心情开开心心"], "情");
    check("TRIM", args!["  example  "], "example");
    check("LTRIM", args!["This is a test String.", "This "], "a test String.");
    check("RTRIM", args!["abcddcba", "abc"], "abcdd");
    check("RTRIM", args!["abcddcba", no_text()], "NULL");
    check("BTRIM", args!["  a\t "], "a\t");
    check_error("BTRIM", args![1], "BTRIM(str <CHARACTER_STRING>)");
}

#[test]
fn replacing() {
    check("REPLACE", args!["hello world", "world", "flink"], "hello flink");
    check("REPLACE", args!["This is", "i", ""], "Ths s");
    check("REPLACE", args!["ab", "", "-"], "-a-b-");
    check("REPLACE", args!["ab", no_text(), "-"], "NULL");
    let cases = [
        ("abcae", "12345", "www.1p13h5.org"),
        ("...", "123", "www1apache1org"),
        ("abcde.", "123", "www1p13horg"),
        ("abcworg", "123 ", "   .1p13he."),
        ("", "123", "www.apache.org"),
    ];
    for (from, to, expected) in cases {
        check("TRANSLATE", args!["www.apache.org", from, to], expected);
    }
    check("TRANSLATE", args!["www.apache.org", "abc", no_text()], "www.phe.org");
    check("TRANSLATE", args!["www.apache.org", no_text(), "abc"], "www.apache.org");
    check_type("TRANSLATE", args!["a", no_text(), "abc"], "STRING NOT NULL");
}

#[test]
fn padding() {
    let cases = [
        ("äää", 13, "12345", "1234512345äää", "äää1234512345"),
        ("hi", 1, "??", "h", "h"),
        ("", 1, "??", "?", "?"),
        ("hi", 5, "??", "???hi", "hi???"),
        ("a", 0, "x", "", ""),
        ("Hello", -1, "x", "NULL", "NULL"),
        ("ab", 5, "", "NULL", "NULL"),
    ];
    for (text, length, pad, left, right) in cases {
        check("LPAD", args![text, length, pad], left);
        check("RPAD", args![text, length, pad], right);
    }
    check_error("LPAD", args!["a", i64::MAX, "x"], "longer than 2 GiB");
}

#[test]
fn splitting() {
    check("SPLIT_INDEX", args!["http://a/b/c", "/", 4], "c");
    check("SPLIT_INDEX", args!["http://a/b/c", "/", 5], "NULL");
    check("SPLIT_INDEX", args!["http://a/b/c", "/", 1], "");
    check("SPLIT_INDEX", args!["AQIDBA==", 73, 0], "AQ");
    check("SPLIT_INDEX", args!["AQIDBA==", 256, 0], "NULL");
    check("SPLIT_INDEX", args!["test", "e", -1], "NULL");
    check("SPLIT_INDEX", args!["a::b::c", "::", 1], "b");
    check("SPLIT_INDEX", args!["a b", "", 1], "b");
    check("SPLIT_INDEX", args!["", ",", 0], "NULL");
    check("SPLIT", args![",123,,,123,", ","], "[, 123, , , 123, ]");
    check("SPLIT", args!["12", ""], "[1, 2]");
    check("SPLIT", args![no_text(), ""], "NULL");
    check("STR_TO_MAP", args!["k1=v1,k2=v2"], "{k1: v1, k2: v2}");
    check("STR_TO_MAP", args![""], "{}");
    check("STR_TO_MAP", args!["k1:v1;k2;k1:", ";", ":"], "{k1: , k2: NULL}");
    check_error("STR_TO_MAP", args!["k1:v1;k2:v2", ";"], "STR_TO_MAP");
}

#[test]
fn choosing() {
    check("ELT", args![1, "scala", "java"], "scala");
    check("ELT", args![2, "a", no_text()], "NULL");
    check("ELT", args![0, "a", "b"], "NULL");
    check("ELT", args![i64::MAX, "ab", "b"], "NULL");
    check("ELT", args![null(), "ab", "b"], "NULL");
    check("ELT", args![2, null(), &[1_u8, 2][..]], "0102");
    check_error("ELT", args![-1, "a"], "Index must be an integer starting from '0', but was '-1'.");
    check_error("ELT", args![1, "a", &[1_u8][..]], "ELT(index <INTEGER_NUMERIC>");
}

#[test]
fn encodings() {
    check("TO_BASE64", args!["你好"], "5L2g5aW9");
    check("TO_BASE64", args![&[1_u8, 2, 3, 4][..]], "AQIDBA==");
    check("FROM_BASE64", args!["5L2g5aW9"], "你好");
    check("FROM_BASE64", args!["aGVsbG8gd29ybGQ"], "hello world");
    check("FROM_BASE64", args![no_text()], "NULL");
    check_error("FROM_BASE64", args!["!"], "FROM_BASE64");
    check("ENCODE", args!["aé", "utf-8"], "61c3a9");
    check("ENCODE", args!["aé", "US-ASCII"], "613f");
    check("ENCODE", args!["a", "UTF-16"], "feff0061");
    check("ENCODE", args!["a", "UTF-16LE"], "6100");
    check_error("ENCODE", args!["a", "EBCDIC"], "Unsupported encoding: 'EBCDIC'");
    check("DECODE", args![&[0x2d_u8, 0x4e, 0xfd, 0x56][..], "UTF-16LE"], "中国");
    check("DECODE", args![&[0xe9_u8][..], "ISO-8859-1"], "é");
    check("DECODE", args![null(), "utf-8"], "NULL");
    check_type("ENCODE", args!["a", "utf-8"], "BYTES NOT NULL");
}

#[test]
fn malformed_utf8_is_replaced_as_java_does() {
    let cases: [(&[u8], &str); 8] = [
        (b"Hello", "Hello"),
        ("é€😀".as_bytes(), "é€😀"),
        (&[128], "\u{FFFD}"),
        (&[226, 130], "\u{FFFD}"),
        (&[192, 175], "\u{FFFD}\u{FFFD}"),
        (&[237, 160, 128], "\u{FFFD}"),
        (&[65, 66, 255, 67, 68], "AB\u{FFFD}CD"),
        (&[0xF0, 0x9F, 0x98, 65], "\u{FFFD}A"),
    ];
    for (bytes, expected) in cases {
        check("MAKE_VALID_UTF8", args![bytes], expected);
        check("IS_VALID_UTF8", args![bytes], if expected.contains('\u{FFFD}') { "false" } else { "true" });
    }
}

#[test]
fn addresses() {
    let cases = [
        ("127.0.0.1", "2130706433"),
        ("127.1", "2130706433"),
        ("10.1.2", "167837698"),
        ("1", "1"),
        ("256", "NULL"),
        ("167772161", "NULL"),
        ("1.2.3.4.5", "NULL"),
        ("1..2", "NULL"),
        ("", "NULL"),
        ("+1", "NULL"),
    ];
    for (address, expected) in cases {
        check("INET_ATON", args![address], expected);
    }
    check("INET_NTOA", args![2130706433], "127.0.0.1");
    check("INET_NTOA", args![4294967295], "255.255.255.255");
    check("INET_NTOA", args![-1], "NULL");
    check("INET_NTOA", args![4294967296], "NULL");
}

#[test]
fn formats() {
    check("PRINTF", args!["%d %s", no_text(), no_text()], "null null");
    check("PRINTF", args!["empty"], "empty");
    check("PRINTF", args!["%s"], "NULL");
    check("PRINTF", args!["%s %s", 1, 2, 3], "1 2");
    check("PRINTF", args!["%2$s %1$s %<s %s", 1, 2], "2 1 1 1");
    let integers = [
        ("%08d", 1024, "00001024"),
        ("%-6d|", 1024, "1024  |"),
        ("%+,d", 1234567, "+1,234,567"),
        ("%(d", -5, "(5)"),
        ("%x", -1, "ffffffffffffffff"),
        ("%#X", 255, "0XFF"),
        ("%c", 65, "A"),
        ("%5s%%%n", 7, "    7%\n"),
        ("%b", 1, "true"),
        ("%.1f", 1, "NULL"),
        ("%q", 1, "NULL"),
        ("%0d", 1, "NULL"),
        ("%999999999999d", 1, "NULL"),
    ];
    for (format, value, expected) in integers {
        check("PRINTF", args![format, value], expected);
    }
    let doubles = [
        ("%.1f", 10.24, "10.2"),
        ("%.2f", 0.125, "0.13"),
        ("%.0f", 9.5, "10"),
        ("%f", 1e10, "10000000000.000000"),
        ("%.3f", 0.0004, "0.000"),
        ("%.3f", 0.0005, "0.001"),
        ("%08.2f", -2.345, "-0002.35"),
        ("%e", 12345.678, "1.234568e+04"),
        ("%.2E", 0.00098765, "9.88E-04"),
        ("%g", 0.0001, "0.000100000"),
        ("%g", 123456789.0, "1.23457e+08"),
        ("%s", 10.24, "10.24"),
        ("%.2f", f64::NAN, "NaN"),
    ];
    for (format, value, expected) in doubles {
        check("PRINTF", args![format, value], expected);
    }
    check("PRINTF", args!["%.2s|%S", "abc", "abc"], "ab|ABC");
    check("PRINTF", args!["%b", true], "true");
    check("PRINTF", args!["%s", Arg(TypeRoot::Date.into(), headwater_plan::Value::Int(19934))], "19934");
    let stamp = |precision, value| {
        Arg(TypeRoot::Timestamp(precision, Default::default()).into(), headwater_plan::Value::Int(value))
    };
    check("PRINTF", args!["%s", stamp(3, 1_722_335_040_000)], "2024-07-30T10:24");
    check("PRINTF", args!["%s", stamp(6, 1_722_335_040_256_000)], "2024-07-30T10:24:00.256");
    for root in [TypeRoot::IntervalDayTime, TypeRoot::IntervalYearMonth, TypeRoot::Time(3)] {
        check("PRINTF", args!["%s", Arg(root.into(), headwater_plan::Value::Int(18000))], "18000");
    }
    check_error("PRINTF", args![1024], "PRINTF(format <CHARACTER_STRING>, obj <ANY>...)");
}

/// `SUBSTRING` as Flink defines it, over characters.
fn substring_model(text: &str, start: i64, length: i64) -> Option<String> {
    let count = text.chars().count() as i64;
    let first = match start {
        1.. => start - 1,
        0 => 0,
        _ => count + start,
    };
    if length < 0 {
        return None;
    }
    if first < 0 {
        return Some(String::new());
    }
    Some(text.chars().skip(first as usize).take(length as usize).collect())
}

proptest! {
    #[test]
    fn substrings_agree_with_the_model(text in "[a-zé世😀]{0,8}", start in -10_i64..10, length in -2_i64..10) {
        let expected = substring_model(&text, start, length).unwrap_or_else(|| "NULL".to_owned());
        check("SUBSTRING", args![text.as_str(), start, length], &expected);
    }

    #[test]
    fn parts_agree_with_splitting(text in "[ab,é]{1,10}", separator in "[,é]|,a", index in 0_i64..5) {
        let expected = text.split(separator.as_str()).nth(index as usize).unwrap_or("NULL");
        check("SPLIT_INDEX", args![text.as_str(), separator.as_str(), index], expected);
    }

    #[test]
    fn formats_never_panic(format in "(%[-#+ 0,(]{0,3}[0-9]{0,3}(\\.[0-9]{0,3})?[bscdoxefgn%$<]|é){0,3}", value in any::<f64>()) {
        let _ = call("PRINTF", args![format.as_str(), value, 1, "x"]);
    }

    #[test]
    fn malformed_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
        let (_, valid) = call("MAKE_VALID_UTF8", args![bytes.as_slice()]).expect("total");
        prop_assert_eq!(valid.contains('\u{FFFD}'), std::str::from_utf8(&bytes).map_or(true, |t| t.contains('\u{FFFD}')));
    }
}
