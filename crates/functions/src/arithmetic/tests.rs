use crate::testkit::{call_in, check, check_error, check_typed};

#[test]
fn integers_wrap_and_widen() {
    check_typed("+", &[("TINYINT", "127"), ("TINYINT", "1")], "TINYINT", "-128");
    check_typed("+", &[("INT", "1"), ("BIGINT", "2")], "BIGINT", "3");
    check_typed("*", &[("INT", "2147483647"), ("INT", "2")], "INT", "-2");
    check_typed("-", &[("SMALLINT", "-32768"), ("SMALLINT", "1")], "SMALLINT", "32767");
    check_typed("-", &[("INT", "5")], "INT", "-5");
    check_typed("-", &[("INT", "-2147483648")], "INT", "-2147483648");
    check_typed("+", &[("DOUBLE", "1.5")], "DOUBLE", "1.5");
    check_typed("+", &[("INT NOT NULL", "1"), ("INT NOT NULL", "2")], "INT NOT NULL", "3");
    check_typed("+", &[("INT", "1"), ("NULL", "NULL")], "INT", "NULL");
}

#[test]
fn integer_division_truncates_and_fails_on_zero() {
    check_typed("/", &[("INT", "-7"), ("INT", "2")], "INT", "-3");
    check_typed("/", &[("INT", "-2147483648"), ("INT", "-1")], "INT", "-2147483648");
    check_typed("%", &[("BIGINT", "-7"), ("INT", "3")], "INT", "-1");
    check_typed("MOD", &[("INT", "44"), ("BIGINT", "5")], "BIGINT", "4");
    check("/", &[("INT", "NULL"), ("INT", "0")], "NULL");
    check_error("/", &[("INT", "1"), ("INT", "0")], "/ by zero");
    check_error("%", &[("BIGINT", "1"), ("BIGINT", "0")], "/ by zero");
    check("/", &[("DOUBLE", "1"), ("DOUBLE", "0")], "Infinity");
    check("%", &[("DOUBLE", "7.5"), ("DOUBLE", "2")], "1.5");
}

#[test]
fn mixed_numbers_take_the_wider_kind() {
    check_typed("+", &[("BIGINT", "1"), ("FLOAT", "0.5")], "FLOAT", "1.5");
    check_typed("+", &[("DECIMAL(5, 2)", "1.25"), ("DOUBLE", "0.5")], "DOUBLE", "1.75");
    check_typed("+", &[("DECIMAL(5, 2)", "1.25"), ("FLOAT", "0.5")], "DOUBLE", "1.75");
    check_error("+", &[("INT", "1"), ("STRING", "1")], "Cannot apply '+'");
    check_error("+", &[("INT", "1"), ("STRING", "1")], "(INT, STRING)");
}

#[test]
fn decimals_follow_the_result_type_rules() {
    let cases = [
        ("+", ("DECIMAL(19, 0)", "1514356320000"), ("INT", "6"), "DECIMAL(20, 0)", "1514356320006"),
        ("/", ("DECIMAL(19, 0)", "1514356320000"), ("INT", "6"), "DECIMAL(30, 11)", "252392720000.00000000000"),
        ("*", ("DECIMAL(19, 0)", "1514356320000"), ("INT", "6"), "DECIMAL(30, 0)", "9086137920000"),
        ("/", ("DECIMAL(20, 2)", "1.00"), ("DECIMAL(20, 16)", "3"), "DECIMAL(38, 6)", "0.333333"),
        ("/", ("DECIMAL(20, 2)", "1.00"), ("DECIMAL(20, 10)", "3"), "DECIMAL(38, 10)", "0.3333333333"),
        (
            "+",
            ("DECIMAL(38, 10)", "100.0123456789"),
            ("DECIMAL(38, 28)", "200.0123456789012345678901234567"),
            "DECIMAL(38, 9)",
            "300.024691358",
        ),
        ("-", ("DECIMAL(10, 2)", "100.12"), ("DECIMAL(10, 4)", "200.1234"), "DECIMAL(13, 4)", "-100.0034"),
        ("*", ("DECIMAL(30, 20)", "0.01"), ("DECIMAL(30, 20)", "0.01"), "DECIMAL(38, 17)", "0.00010000000000000"),
        ("*", ("DECIMAL(38, 10)", "0.0000006"), ("DECIMAL(38, 10)", "1.0"), "DECIMAL(38, 6)", "0.000001"),
        ("%", ("DECIMAL(10, 2)", "3.00"), ("DECIMAL(10, 4)", "5.00"), "DECIMAL(10, 4)", "3.0000"),
        ("%", ("INT", "7"), ("DECIMAL(10, 2)", "3.00"), "DECIMAL(10, 2)", "1.00"),
        (
            "/",
            ("DECIMAL(30, 0)", "100000000000000000000"),
            ("DECIMAL(30, 20)", "0.000000000000001"),
            "DECIMAL(38, 6)",
            "NULL",
        ),
        ("/", ("DECIMAL(2, 1)", "2.0"), ("DECIMAL(2, 1)", "3.0"), "DECIMAL(8, 6)", "0.666667"),
        (
            "*",
            ("DECIMAL(38, 0)", "50000000000000000000000000000000000000"),
            ("DECIMAL(38, 0)", "3"),
            "DECIMAL(38, 0)",
            "NULL",
        ),
    ];
    for (name, left, right, ty, expected) in cases {
        check_typed(name, &[left, right], ty, expected);
    }
    check_error("/", &[("DECIMAL(5, 2)", "1"), ("DECIMAL(5, 2)", "0")], "Division by zero");
}

#[test]
fn points_in_time_move_by_intervals() {
    let cases = [
        ("+", ("DATE", "1990-10-14"), ("MONTHS", "0-2"), "DATE", "1990-12-14"),
        ("-", ("DATE", "1990-10-14"), ("SECONDS", "2"), "DATE", "1990-10-12"),
        ("+", ("TIME(0)", "10:20:45"), ("SECONDS", "0 12:00:00"), "TIME(0)", "22:20:45"),
        ("-", ("TIME(0)", "10:20:45"), ("SECONDS", "0 12:00:00"), "TIME(0)", "22:20:45"),
        (
            "-",
            ("TIMESTAMP(3)", "1990-10-14 10:20:45.123"),
            ("MONTHS", "10-0"),
            "TIMESTAMP(3)",
            "1980-10-14 10:20:45.123",
        ),
        ("+", ("TIMESTAMP(3)", "2024-01-31 01:00:00"), ("MONTHS", "0-1"), "TIMESTAMP(3)", "2024-02-29 01:00:00.000"),
        (
            "-",
            ("TIMESTAMP(9)", "1970-02-01 00:00:00.123456789"),
            ("SECONDS", "0 00:00:01"),
            "TIMESTAMP(9)",
            "1970-01-31 23:59:59.123456789",
        ),
        (
            "+",
            ("SECONDS", "-10 00:00:00.004"),
            ("TIMESTAMP(3)", "1990-10-14 10:20:45.123"),
            "TIMESTAMP(3)",
            "1990-10-04 10:20:45.119",
        ),
        ("-", ("SECONDS", "0 00:01:00"), ("SECONDS", "0 00:00:10"), "INTERVAL DAY TO SECOND(3)", "+0 00:00:50.000"),
        ("*", ("SECONDS", "0 00:00:02"), ("INT", "3"), "INTERVAL DAY TO SECOND(3)", "+0 00:00:06.000"),
        ("*", ("INT", "2"), ("MONTHS", "1-01"), "INTERVAL YEAR TO MONTH", "+2-02"),
        ("/", ("MONTHS", "2-00"), ("INT", "-2"), "INTERVAL YEAR TO MONTH", "-1-00"),
        ("*", ("SECONDS", "0 00:00:02"), ("DOUBLE", "1.5"), "INTERVAL DAY TO SECOND(3)", "+0 00:00:03.000"),
        (
            "-",
            ("TIMESTAMP(3)", "2020-01-02 00:00:00"),
            ("TIMESTAMP(3)", "2020-01-01 12:00:00"),
            "INTERVAL DAY TO SECOND(3)",
            "+0 12:00:00.000",
        ),
        (
            "-",
            ("DATE", "2020-01-02"),
            ("TIMESTAMP(3)", "2020-01-01 12:00:00"),
            "INTERVAL DAY TO SECOND(3)",
            "+0 12:00:00.000",
        ),
    ];
    for (name, left, right, ty, expected) in cases {
        check_typed(name, &[left, right], ty, expected);
    }
    check("-", &[("MONTHS", "2-00")], "-2-00");
    check_error("+", &[("DATE", "2020-01-01"), ("DATE", "2020-01-01")], "Cannot apply");
}

#[test]
fn functions_of_doubles() {
    let cases = [
        ("SQRT", "4", "2.0"),
        ("LOG10", "1", "0.0"),
        ("LOG2", "10", "3.3219280948873626"),
        ("LOG", "10", "2.302585092994046"),
        ("SIN", "2.5", "0.5984721441039564"),
        ("TAN", "2.5", "-0.7470222972386603"),
        ("ASIN", "0.5", "0.5235987755982989"),
        ("ATAN", "0.5", "0.4636476090008061"),
        ("COSH", "2.5", "6.132289479663686"),
        ("DEGREES", "0.5", "28.64788975654116"),
        ("RADIANS", "0.5", "0.008726646259971648"),
    ];
    for (name, value, expected) in cases {
        check(name, &[("DECIMAL(3, 1)", value)], expected);
    }
    check("LOG", &[("INT", "10"), ("INT", "100")], "2.0");
    check("LOG", &[("INT", "1"), ("INT", "100")], "Infinity");
    check("POWER", &[("INT", "2"), ("INT", "10")], "1024.0");
    check_typed("PI", &[], "DOUBLE NOT NULL", "3.141592653589793");
    check_error("SIN", &[("STRING", "1")], "SIN(<NUMERIC>)");
}

#[test]
fn rounding_keeps_the_kind_of_number() {
    let cases = [
        ("ABS", vec![("INT", "-5")], "INT", "5"),
        ("ABS", vec![("DECIMAL(10, 2)", "-3.14")], "DECIMAL(10, 2)", "3.14"),
        ("SIGN", vec![("DECIMAL(10, 2)", "-3.14")], "DECIMAL(10, 2)", "-1.00"),
        ("SIGN", vec![("DOUBLE", "-1.1")], "DOUBLE", "-1.0"),
        ("CEIL", vec![("DECIMAL(10, 2)", "3.14")], "DECIMAL(10, 0)", "4"),
        ("CEILING", vec![("DECIMAL(10, 2)", "-3.14")], "DECIMAL(10, 0)", "-3"),
        ("FLOOR", vec![("DECIMAL(38, 19)", "-1231.1231231321321321111")], "DECIMAL(38, 0)", "-1232"),
        ("FLOOR", vec![("INT", "43")], "INT", "43"),
        ("CEIL", vec![("FLOAT", "4.5")], "FLOAT", "5.0"),
        ("ROUND", vec![("DECIMAL(10, 3)", "646.646")], "DECIMAL(8, 0)", "647"),
        ("ROUND", vec![("DECIMAL(10, 3)", "646.646"), ("INT", "1")], "DECIMAL(9, 1)", "646.6"),
        ("ROUND", vec![("DECIMAL(10, 3)", "646.646"), ("INT", "4")], "DECIMAL(10, 3)", "646.646"),
        ("ROUND", vec![("DECIMAL(10, 3)", "646.646"), ("INT", "-1")], "DECIMAL(8, 0)", "650"),
        ("ROUND", vec![("DECIMAL(10, 3)", "646.646"), ("INT", "-4")], "DECIMAL(8, 0)", "0"),
        ("ROUND", vec![("DECIMAL(4, 2)", "99.99"), ("INT", "1")], "DECIMAL(4, 1)", "100.0"),
        ("ROUND", vec![("DECIMAL(6, 3)", "-125.315"), ("INT", "2")], "DECIMAL(6, 2)", "-125.32"),
        (
            "ROUND",
            vec![("DECIMAL(38, 0)", "99999999999999999999999999999999999999"), ("INT", "-1")],
            "DECIMAL(38, 0)",
            "NULL",
        ),
        ("ROUND", vec![("TINYINT", "123"), ("INT", "-2")], "TINYINT", "100"),
        ("ROUND", vec![("FLOAT", "1.2345"), ("INT", "3")], "FLOAT", "1.235"),
        ("ROUND", vec![("DOUBLE", "1.005"), ("INT", "2")], "DOUBLE", "1.01"),
        ("ROUND", vec![("DOUBLE", "49.5"), ("INT", "-2")], "DOUBLE", "0.0"),
        ("TRUNCATE", vec![("DECIMAL(5, 3)", "42.345"), ("INT", "2")], "DECIMAL(5, 2)", "42.34"),
        ("TRUNCATE", vec![("DOUBLE", "0.45"), ("INT", "1")], "DOUBLE", "0.4"),
        ("TRUNCATE", vec![("BIGINT", "44"), ("INT", "-1")], "BIGINT", "40"),
        ("TRUNCATE", vec![("DOUBLE", "-1.99")], "DOUBLE", "-1.0"),
    ];
    for (name, args, ty, expected) in cases {
        check_typed(name, &args, ty, expected);
    }
    check_error("TRUNCATE", &[("STRING", "abc"), ("STRING", "def")], "TRUNCATE");
    check_error("TRUNCATE", &[("INT", "1"), ("DOUBLE", "0.4")], "TRUNCATE");
}

#[test]
fn seeds_start_javas_sequences() {
    check("RAND", &[("INT", "10")], "0.7304302967434272");
    check("RAND_INTEGER", &[("INT", "3"), ("INT", "10")], "4");
    check("RAND_INTEGER", &[("INT", "3"), ("INT", "NULL")], "NULL");
    check_error("RAND_INTEGER", &[("INT", "0")], "bound must be positive");
    let (ty, uuid) = call_in(chrono_tz::UTC, "UUID", &[]).unwrap();
    assert_eq!((ty.to_string().as_str(), uuid.len(), &uuid[14..15]), ("CHAR(36) NOT NULL", 36, "4"));
}

#[test]
fn numbers_and_bytes_in_other_bases() {
    check("BIN", &[("TINYINT", "42")], "101010");
    check("BIN", &[("INT", "0")], "0");
    check("HEX", &[("INT", "100")], "64");
    check("HEX", &[("INT", "-1")], "FFFFFFFFFFFFFFFF");
    check("HEX", &[("STRING", "ö")], "C3B6");
    check("UNHEX", &[("STRING", "466C696E6B")], "x'466c696e6b'");
    check("UNHEX", &[("STRING", "146")], "x'0046'");
    check("UNHEX", &[("STRING", "1-")], "NULL");
    check_error("BIN", &[("DOUBLE", "1")], "BIN(");
    check_error("UNHEX", &[("INT", "1")], "UNHEX(expr <CHARACTER_STRING>)");
}
