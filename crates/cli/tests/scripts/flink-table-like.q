# What Flink 2.3.0 answers.

CREATE TABLE base (id INT NOT NULL, name STRING COMMENT 'nm', ts TIMESTAMP(3), c AS id + 1, m STRING METADATA FROM 'value.source' VIRTUAL, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND, CONSTRAINT pk PRIMARY KEY (id) NOT ENFORCED) COMMENT 'base table' PARTITIONED BY (name) WITH ('connector' = 'kafka', 'topic' = 't', 'k' = 'v');
[INFO] Execute statement succeeded.
!info

CREATE TABLE l1 LIKE base;
[INFO] Execute statement succeeded.
!info

SHOW CREATE TABLE l1;
+----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                                                                                                                                                                                                                                                                                           result |
+----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE TABLE `default_catalog`.`default_database`.`l1` (
  `id` INT NOT NULL,
  `name` VARCHAR(2147483647) COMMENT 'nm',
  `ts` TIMESTAMP(3),
  `c` AS `id` + 1,
  `m` VARCHAR(2147483647) METADATA FROM 'value.source' VIRTUAL,
  WATERMARK FOR `ts` AS `ts` - INTERVAL '5' SECOND,
  CONSTRAINT `pk` PRIMARY KEY (`id`) NOT ENFORCED
)
PARTITIONED BY (`name`)
WITH (
  'connector' = 'kafka',
  'k' = 'v',
  'topic' = 't'
)
 |
+----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

CREATE TABLE l2 WITH ('k' = 'w') LIKE base (EXCLUDING CONSTRAINTS EXCLUDING WATERMARKS EXCLUDING PARTITIONS);
[INFO] Execute statement succeeded.
!info

SHOW CREATE TABLE l2;
+---------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                                                                                                                                                                                    result |
+---------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE TABLE `default_catalog`.`default_database`.`l2` (
  `id` INT NOT NULL,
  `name` VARCHAR(2147483647) COMMENT 'nm',
  `ts` TIMESTAMP(3),
  `c` AS `id` + 1,
  `m` VARCHAR(2147483647) METADATA FROM 'value.source' VIRTUAL
)
PARTITIONED BY (`name`)
WITH (
  'connector' = 'kafka',
  'k' = 'w',
  'topic' = 't'
)
 |
+---------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

CREATE TABLE l3 (x INT) WITH ('connector' = 'blackhole') LIKE base (EXCLUDING ALL);
[INFO] Execute statement succeeded.
!info

SHOW CREATE TABLE l3;
+-------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                                                                                  result |
+-------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE TABLE `default_catalog`.`default_database`.`l3` (
  `id` INT NOT NULL,
  `name` VARCHAR(2147483647) COMMENT 'nm',
  `ts` TIMESTAMP(3),
  `x` INT
)
PARTITIONED BY (`name`)
WITH (
  'connector' = 'blackhole'
)
 |
+-------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

CREATE TABLE l4 (x INT) WITH ('connector' = 'blackhole') LIKE base (EXCLUDING OPTIONS EXCLUDING GENERATED EXCLUDING METADATA);
[INFO] Execute statement succeeded.
!info

SHOW CREATE TABLE l4;
+--------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                                                                                                                                                                                         result |
+--------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE TABLE `default_catalog`.`default_database`.`l4` (
  `id` INT NOT NULL,
  `name` VARCHAR(2147483647) COMMENT 'nm',
  `ts` TIMESTAMP(3),
  `x` INT,
  WATERMARK FOR `ts` AS `ts` - INTERVAL '5' SECOND,
  CONSTRAINT `pk` PRIMARY KEY (`id`) NOT ENFORCED
)
PARTITIONED BY (`name`)
WITH (
  'connector' = 'blackhole'
)
 |
+--------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

CREATE TABLE l5 (WATERMARK FOR ts AS ts) LIKE base (OVERWRITING WATERMARKS);
[INFO] Execute statement succeeded.
!info

SHOW CREATE TABLE l5;
+------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                                                                                                                                                                                                                                                                     result |
+------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE TABLE `default_catalog`.`default_database`.`l5` (
  `id` INT NOT NULL,
  `name` VARCHAR(2147483647) COMMENT 'nm',
  `ts` TIMESTAMP(3),
  `c` AS `id` + 1,
  `m` VARCHAR(2147483647) METADATA FROM 'value.source' VIRTUAL,
  WATERMARK FOR `ts` AS `ts`,
  CONSTRAINT `pk` PRIMARY KEY (`id`) NOT ENFORCED
)
PARTITIONED BY (`name`)
WITH (
  'connector' = 'kafka',
  'k' = 'v',
  'topic' = 't'
)
 |
+------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

CREATE TABLE l6 (WATERMARK FOR ts AS ts) LIKE base;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: There already exists a watermark spec for column 'ts' in the base table. You might want to specify EXCLUDING WATERMARKS or OVERWRITING WATERMARKS.
!error

CREATE TABLE l7 (PRIMARY KEY (name) NOT ENFORCED) LIKE base;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: The base table already has a primary key. You might want to specify EXCLUDING CONSTRAINTS.
!error

CREATE TABLE l8 WITH ('k' = 'w') LIKE base (INCLUDING OPTIONS);
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: There already exists an option ['k' -> 'v']  in the base table. You might want to specify EXCLUDING OPTIONS or OVERWRITING OPTIONS.
!error

CREATE TABLE l9 (c AS id + 2) LIKE base (OVERWRITING GENERATED);
[INFO] Execute statement succeeded.
!info

SHOW CREATE TABLE l9;
+----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                                                                                                                                                                                                                                                                                           result |
+----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE TABLE `default_catalog`.`default_database`.`l9` (
  `id` INT NOT NULL,
  `name` VARCHAR(2147483647) COMMENT 'nm',
  `ts` TIMESTAMP(3),
  `c` AS `id` + 2,
  `m` VARCHAR(2147483647) METADATA FROM 'value.source' VIRTUAL,
  WATERMARK FOR `ts` AS `ts` - INTERVAL '5' SECOND,
  CONSTRAINT `pk` PRIMARY KEY (`id`) NOT ENFORCED
)
PARTITIONED BY (`name`)
WITH (
  'connector' = 'kafka',
  'k' = 'v',
  'topic' = 't'
)
 |
+----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

CREATE TABLE l10 (c AS id + 2) LIKE base;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: A generated column named 'c' already exists in the base table. You might want to specify EXCLUDING GENERATED or OVERWRITING GENERATED.
!error

CREATE TABLE l11 (m BIGINT METADATA) LIKE base (OVERWRITING METADATA);
[INFO] Execute statement succeeded.
!info

SHOW CREATE TABLE l11;
+------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                                                                                                                                                                                                                                                   result |
+------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE TABLE `default_catalog`.`default_database`.`l11` (
  `id` INT NOT NULL,
  `name` VARCHAR(2147483647) COMMENT 'nm',
  `ts` TIMESTAMP(3),
  `c` AS `id` + 1,
  `m` BIGINT METADATA,
  WATERMARK FOR `ts` AS `ts` - INTERVAL '5' SECOND,
  CONSTRAINT `pk` PRIMARY KEY (`id`) NOT ENFORCED
)
PARTITIONED BY (`name`)
WITH (
  'connector' = 'kafka',
  'k' = 'v',
  'topic' = 't'
)
 |
+------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

CREATE TABLE l12 (id BIGINT) LIKE base;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: A column named 'id' already exists in the base table.
!error

CREATE TABLE l13 LIKE nope;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Source table '`default_catalog`.`default_database`.`nope`' of the LIKE clause not found in the catalog, at line 1, column 23
!error

CREATE TABLE l14 LIKE base (INCLUDING ALL EXCLUDING PARTITIONS OVERWRITING OPTIONS);
[INFO] Execute statement succeeded.
!info

SHOW CREATE TABLE l14;
+-----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                                                                                                                                                                                                                                                                                            result |
+-----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE TABLE `default_catalog`.`default_database`.`l14` (
  `id` INT NOT NULL,
  `name` VARCHAR(2147483647) COMMENT 'nm',
  `ts` TIMESTAMP(3),
  `c` AS `id` + 1,
  `m` VARCHAR(2147483647) METADATA FROM 'value.source' VIRTUAL,
  WATERMARK FOR `ts` AS `ts` - INTERVAL '5' SECOND,
  CONSTRAINT `pk` PRIMARY KEY (`id`) NOT ENFORCED
)
PARTITIONED BY (`name`)
WITH (
  'connector' = 'kafka',
  'k' = 'v',
  'topic' = 't'
)
 |
+-----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

CREATE TABLE l15 LIKE base (INCLUDING ALL INCLUDING ALL);
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.sql.parser.error.SqlValidateException: Each like option feature can be declared only once.
!error

CREATE TABLE l16 COMMENT 'x' PARTITIONED BY (id) LIKE base;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: The base table already has partitions defined. You might want to specify EXCLUDING PARTITIONS.
!error

CREATE TABLE l17 COMMENT 'x' PARTITIONED BY (id) LIKE base (EXCLUDING PARTITIONS);
[INFO] Execute statement succeeded.
!info

SHOW CREATE TABLE l17;
+---------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                                                                                                                                                                                                                                                                                                      result |
+---------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE TABLE `default_catalog`.`default_database`.`l17` (
  `id` INT NOT NULL,
  `name` VARCHAR(2147483647) COMMENT 'nm',
  `ts` TIMESTAMP(3),
  `c` AS `id` + 1,
  `m` VARCHAR(2147483647) METADATA FROM 'value.source' VIRTUAL,
  WATERMARK FOR `ts` AS `ts` - INTERVAL '5' SECOND,
  CONSTRAINT `pk` PRIMARY KEY (`id`) NOT ENFORCED
)
COMMENT 'x'
PARTITIONED BY (`id`)
WITH (
  'connector' = 'kafka',
  'k' = 'v',
  'topic' = 't'
)
 |
+---------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

CREATE TABLE l18 LIKE base (OVERWRITING PARTITIONS);
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.sql.parser.error.SqlValidateException: Illegal merging strategy 'OVERWRITING' for 'PARTITIONS' option.
!error

CREATE TABLE d (a INT) DISTRIBUTED BY HASH(a) INTO 3 BUCKETS WITH ('connector' = 'x');
[INFO] Execute statement succeeded.
!info

SHOW CREATE TABLE d;
+-------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                    result |
+-------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE TABLE `default_catalog`.`default_database`.`d` (
  `a` INT
)
DISTRIBUTED BY HASH(`a`) INTO 3 BUCKETS
WITH (
  'connector' = 'x'
)
 |
+-------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

CREATE TABLE d2 LIKE d (EXCLUDING DISTRIBUTION);
[INFO] Execute statement succeeded.
!info

SHOW CREATE TABLE d2;
+--------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                     result |
+--------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE TABLE `default_catalog`.`default_database`.`d2` (
  `a` INT
)
DISTRIBUTED BY HASH(`a`) INTO 3 BUCKETS
WITH (
  'connector' = 'x'
)
 |
+--------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

CREATE TABLE d3 LIKE d;
[INFO] Execute statement succeeded.
!info

SHOW CREATE TABLE d3;
+--------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                     result |
+--------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE TABLE `default_catalog`.`default_database`.`d3` (
  `a` INT
)
DISTRIBUTED BY HASH(`a`) INTO 3 BUCKETS
WITH (
  'connector' = 'x'
)
 |
+--------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

CREATE TABLE d4 (a INT, b INT) DISTRIBUTED BY (a, b) WITH ('connector' = 'x');
[INFO] Execute statement succeeded.
!info

SHOW CREATE TABLE d4;
+-----------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                  result |
+-----------------------------------------------------------------------------------------------------------------------------------------+
| CREATE TABLE `default_catalog`.`default_database`.`d4` (
  `a` INT,
  `b` INT
)
DISTRIBUTED BY (`a`, `b`)
WITH (
  'connector' = 'x'
)
 |
+-----------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

CREATE TABLE d5 (a INT, b INT) DISTRIBUTED BY RANGE(b) INTO 2 BUCKETS WITH ('connector' = 'x');
[INFO] Execute statement succeeded.
!info

SHOW CREATE TABLE d5;
+--------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                 result |
+--------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE TABLE `default_catalog`.`default_database`.`d5` (
  `a` INT,
  `b` INT
)
DISTRIBUTED BY RANGE(`b`) INTO 2 BUCKETS
WITH (
  'connector' = 'x'
)
 |
+--------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

CREATE TABLE d6 (a INT, b INT) DISTRIBUTED INTO 2 BUCKETS WITH ('connector' = 'x');
[INFO] Execute statement succeeded.
!info

SHOW CREATE TABLE d6;
+------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                   result |
+------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE TABLE `default_catalog`.`default_database`.`d6` (
  `a` INT,
  `b` INT
)
DISTRIBUTED INTO 2 BUCKETS
WITH (
  'connector' = 'x'
)
 |
+------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

CREATE TABLE d7 (a INT, b INT) DISTRIBUTED BY (nope) WITH ('connector' = 'x');
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Invalid bucket key 'nope'. A bucket key for a distribution must reference a physical column in the schema. Available columns are: [a, b]
!error

CREATE TABLE d8 (a INT, b INT) DISTRIBUTED INTO 0 BUCKETS WITH ('connector' = 'x');
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Invalid bucket count '0'. The number of buckets for a distributed table must be at least 1.
!error

ALTER TABLE d6 DROP DISTRIBUTION;
[INFO] Execute statement succeeded.
!info

SHOW CREATE TABLE d6;
+---------------------------------------------------------------------------------------------------------------+
|                                                                                                        result |
+---------------------------------------------------------------------------------------------------------------+
| CREATE TABLE `default_catalog`.`default_database`.`d6` (
  `a` INT,
  `b` INT
)
WITH (
  'connector' = 'x'
)
 |
+---------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

ALTER TABLE d6 ADD DISTRIBUTION BY HASH(a) INTO 4 BUCKETS;
[INFO] Execute statement succeeded.
!info

SHOW CREATE TABLE d6;
+-------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                result |
+-------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE TABLE `default_catalog`.`default_database`.`d6` (
  `a` INT,
  `b` INT
)
DISTRIBUTED BY HASH(`a`) INTO 4 BUCKETS
WITH (
  'connector' = 'x'
)
 |
+-------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

ALTER TABLE d6 ADD DISTRIBUTION BY HASH(a) INTO 4 BUCKETS;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Failed to execute ALTER TABLE statement.
The current table has already defined the distribution 'DISTRIBUTED BY HASH(`a`) INTO 4 BUCKETS'. You can modify it or drop it before adding a new one.
!error

ALTER TABLE d6 MODIFY DISTRIBUTION BY HASH(b) INTO 5 BUCKETS;
[INFO] Execute statement succeeded.
!info

SHOW CREATE TABLE d6;
+-------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                result |
+-------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE TABLE `default_catalog`.`default_database`.`d6` (
  `a` INT,
  `b` INT
)
DISTRIBUTED BY HASH(`b`) INTO 5 BUCKETS
WITH (
  'connector' = 'x'
)
 |
+-------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

ALTER TABLE base DROP CONSTRAINT nope;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Failed to execute ALTER TABLE statement.
The current table does not define a primary key constraint named 'nope'. Available constraint name: ['pk'].
!error

ALTER TABLE base DROP CONSTRAINT pk;
[INFO] Execute statement succeeded.
!info

ALTER TABLE base DROP PRIMARY KEY;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Failed to execute ALTER TABLE statement.
The current table does not define any primary key.
!error

ALTER TABLE base DROP WATERMARK;
[INFO] Execute statement succeeded.
!info

ALTER TABLE base DROP WATERMARK;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Failed to execute ALTER TABLE statement.
The current table does not define any watermark strategy.
!error

ALTER TABLE base ADD (e INT FIRST, f STRING COMMENT 'ff' AFTER id, g AS e + 1);
[INFO] Execute statement succeeded.
!info

SHOW CREATE TABLE base;
+-----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                                                                                                                                                                                                                                                                                result |
+-----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE TABLE `default_catalog`.`default_database`.`base` (
  `e` INT,
  `id` INT NOT NULL,
  `f` VARCHAR(2147483647) COMMENT 'ff',
  `name` VARCHAR(2147483647) COMMENT 'nm',
  `ts` TIMESTAMP(3),
  `c` AS `id` + 1,
  `m` VARCHAR(2147483647) METADATA FROM 'value.source' VIRTUAL,
  `g` AS `e` + 1
)
COMMENT 'base table'
PARTITIONED BY (`name`)
WITH (
  'connector' = 'kafka',
  'k' = 'v',
  'topic' = 't'
)
 |
+-----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

ALTER TABLE base MODIFY (e BIGINT AFTER id, WATERMARK FOR ts AS ts);
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Failed to execute ALTER TABLE statement.
The current table does not define any watermark. You might want to add a new one.
!error

ALTER TABLE base MODIFY e BIGINT AFTER id;
[INFO] Execute statement succeeded.
!info

SHOW CREATE TABLE base;
+--------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                                                                                                                                                                                                                                                                                   result |
+--------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE TABLE `default_catalog`.`default_database`.`base` (
  `id` INT NOT NULL,
  `e` BIGINT,
  `f` VARCHAR(2147483647) COMMENT 'ff',
  `name` VARCHAR(2147483647) COMMENT 'nm',
  `ts` TIMESTAMP(3),
  `c` AS `id` + 1,
  `m` VARCHAR(2147483647) METADATA FROM 'value.source' VIRTUAL,
  `g` AS `e` + 1
)
COMMENT 'base table'
PARTITIONED BY (`name`)
WITH (
  'connector' = 'kafka',
  'k' = 'v',
  'topic' = 't'
)
 |
+--------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

ALTER TABLE base DROP (e, g);
[INFO] Execute statement succeeded.
!info

ALTER TABLE base DROP e;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Failed to execute ALTER TABLE statement.
The column `e` does not exist in the base table.
!error

ALTER TABLE base DROP nope;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Failed to execute ALTER TABLE statement.
The column `nope` does not exist in the base table.
!error

ALTER TABLE base RENAME f TO ff;
[INFO] Execute statement succeeded.
!info

ALTER TABLE base RENAME nope TO ff;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Failed to execute ALTER TABLE statement.
The column `nope` does not exist in the base table.
!error

ALTER TABLE base RENAME ff TO id;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Failed to execute ALTER TABLE statement.
The column `id` already existed in table schema.
!error

ALTER TABLE base RENAME id TO id2;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Failed to execute ALTER TABLE statement.
The column `id` is referenced by computed column `c`.
!error

ALTER TABLE base ADD PRIMARY KEY (id) NOT ENFORCED;
[INFO] Execute statement succeeded.
!info

ALTER TABLE base ADD PRIMARY KEY (id) NOT ENFORCED;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Failed to execute ALTER TABLE statement.
The current table has already defined the primary key constraint [`id`]. You might want to drop it before adding a new one.
!error

ALTER TABLE base MODIFY PRIMARY KEY (id, ff) NOT ENFORCED;
[INFO] Execute statement succeeded.
!info

ALTER TABLE base MODIFY CONSTRAINT cc PRIMARY KEY (id, ff) NOT ENFORCED;
[INFO] Execute statement succeeded.
!info

ALTER TABLE base ADD WATERMARK FOR ts AS ts - INTERVAL '1' MINUTE;
[INFO] Execute statement succeeded.
!info

ALTER TABLE base MODIFY WATERMARK FOR ts AS ts - INTERVAL '2' MINUTE;
[INFO] Execute statement succeeded.
!info

SHOW CREATE TABLE base;
+-----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                          result |
+-----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE TABLE `default_catalog`.`default_database`.`base` (
  `id` INT NOT NULL,
  `ff` VARCHAR(2147483647) NOT NULL COMMENT 'ff',
  `name` VARCHAR(2147483647) COMMENT 'nm',
  `ts` TIMESTAMP(3),
  `c` AS `id` + 1,
  `m` VARCHAR(2147483647) METADATA FROM 'value.source' VIRTUAL,
  WATERMARK FOR `ts` AS `ts` - INTERVAL '2' MINUTE,
  CONSTRAINT `cc` PRIMARY KEY (`id`, `ff`) NOT ENFORCED
)
COMMENT 'base table'
PARTITIONED BY (`name`)
WITH (
  'connector' = 'kafka',
  'k' = 'v',
  'topic' = 't'
)
 |
+-----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

DESCRIBE base;
+------+------------------------+-------+-------------+--------------------------------------+----------------------------+---------+
| name |                   type |  null |         key |                               extras |                  watermark | comment |
+------+------------------------+-------+-------------+--------------------------------------+----------------------------+---------+
|   id |                    INT | FALSE | PRI(id, ff) |                                      |                            |         |
|   ff |                 STRING | FALSE | PRI(id, ff) |                                      |                            |      ff |
| name |                 STRING |  TRUE |             |                                      |                            |      nm |
|   ts | TIMESTAMP(3) *ROWTIME* |  TRUE |             |                                      | `ts` - INTERVAL '2' MINUTE |         |
|    c |                    INT | FALSE |             |                          AS `id` + 1 |                            |         |
|    m |                 STRING |  TRUE |             | METADATA FROM 'value.source' VIRTUAL |                            |         |
+------+------------------------+-------+-------------+--------------------------------------+----------------------------+---------+
6 rows in set
!ok

ALTER TABLE base SET ('k' = 'x', 'new' = 'y');
[INFO] Execute statement succeeded.
!info

ALTER TABLE base RESET ('k');
[INFO] Execute statement succeeded.
!info

ALTER TABLE base RESET ('connector');
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: ALTER TABLE RESET does not support changing 'connector'
!error

ALTER TABLE base RESET ();
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: ALTER TABLE RESET does not support empty key
!error

ALTER TABLE IF EXISTS nope SET ('a' = 'b');
[INFO] Execute statement succeeded.
!info

ALTER TABLE nope SET ('a' = 'b');
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Table `default_catalog`.`default_database`.`nope` doesn't exist or is a temporary table.
!error

ALTER TABLE base RENAME TO base2;
[INFO] Execute statement succeeded.
!info

ALTER TABLE base2 RENAME TO default_catalog.default_database.base;
[INFO] Execute statement succeeded.
!info

ALTER TABLE base RENAME TO l1;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.catalog.exceptions.TableAlreadyExistException: Table (or view) default_database.l1 already exists in Catalog default_catalog.
!error

ALTER TABLE base DROP id;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Failed to execute ALTER TABLE statement.
The column `id` is referenced by computed column `c`.
!error

ALTER TABLE base DROP ts;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Failed to execute ALTER TABLE statement.
The column `ts` is referenced by watermark expression.
!error

ALTER TABLE base DROP name;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Failed to execute ALTER TABLE statement.
The column `name` is used as the partition keys.
!error

ALTER TABLE base ADD id INT;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Failed to execute ALTER TABLE statement.
Column `id` already exists in the table.
!error

ALTER TABLE base ADD z INT AFTER nope;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Failed to execute ALTER TABLE statement.
Referenced column `nope` by 'AFTER' does not exist in the table.
!error

SHOW CREATE TABLE base;
+-------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            result |
+-------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE TABLE `default_catalog`.`default_database`.`base` (
  `id` INT NOT NULL,
  `ff` VARCHAR(2147483647) NOT NULL COMMENT 'ff',
  `name` VARCHAR(2147483647) COMMENT 'nm',
  `ts` TIMESTAMP(3),
  `c` AS `id` + 1,
  `m` VARCHAR(2147483647) METADATA FROM 'value.source' VIRTUAL,
  WATERMARK FOR `ts` AS `ts` - INTERVAL '2' MINUTE,
  CONSTRAINT `cc` PRIMARY KEY (`id`, `ff`) NOT ENFORCED
)
COMMENT 'base table'
PARTITIONED BY (`name`)
WITH (
  'connector' = 'kafka',
  'new' = 'y',
  'topic' = 't'
)
 |
+-------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok
