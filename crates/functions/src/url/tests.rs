use crate::testing::{args, call, check, null_of};
use headwater_types::LogicalType;
use proptest::prelude::*;

#[test]
fn escapes() {
    check("URL_ENCODE", args!["https://flink.apache.org/"], "https%3A%2F%2Fflink.apache.org%2F");
    check(
        "URL_ENCODE",
        args!["inva lid://user:pass@host/file;param?query;p2"],
        "inva+lid%3A%2F%2Fuser%3Apass%40host%2Ffile%3Bparam%3Fquery%3Bp2",
    );
    check("URL_ENCODE", args!["ä"], "%C3%A4");
    check("URL_DECODE", args!["https%3A%2F%2Fflink.apache.org%2F+%c3%A4"], "https://flink.apache.org/ ä");
    for malformed in ["%", "%4", "%zz"] {
        check("URL_DECODE", args![malformed], "NULL");
    }
    check("URL_DECODE", args![null_of(LogicalType::string().root)], "NULL");
}

#[test]
fn parts() {
    let url = "http://user:pw@facebook.com:80/path1/p.php?k1=v1&k2=v2#Ref1";
    let cases = [
        ("HOST", "facebook.com"),
        ("PATH", "/path1/p.php"),
        ("QUERY", "k1=v1&k2=v2"),
        ("REF", "Ref1"),
        ("PROTOCOL", "http"),
        ("FILE", "/path1/p.php?k1=v1&k2=v2"),
        ("AUTHORITY", "user:pw@facebook.com:80"),
        ("USERINFO", "user:pw"),
        ("host", "NULL"),
    ];
    for (part, expected) in cases {
        check("PARSE_URL", args![url, part], expected);
    }
    check("PARSE_URL", args![url, "QUERY", "k2"], "v2");
    check("PARSE_URL", args![url, "QUERY", "k3"], "NULL");
    check("PARSE_URL", args![url, "HOST", "k2"], "NULL");
    check("PARSE_URL", args!["not a url", "HOST"], "NULL");
    check("PARSE_URL", args!["http://host", "PATH"], "");
    check("PARSE_URL", args!["http://host?a=b", "QUERY"], "a=b");
}

proptest! {
    #[test]
    fn urls_never_panic(url in "(http|file)?:?[/@:?#\\[\\]a-zé0-9%=&. ]{0,20}", key in "[a-z]{0,2}") {
        for part in ["HOST", "PATH", "QUERY", "REF", "FILE", "AUTHORITY", "USERINFO"] {
            let _ = call("PARSE_URL", args![url.as_str(), part, key.as_str()]);
            let _ = call("PARSE_URL", args![url.as_str(), part]);
        }
    }

    #[test]
    fn decoding_undoes_encoding(text in any::<String>()) {
        let (_, encoded) = call("URL_ENCODE", args![text.as_str()]).expect("total");
        check("URL_DECODE", args![encoded.as_str()], &text);
    }
}
