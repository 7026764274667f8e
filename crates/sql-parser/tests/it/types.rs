//! Every data type.

use headwater_sql_parser::parse_data_type;

use crate::roundtrip::{check_lines, data_type};

#[test]
fn all_types() {
    check_lines(
        "
        CHAR
        CHARACTER(3) ~> CHAR(3)
        CHAR VARYING(3) ~> VARCHAR(3)
        VARCHAR(2147483647)
        STRING NOT NULL
        BINARY(2)
        BINARY VARYING(4) ~> VARBINARY(4)
        VARBINARY
        BYTES
        BOOLEAN NULL
        DEC(5) ~> DECIMAL(5)
        NUMERIC(38, 18) ~> DECIMAL(38, 18)
        DECIMAL
        TINYINT
        SMALLINT
        INTEGER ~> INT
        bigint not null ~> BIGINT NOT NULL
        FLOAT
        REAL ~> FLOAT
        DOUBLE PRECISION ~> DOUBLE
        DATE
        TIME(3) WITHOUT TIME ZONE ~> TIME(3)
        TIME
        TIMESTAMP
        TIMESTAMP(3) WITHOUT TIME ZONE ~> TIMESTAMP(3)
        TIMESTAMP(3) WITH TIME ZONE
        TIMESTAMP(9) WITH LOCAL TIME ZONE ~> TIMESTAMP_LTZ(9)
        TIMESTAMP_LTZ
        INTERVAL YEAR
        INTERVAL YEAR(4) TO MONTH
        INTERVAL DAY(2) TO SECOND(3)
        INTERVAL SECOND(2, 3)
        ARRAY<INT NOT NULL> NOT NULL
        INT NOT NULL ARRAY NULL ARRAY ~> ARRAY<ARRAY<INT NOT NULL> NULL>
        STRING MULTISET ~> MULTISET<STRING>
        MAP<STRING, ARRAY<ROW<a INT>>>
        ROW<>
        ROW() ~> ROW<>
        ROW(a INT, `b c` STRING NOT NULL 'text') ~> ROW<a INT, `b c` STRING NOT NULL 'text'>
        ROW<a INT COMMENT 'text'> ~> ROW<a INT 'text'>
        STRUCTURED<'com.example.User', name STRING, age INT NOT NULL>
        RAW('com.example.User', 'AAEC')
        VARIANT
        BITMAP
        DESCRIPTOR
        NULL
        cat.db.my_type
    ",
        data_type,
    );
}

#[test]
fn not_types() {
    for text in ["", "INT)", "ARRAY", "MAP<INT>", "ROW<a>", "VARCHAR(a)", "DECIMAL(1, 2, 3)", "CHAR(99999999999)"] {
        parse_data_type(text).expect_err(text);
    }
}
