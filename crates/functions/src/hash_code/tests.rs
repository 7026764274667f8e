use crate::testkit::{check, check_error};

#[test]
fn hash_codes_are_those_of_java() {
    for (arg, expected) in [
        (("STRING", "a"), "97"),
        (("STRING", "hello"), "99162322"),
        (("STRING", "\u{1f600}"), "1772899"),
        (("BOOLEAN", "true"), "1231"),
        (("INT", "-7"), "-7"),
        (("BIGINT", "-1"), "0"),
        (("BIGINT", "4294967297"), "0"),
        (("DOUBLE", "1.5"), "1073217536"),
        (("DATE", "1970-01-02"), "1"),
        (("STRING", "NULL"), "NULL"),
    ] {
        check("HASH_CODE", &[arg], expected);
    }
    check_error("HASH_CODE", &[("BYTES", "a")], "HASH_CODE");
}
