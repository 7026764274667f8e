# What the SQL client prints for the statements of one session.

# Tables

SHOW TABLES;
Empty set
!ok

CREATE TABLE orders (
  id BIGINT NOT NULL,
  a INT COMMENT 'it''s a number',
  placed TIMESTAMP(3),
  following_a AS a + 1,
  seen AS PROCTIME(),
  PRIMARY KEY (id) NOT ENFORCED,
  WATERMARK FOR placed AS placed - INTERVAL '5' SECOND
) WITH ('connector' = 'datagen', 'number-of-rows' = '1');
[INFO] Execute statement succeeded.
!info

DESCRIBE orders;
+-------------+-----------------------------+-------+---------+---------------+--------------------------------+---------------+
|        name |                        type |  null |     key |        extras |                      watermark |       comment |
+-------------+-----------------------------+-------+---------+---------------+--------------------------------+---------------+
|          id |                      BIGINT | FALSE | PRI(id) |               |                                |               |
|           a |                         INT |  TRUE |         |               |                                | it's a number |
|      placed |      TIMESTAMP(3) *ROWTIME* |  TRUE |         |               | `placed` - INTERVAL '5' SECOND |               |
| following_a |                         INT |  TRUE |         |    AS `a` + 1 |                                |               |
|        seen | TIMESTAMP_LTZ(3) *PROCTIME* | FALSE |         | AS PROCTIME() |                                |               |
+-------------+-----------------------------+-------+---------+---------------+--------------------------------+---------------+
5 rows in set
!ok

SHOW COLUMNS FROM orders LIKE 'p%';
+--------+------------------------+------+-----+--------+--------------------------------+
|   name |                   type | null | key | extras |                      watermark |
+--------+------------------------+------+-----+--------+--------------------------------+
| placed | TIMESTAMP(3) *ROWTIME* | TRUE |     |        | `placed` - INTERVAL '5' SECOND |
+--------+------------------------+------+-----+--------+--------------------------------+
1 row in set
!ok

SHOW CREATE TABLE orders;
+----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                                                                                                                                                                                                                                                 result |
+----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE TABLE `default_catalog`.`default_database`.`orders` (
  `id` BIGINT NOT NULL,
  `a` INT COMMENT 'it''s a number',
  `placed` TIMESTAMP(3),
  `following_a` AS `a` + 1,
  `seen` AS PROCTIME(),
  WATERMARK FOR `placed` AS `placed` - INTERVAL '5' SECOND,
  CONSTRAINT `PK_id` PRIMARY KEY (`id`) NOT ENFORCED
)
WITH (
  'connector' = 'datagen',
  'number-of-rows' = '1'
)
 |
+----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

ALTER TABLE orders DROP nope;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Failed to execute ALTER TABLE statement.
The column `nope` does not exist in the base table.
!error

ALTER TABLE orders RENAME a TO id;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Failed to execute ALTER TABLE statement.
The column `id` already existed in table schema.
!error

ALTER TABLE orders DROP CONSTRAINT nope;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Failed to execute ALTER TABLE statement.
The current table does not define a primary key constraint named 'nope'. Available constraint name: ['PK_id'].
!error

ALTER TABLE orders RENAME TO bookings;
[INFO] Execute statement succeeded.
!info

ALTER VIEW bookings RENAME TO others;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: ALTER VIEW for a table is not allowed
!error

DROP TABLE orders;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Table with identifier 'default_catalog.default_database.orders' does not exist.
!error

DROP TEMPORARY TABLE bookings;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Temporary table or view with identifier 'default_catalog.default_database.bookings' does not exist.
!error

CREATE TABLE copied LIKE orders;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Source table '`default_catalog`.`default_database`.`orders`' of the LIKE clause not found in the catalog
!error

CREATE TABLE twice (a INT, a INT) WITH ('connector' = 'datagen');
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: A regular Column named 'a' already exists in the table.
!error

# Views

CREATE VIEW numbers (n, m) AS SELECT 1;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: VIEW definition and input fields not match:
	Def fields: [n, m].
	Input fields: [EXPR$0].
!error

CREATE VIEW numbers (n) AS VALUES (1), (2), (3);
[INFO] Execute statement succeeded.
!info

SHOW VIEWS;
+-----------+
| view name |
+-----------+
|   numbers |
+-----------+
1 row in set
!ok

SHOW CREATE TABLE numbers;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: SHOW CREATE TABLE is only supported for tables, but `default_catalog`.`default_database`.`numbers` is a view. Please use SHOW CREATE VIEW instead.
!error

ALTER VIEW nowhere RENAME TO anywhere;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: View `default_catalog`.`default_database`.`nowhere` doesn't exist or is a temporary view.
!error

SELECT * FROM numbers;
+----+-------------+
| op |           n |
+----+-------------+
| +I |           1 |
| +I |           2 |
| +I |           3 |
+----+-------------+
Received a total of 3 rows
!ok

SET 'execution.runtime-mode' = 'batch';
[INFO] Execute statement succeeded.
!info

SELECT n, ';' AS s, CAST(NULL AS STRING) AS e FROM numbers -- not;
WHERE n > 1;
+---+---+--------+
| n | s |      e |
+---+---+--------+
| 2 | ; | <NULL> |
| 3 | ; | <NULL> |
+---+---+--------+
2 rows in set
!ok

SELECT n FROM numbers WHERE n > 3;
Empty set
!ok

SELECT COUNT(*) AS c, SUM(n) AS s
FROM numbers;
+---+---+
| c | s |
+---+---+
| 3 | 6 |
+---+---+
1 row in set
!ok

RESET;
[INFO] Execute statement succeeded.
!info

SELECT n FROM nowhere;
[ERROR] Could not execute SQL statement. Reason:
org.apache.calcite.sql.validate.SqlValidatorException: Object 'nowhere' not found
!error

SELECT nothing FROM numbers;
[ERROR] Could not execute SQL statement. Reason:
org.apache.calcite.sql.validate.SqlValidatorException: Column 'nothing' not found in any table
!error

SELECT no_function(n) FROM numbers;
[ERROR] Could not execute SQL statement. Reason:
org.apache.calcite.sql.validate.SqlValidatorException: No match found for function signature no_function(<NUMERIC>)
!error

SELECT 1
FROM ,;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.sql.parser.impl.ParseException: Encountered "," at line 2, column 6.
Was expecting one of:
    <IDENTIFIER> ...
    "VALUES" ...
!error

# Files

SET 'table.dml-sync' = 'true';
[INFO] Execute statement succeeded.
!info

CREATE TABLE files (id INT, name STRING) WITH ('connector' = 'filesystem', 'path' = '$VAR_ROWS_PATH', 'format' = 'csv');
[INFO] Execute statement succeeded.
!info

INSERT INTO files VALUES (1, 'x'), (2, 'a much longer text than what fits');
[INFO] Complete execution of the SQL update statement.
!info

SELECT * FROM files;
+----+-------------+--------------------------------+
| op |          id |                           name |
+----+-------------+--------------------------------+
| +I |           1 |                              x |
| +I |           2 | a much longer text than wha... |
+----+-------------+--------------------------------+
Received a total of 2 rows
!ok

INSERT INTO files VALUES (1);
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Column types of query result and sink for 'default_catalog.default_database.files' do not match.
Cause: Different number of columns.

Query schema: [EXPR$0: INT NOT NULL]
Sink schema:  [id: INT, name: STRING]
!error

# Statement sets

END;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: No Statement Set to submit. 'END' statement should be used after 'BEGIN STATEMENT SET'.
!error

BEGIN STATEMENT SET;
[INFO] Execute statement succeeded.
!info

SELECT 1;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Only 'INSERT/CREATE TABLE AS' statement is allowed in Statement Set or use 'END' statement to submit Statement Set.
!error

END;
[INFO] Execute statement succeeded.
!info

BEGIN STATEMENT SET;
[INFO] Execute statement succeeded.
!info

INSERT INTO files VALUES (3, 'y');
[INFO] Execute statement succeeded.
!info

END;
[INFO] Complete execution of the SQL update statement.
!info

# Names

USE nowhere;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: A database with name [nowhere] does not exist in the catalog: [default_catalog].
!error

SHOW TABLES FROM nowhere;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Database 'default_catalog'.'nowhere' doesn't exist.
!error

SHOW DATABASES FROM a.b;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Show databases from/in identifier [ a.b ] format error, catalog must be a single part identifier.
!error

ALTER DATABASE nowhere SET ('a' = 'b');
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Database nowhere does not exist in Catalog default_catalog.
!error

DESCRIBE CATALOG nowhere;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Cannot obtain metadata information from Catalog nowhere.
!error

CREATE DATABASE IF NOT EXISTS db COMMENT 'x';
[INFO] Execute statement succeeded.
!info

SHOW DATABASES;
+------------------+
|    database name |
+------------------+
|               db |
| default_database |
+------------------+
2 rows in set
!ok

SHOW MODULES;
+-------------+
| module name |
+-------------+
|        core |
+-------------+
1 row in set
!ok

USE MODULES nowhere;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: No module with name 'nowhere' exists
!error

LOAD MODULE core;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: A module with name 'core' already exists
!error

UNLOAD MODULE nowhere;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: No module with name 'nowhere' exists
!error

# What means nothing here

ADD JAR '/tmp/functions.jar';
[INFO] Execute statement succeeded.
!info

SET 'rest.port' = '$VAR_REST_PORT';
[INFO] Execute statement succeeded.
!info
