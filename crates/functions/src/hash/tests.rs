use crate::testing::{args, check, check_error, check_type, null_of};
use headwater_types::LogicalType;

#[test]
fn digests_are_lower_case_hexadecimal() {
    check("MD5", args!["abc"], "900150983cd24fb0d6963f7d28e17f72");
    check("MD5", args![&b"abc"[..]], "900150983cd24fb0d6963f7d28e17f72");
    check("SHA1", args![""], "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    check("SHA224", args![""], "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f");
    check("SHA2", args!["test", 256], "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08");
    check("SHA256", args!["test"], "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08");
    check("SHA512", args![null_of(LogicalType::string().root)], "NULL");
    check_error("SHA2", args!["test", 1], "224, 256, 384 or 512");
    check_type("SHA384", args!["test"], "CHAR(96) NOT NULL");
    check_type("SHA2", args!["test", 256], "VARCHAR(128) NOT NULL");
}
