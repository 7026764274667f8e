use crate::testkit::{check, check_error, check_typed};

#[test]
fn the_first_value_that_is_not_null() {
    let (null, one) = (("INT", "NULL"), ("INT NOT NULL", "1"));
    check_typed("COALESCE", &[null, ("BIGINT NOT NULL", "7")], "BIGINT NOT NULL", "7");
    check_typed("COALESCE", &[null, null, one], "INT NOT NULL", "1");
    check_typed("COALESCE", &[null, null], "INT", "NULL");
    check_typed("COALESCE", &[("NULL", "NULL"), ("INT", "5")], "INT", "5");
    check_typed("COALESCE", &[("NULL", "NULL"), ("NULL", "NULL")], "NULL", "NULL");
    check_typed("IFNULL", &[("DECIMAL(5, 2)", "1.23"), ("DECIMAL(10, 2)", "0")], "DECIMAL(10, 2)", "1.23");
    check_error("COALESCE", &[("INT", "1"), ("STRING", "a")], "COALESCE");
}

#[test]
fn a_condition_selects() {
    check("IF", &[("BOOLEAN", "true"), ("INT", "1"), ("BIGINT", "2")], "1");
    check("IF", &[("BOOLEAN", "NULL"), ("STRING", "a"), ("STRING", "b")], "b");
    check_error("IF", &[("BOOLEAN", "true"), ("STRING", "a"), ("BOOLEAN", "true")], "IF(");
}

#[test]
fn nullif_keeps_the_first_type() {
    check_typed("NULLIF", &[("INT NOT NULL", "1"), ("INT NOT NULL", "1")], "INT", "NULL");
    check_typed("NULLIF", &[("DECIMAL(8, 2)", "1"), ("DOUBLE", "1.0")], "DECIMAL(8, 2)", "NULL");
    check_typed("NULLIF", &[("INT", "1"), ("BIGINT", "2")], "INT", "1");
    check_typed("NULLIF", &[("INT", "1"), ("INT", "NULL")], "INT", "1");
}

#[test]
fn extremes_are_null_when_an_argument_is() {
    check("GREATEST", &[("INT", "1"), ("DECIMAL(3, 2)", "3.14"), ("INT", "2")], "3.14");
    check("GREATEST", &[("INT", "NULL"), ("INT", "1"), ("INT", "2")], "NULL");
    check_typed("LEAST", &[("STRING NOT NULL", "b"), ("STRING NOT NULL", "a")], "STRING NOT NULL", "a");
    check(
        "GREATEST",
        &[("TIMESTAMP(3)", "1970-01-01 00:00:03"), ("TIMESTAMP(3)", "1970-01-01 00:00:02")],
        "1970-01-01 00:00:03.000",
    );
    check_error("GREATEST", &[("INT NOT NULL", "1"), ("STRING NOT NULL", "a")], "GREATEST");
}

#[test]
fn the_form_of_text() {
    let cases = [
        ("IS_ALPHA", "abc", "TRUE"),
        ("IS_ALPHA", "a1", "FALSE"),
        ("IS_DECIMAL", "11.4445", "TRUE"),
        ("IS_DECIMAL", "abc", "FALSE"),
        ("IS_DECIMAL", "NULL", "FALSE"),
        ("IS_DIGIT", "2", "TRUE"),
        ("IS_DIGIT", "11.4445", "FALSE"),
    ];
    for (name, text, expected) in cases {
        check_typed(name, &[("STRING", text)], "BOOLEAN NOT NULL", expected);
    }
}

#[test]
fn types_have_names() {
    check("TYPEOF", &[("INT NOT NULL", "12")], "INT NOT NULL");
    check("TYPEOF", &[("NULL", "NULL")], "NULL");
    check("TYPEOF", &[("STRING", "a"), ("BOOLEAN", "true")], "VARCHAR(2147483647)");
    check_error("TYPEOF", &[("INT", "1"), ("INT", "1")], "TYPEOF");
}
