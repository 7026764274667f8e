use super::calendar::{MS_PER_DAY, add_months, civil_from_days, days_from_civil, days_in_month, months_between_ms};
use super::pattern::Pattern;
use super::pattern_parse::Strictness;
use crate::testkit::{call_in, check, check_columns, check_error, check_in, check_typed};
use chrono_tz::Tz;

#[test]
fn fields_of_points_in_time() {
    let (stamp, date, time) = ("1996-11-10 06:55:44.333", "1996-11-10", "06:55:44");
    let cases = [
        ("MILLENNIUM", "2"),
        ("CENTURY", "20"),
        ("DECADE", "199"),
        ("YEAR", "1996"),
        ("QUARTER", "4"),
        ("MONTH", "11"),
        ("WEEK", "45"),
        ("DAY", "10"),
        ("DOY", "315"),
        ("DOW", "1"),
        ("ISODOW", "7"),
        ("ISOYEAR", "1996"),
        ("HOUR", "6"),
        ("MINUTE", "55"),
        ("SECOND", "44"),
        ("MILLISECOND", "333"),
        ("MICROSECOND", "333000"),
        ("EPOCH", "847608944"),
    ];
    for (unit, expected) in cases {
        check_typed("EXTRACT", &[("CHAR(9) NOT NULL", unit), ("TIMESTAMP(3)", stamp)], "BIGINT", expected);
    }
    for (unit, expected) in [("YEAR", "1996"), ("DOW", "1"), ("EPOCH", "847584000")] {
        check("EXTRACT", &[("STRING", unit), ("DATE", date)], expected);
    }
    for (unit, expected) in [("HOUR", "6"), ("SECOND", "44"), ("MILLISECOND", "0")] {
        check("EXTRACT", &[("STRING", unit), ("TIME(0)", time)], expected);
    }
    check("EXTRACT", &[("STRING", "DAY"), ("SECONDS", "19 12:10:10.123")], "19");
    check("EXTRACT", &[("STRING", "MONTH"), ("MONTHS", "2-01")], "1");
    check("EXTRACT", &[("STRING", "QUARTER"), ("MONTHS", "2-01")], "1");
    check("EXTRACT", &[("STRING", "MICROSECOND"), ("TIMESTAMP(9)", "1970-01-01 00:00:00.123456789")], "123456");
    check("HOUR", &[("TIMESTAMP(3)", "1969-12-31 23:59:59.999")], "23");
    check("DAYOFWEEK", &[("DATE", date)], "1");
    check("QUARTER", &[("DATE", "2016-04-12")], "2");
    check("HOUR", &[("SECONDS", "16979 07:23:33.000")], "7");
    check_error("EXTRACT", &[("STRING", "NANOSECOND"), ("DATE", date)], "can not be applied to a DATE");
    check_error("EXTRACT", &[("STRING", "FORTNIGHT"), ("DATE", date)], "'FORTNIGHT' is not a unit");
}

#[test]
fn zoned_fields_are_those_of_the_session_zone() {
    // Summer time in Berlin began at 01:00 UTC.
    for (utc, expected) in [("2021-03-28 01:59:59", "1"), ("2021-03-28 03:00:00", "3")] {
        check_in(chrono_tz::Europe::Berlin, "HOUR", &[("TIMESTAMP_LTZ(3)", utc)], expected);
    }
    let args = [("TIMESTAMP_LTZ(3)", "2021-03-28 12:30:00"), ("STRING", "DAY")];
    check_in(chrono_tz::Europe::Berlin, "FLOOR", &args, "2021-03-28 00:00:00.000");
    check_in(chrono_tz::Europe::Berlin, "CEIL", &args, "2021-03-29 00:00:00.000");
}

#[test]
fn points_in_time_round_to_units() {
    let stamp = "2020-02-29 01:56:59.987654";
    let cases = [
        ("MILLISECOND", "2020-02-29 01:56:59.987000", "2020-02-29 01:56:59.988000"),
        ("SECOND", "2020-02-29 01:56:59.000000", "2020-02-29 01:57:00.000000"),
        ("MINUTE", "2020-02-29 01:56:00.000000", "2020-02-29 01:57:00.000000"),
        ("HOUR", "2020-02-29 01:00:00.000000", "2020-02-29 02:00:00.000000"),
        ("DAY", "2020-02-29 00:00:00.000000", "2020-03-01 00:00:00.000000"),
        ("WEEK", "2020-02-23 00:00:00.000000", "2020-03-01 00:00:00.000000"),
        ("MONTH", "2020-02-01 00:00:00.000000", "2020-03-01 00:00:00.000000"),
        ("QUARTER", "2020-01-01 00:00:00.000000", "2020-04-01 00:00:00.000000"),
        ("YEAR", "2020-01-01 00:00:00.000000", "2021-01-01 00:00:00.000000"),
        ("DECADE", "2020-01-01 00:00:00.000000", "2030-01-01 00:00:00.000000"),
        ("CENTURY", "2001-01-01 00:00:00.000000", "2101-01-01 00:00:00.000000"),
        ("MILLENNIUM", "2001-01-01 00:00:00.000000", "3001-01-01 00:00:00.000000"),
    ];
    for (unit, floor, ceil) in cases {
        let args = [("TIMESTAMP(6)", stamp), ("STRING", unit)];
        check("FLOOR", &args, floor);
        check("CEIL", &args, ceil);
    }
    let dates = [
        ("SECOND", "1990-10-14", "1990-10-14"),
        ("DAY", "1990-10-14", "1990-10-15"),
        ("WEEK", "1990-10-14", "1990-10-14"),
        ("DECADE", "1990-01-01", "2000-01-01"),
        ("CENTURY", "1901-01-01", "2001-01-01"),
        ("MILLENNIUM", "1001-01-01", "2001-01-01"),
    ];
    for (unit, floor, ceil) in dates {
        check_typed("FLOOR", &[("DATE", "1990-10-14"), ("STRING", unit)], "DATE", floor);
        check("CEIL", &[("DATE", "1990-10-14"), ("STRING", unit)], ceil);
    }
    check("CEIL", &[("TIMESTAMP(3)", "2018-03-01 21:00:01"), ("STRING", "MONTH")], "2018-03-01 00:00:00.000");
    check("CEIL", &[("TIME(3)", "11:22:33.123"), ("STRING", "MINUTE")], "11:23:00.0");
    check("FLOOR", &[("TIME(0)", "12:44:31"), ("STRING", "HOUR")], "12:00:00");
}

#[test]
fn units_are_added() {
    let cases = [
        ("DAY", "1", ("DATE", "2016-06-15"), "DATE", "2016-06-16"),
        ("SECOND", "-1", ("DATE", "2016-06-15"), "TIMESTAMP(6)", "2016-06-14 23:59:59.000000"),
        ("MONTH", "1", ("DATE", "2016-05-31"), "DATE", "2016-06-30"),
        ("QUARTER", "-1", ("DATE", "2021-10-30"), "DATE", "2021-07-30"),
        ("MINUTE", "1", ("TIME(0)", "23:59:59"), "TIME(0)", "00:00:59"),
        ("YEAR", "10", ("TIME(0)", "23:59:59"), "TIME(0)", "23:59:59"),
        ("WEEK", "-1", ("TIMESTAMP(3)", "2016-06-15 10:00:00"), "TIMESTAMP(3)", "2016-06-08 10:00:00.000"),
        ("MICROSECOND", "5", ("TIMESTAMP(3)", "2016-06-15 10:00:00"), "TIMESTAMP(6)", "2016-06-15 10:00:00.000005"),
    ];
    for (unit, count, point, ty, expected) in cases {
        check_typed("TIMESTAMPADD", &[("STRING", unit), ("TINYINT", count), point], ty, expected);
    }
    check_error("TIMESTAMPADD", &[("STRING", "XXX"), ("INT", "1"), ("DATE", "2016-06-15")], "not a unit");
}

#[test]
fn what_a_type_cannot_hold_is_an_error() {
    let point = ("TIMESTAMP(9)", "1990-01-01 00:00:00");
    check_error("FLOOR", &[point, ("STRING", "MILLENNIUM")], "outside the range");
    check_error("TIMESTAMPADD", &[("STRING", "YEAR"), ("INT", "300"), point], "outside the range");
    check_error("TIMESTAMPADD", &[("STRING", "YEAR"), ("BIGINT", "9223372036854775807"), point], "outside the range");
    check_error(
        "TIMESTAMPADD",
        &[("STRING", "DAY"), ("BIGINT", "9223372036854775807"), ("DATE", "1990-01-01")],
        "DATE",
    );
    check_error("+", &[point, ("MONTHS", "300-00")], "outside the range");
    for text in ["9999999999:1:1", "1:99999999999", "::"] {
        check("TO_TIME", &[("STRING", text)], "NULL");
    }
    for (text, pattern) in [("999999999999999999 1", "y D"), ("4294967295 PM", "K a"), ("99999999999999999", "A")] {
        check("TO_TIMESTAMP", &[("STRING", text), ("STRING", pattern)], "NULL");
    }
}

#[test]
fn differences_count_whole_units() {
    let cases = [
        ("MONTH", ("TIMESTAMP(3)", "2019-09-01 00:00:00"), ("TIMESTAMP(3)", "2020-03-01 00:00:00"), "6"),
        ("MONTH", ("TIMESTAMP(3)", "2019-09-01 00:00:00"), ("TIMESTAMP(3)", "2016-08-01 00:00:00"), "-37"),
        ("MONTH", ("TIMESTAMP(3)", "2021-01-04 00:00:00"), ("DATE", "2021-02-04"), "1"),
        ("MONTH", ("TIMESTAMP(3)", "2021-01-04 00:00:00"), ("TIME(0)", "00:00:00"), "-612"),
        ("MONTH", ("TIME(0)", "00:00:00"), ("DATE", "2021-02-04"), "613"),
        ("SECOND", ("TIME(0)", "10:10:10"), ("TIME(0)", "11:11:11"), "3661"),
        ("DAY", ("TIMESTAMP(3)", "2016-02-24 12:42:25"), ("TIMESTAMP(3)", "2016-02-25 12:42:24"), "0"),
        ("YEAR", ("DATE", "2020-02-29"), ("DATE", "2021-02-28"), "1"),
        ("DAY", ("TIMESTAMP(3)", "2016-02-24 12:42:25"), ("TIMESTAMP(3)", "NULL"), "NULL"),
    ];
    for (unit, from, to, expected) in cases {
        check_typed("TIMESTAMPDIFF", &[("STRING", unit), from, to], "INT", expected);
    }
}

#[test]
fn periods_overlap_with_their_ends() {
    let cases = [
        (
            [("TIME(0)", "02:55:00"), ("SECONDS", "0 01:00:00"), ("TIME(0)", "03:30:00"), ("SECONDS", "0 02:00:00")],
            "TRUE",
        ),
        (
            [("TIME(0)", "09:00:00"), ("TIME(0)", "10:00:00"), ("TIME(0)", "10:15:00"), ("SECONDS", "0 03:00:00")],
            "FALSE",
        ),
        ([("DATE", "2011-03-10"), ("SECONDS", "10"), ("DATE", "2011-03-19"), ("SECONDS", "10")], "TRUE"),
        (
            [
                ("TIMESTAMP(3)", "2011-03-10 05:02:02"),
                ("SECONDS", "0"),
                ("TIMESTAMP(3)", "2011-03-10 05:02:02"),
                ("TIMESTAMP(3)", "2011-03-10 05:02:01"),
            ],
            "TRUE",
        ),
        ([("DATE", "2011-01-31"), ("MONTHS", "0-1"), ("DATE", "2011-03-01"), ("SECONDS", "1")], "FALSE"),
    ];
    for (args, expected) in cases {
        check("OVERLAPS", &args, expected);
    }
}

#[test]
fn patterns_format() {
    let stamp = ("TIMESTAMP(9)", "2018-03-04 01:02:03.123456789");
    let cases = [
        ("yyyy/MM/dd HH:mm:ss.SSSSSS", "2018/03/04 01:02:03.123456"),
        ("yy-M-d h a", "18-3-4 1 AM"),
        ("EEE, d MMM yyyy", "Sun, 4 Mar 2018"),
        ("EEEE MMMM D", "Sunday March 63"),
        ("'T'HH''mm", "T01'02"),
        ("QQQ w W e", "Q1 10 2 1"),
        ("k K A n", "1 1 3723123 123456789"),
        ("yyyy-MM-dd'T'HH:mm:ssXXX", "2018-03-04T01:02:03Z"),
    ];
    for (pattern, expected) in cases {
        check("DATE_FORMAT", &[stamp, ("STRING", pattern)], expected);
    }
    check("DATE_FORMAT", &[("STRING", "2018-03-04 01:02:03"), ("STRING", "yyyyMMdd")], "20180304");
    check("DATE_FORMAT", &[("DATE", "2018-03-04"), ("STRING", "yyyy-MM")], "2018-03");
    check_error("DATE_FORMAT", &[stamp, ("STRING", "rrr")], "Unknown pattern letter: r");
    let args = [("TIMESTAMP_LTZ(3)", "2018-07-01 08:00:00"), ("STRING", "yyyy-MM-dd HH:mm Z xxx O VV")];
    check_in(chrono_tz::Europe::Berlin, "DATE_FORMAT", &args, "2018-07-01 08:00 +0200 +02:00 GMT+2 Europe/Berlin");
}

#[test]
fn patterns_parse() {
    let cases = [
        ("20170915000000", "yyyyMMddHHmmss", "2017-09-15 00:00:00.000"),
        ("2000020210", "yyyyMMddHH", "2000-02-02 10:00:00.000"),
        ("1234567", "SSSSSSS", "1970-01-01 00:00:00.123"),
        ("1970-01-01 00:00:00.12345", "yyyy-MM-dd HH:mm:ss.SSSSS", "1970-01-01 00:00:00.123"),
        ("2017-09-15 00:00:00.12345", "yyyy-MM-dd HH:mm:ss.SSS", "2017-09-15 00:00:00.123"),
        ("04/Mar/2018 11 PM", "dd/MMM/yyyy hh a", "2018-03-04 23:00:00.000"),
        ("2018-02-30", "yyyy-MM-dd", "2018-02-28 00:00:00.000"),
        ("nonsense", "yyyy-MM-dd", "NULL"),
        ("NULL", "yyyy-MM-dd", "NULL"),
    ];
    for (text, pattern, expected) in cases {
        check_typed("TO_TIMESTAMP", &[("STRING", text), ("STRING", pattern)], "TIMESTAMP(3)", expected);
    }
    check("TO_TIMESTAMP", &[("STRING", "1970-01-01 08:01:40")], "1970-01-01 08:01:40.000");
    check("TO_DATE", &[("STRING", "2017-09-15 00:00:00")], "2017-09-15");
    check("TO_DATE", &[("STRING", "15.9.2017"), ("STRING", "d.M.yyyy")], "2017-09-15");
    check("TO_TIME", &[("STRING", "06:07:08")], "06:07:08");
    let optional = Pattern::compile("yyyy[-MM[-dd]]").unwrap();
    assert_eq!(optional.parse("2018-03", Strictness::Exact).map(|p| p.seconds), Some(17_591 * 86_400));
}

#[test]
fn instants_from_text_have_the_digits_of_the_format() {
    let cases = [
        ("2023-01-01 00:00:00", "yyyy-MM-dd HH:mm:ss", "TIMESTAMP_LTZ(3)", "2023-01-01 00:00:00.000"),
        ("20000202 59:59.1234567", "yyyyMMdd mm:ss.SSSSSSS", "TIMESTAMP_LTZ(7)", "2000-02-02 00:59:59.1234567"),
        ("2023-01-01 00:00:00.1", "yyyy-MM-dd HH:mm:ss.SSSSSS", "TIMESTAMP_LTZ(6)", "2023-01-01 00:00:00.100000"),
        (
            "2023-01-01 00:00:00.123456 Z",
            "yyyy-MM-dd HH:mm:ss.SSSSSS X",
            "TIMESTAMP_LTZ(6)",
            "2023-01-01 00:00:00.123456",
        ),
        ("2023-01-01 00:00:00.1234Z", "yyyy-MM-dd HH:mm:ss.SSSS'Z'", "TIMESTAMP_LTZ(4)", "2023-01-01 00:00:00.1234"),
        (
            "2023-01-01 00:00:00.1234'+0000'",
            "yyyy-MM-dd HH:mm:ss.SSSS''Z''",
            "TIMESTAMP_LTZ(4)",
            "2023-01-01 00:00:00.1234",
        ),
    ];
    for (text, pattern, ty, expected) in cases {
        check_typed("TO_TIMESTAMP_LTZ", &[("STRING", text), ("STRING", pattern)], ty, expected);
    }
    let in_zone = |text, pattern, zone| [("STRING", text), ("STRING", pattern), ("STRING", zone)];
    let pattern = "dd/MM/yyyy HH:mm:ss";
    check("TO_TIMESTAMP_LTZ", &in_zone("01/01/2023 08:00:00", pattern, "Asia/Shanghai"), "2023-01-01 00:00:00.000");
    check("TO_TIMESTAMP_LTZ", &in_zone("nonsense", pattern, "UTC"), "NULL");
    check("TO_TIMESTAMP_LTZ", &in_zone("01/01/2023 08:00:00", pattern, "NULL"), "NULL");
    check_error(
        "TO_TIMESTAMP_LTZ",
        &in_zone("x", pattern, "un-parsable timezone"),
        "Invalid timezone for parsing TIMESTAMP_LTZ",
    );
    check_error(
        "TO_TIMESTAMP_LTZ",
        &in_zone("x", "un-parsable format", "UTC"),
        "Invalid pattern for parsing TIMESTAMP_LTZ: Unknown pattern letter: r",
    );
    // What a row brings makes no error.
    for (zone, pattern) in [("un-parsable timezone", pattern), ("UTC", "un-parsable format")] {
        check_columns("TO_TIMESTAMP_LTZ", &in_zone("01/01/2023 08:00:00", pattern, zone), "NULL");
    }
}

#[test]
fn instants_from_numbers_have_a_precision() {
    let cases = [
        (vec![("DOUBLE", "100")], "1970-01-01 00:00:00.100"),
        (vec![("BIGINT", "1234"), ("INT", "3")], "1970-01-01 00:00:01.234"),
        (vec![("BIGINT", "-100"), ("INT", "0")], "1969-12-31 23:58:20.000"),
        (vec![("FLOAT", "100.01"), ("INT", "0")], "1970-01-01 00:01:40.010"),
        (vec![("INT", "123"), ("INT", "NULL")], "NULL"),
        (vec![("DECIMAL(38, 0)", "99999999999999999999999999999999999999"), ("INT", "0")], "NULL"),
    ];
    for (args, expected) in cases {
        check_typed("TO_TIMESTAMP_LTZ", &args, "TIMESTAMP_LTZ(3)", expected);
    }
    for (number, precision, ty, expected) in [
        ("1234567", "6", "TIMESTAMP_LTZ(6)", "1970-01-01 00:00:01.234567"),
        ("-7", "9", "TIMESTAMP_LTZ(9)", "1969-12-31 23:59:59.999999993"),
    ] {
        check_typed("TO_TIMESTAMP_LTZ", &[("BIGINT", number), ("INT", precision)], ty, expected);
    }
    check_error("TO_TIMESTAMP_LTZ", &[("INT", "1"), ("INT", "10")], "must be between 0 and 9 but was 10");
}

#[test]
fn unix_times_use_the_session_zone() {
    let tokyo = chrono_tz::Asia::Tokyo;
    check_in(tokyo, "FROM_UNIXTIME", &[("INT", "3"), ("STRING", "yy-MM-dd HH-mm-ss")], "70-01-01 09-00-03");
    check_in(tokyo, "UNIX_TIMESTAMP", &[("STRING", "1970-01-01 09:00:03")], "3");
    check("UNIX_TIMESTAMP", &[("STRING", "x")], "-9223372036854775808");
    check(
        "CONVERT_TZ",
        &[("STRING", "1970-01-01 00:00:00"), ("STRING", "UTC"), ("STRING", "America/Los_Angeles")],
        "1969-12-31 16:00:00",
    );
    check("CONVERT_TZ", &[("STRING", "x"), ("STRING", "UTC"), ("STRING", "UTC")], "NULL");
    for (from, to, expected) in [("UTC", "Nope", "00:00:00"), ("GMT-8", "+05:30", "08:00:00")] {
        let args = [("STRING", "1970-01-01 00:00:00"), ("STRING", from), ("STRING", to)];
        check("CONVERT_TZ", &args, &format!("1970-01-01 {expected}"));
    }
}

#[test]
fn the_current_time_comes_from_the_environment() {
    let shown = |name: &str, zone: Tz| call_in(zone, name, &[]).map(|(ty, value)| format!("{ty}: {value}")).unwrap();
    let tokyo = chrono_tz::Asia::Tokyo;
    assert_eq!(shown("NOW", Tz::UTC), "TIMESTAMP_LTZ(3) NOT NULL: 2023-11-14 22:13:20.000");
    assert_eq!(shown("LOCALTIMESTAMP", tokyo), "TIMESTAMP(3) NOT NULL: 2023-11-15 07:13:20.000");
    assert_eq!(shown("CURRENT_DATE", tokyo), "DATE NOT NULL: 2023-11-15");
    assert_eq!(shown("CURRENT_TIME", Tz::UTC), "TIME(0) NOT NULL: 22:13:20");
    assert_eq!(shown("UNIX_TIMESTAMP", tokyo), "BIGINT NOT NULL: 1700000000");
    assert_eq!(shown("PROCTIME", Tz::UTC), "TIMESTAMP_LTZ(3) NOT NULL: 2023-11-14 22:13:20.000");
}

proptest::proptest! {
    #[test]
    fn days_and_dates_are_inverse(days in -1_000_000i64..1_000_000) {
        let (year, month, day) = civil_from_days(days);
        proptest::prop_assert_eq!(days_from_civil(year, month, day), days);
        proptest::prop_assert!(day <= days_in_month(year, month));
    }

    #[test]
    fn months_between_counts_what_can_be_added(from in -100_000i64..100_000, months in 0i64..1_000) {
        let to = add_months(from, months);
        proptest::prop_assert_eq!(months_between_ms(from * MS_PER_DAY, to * MS_PER_DAY), months);
    }
}
