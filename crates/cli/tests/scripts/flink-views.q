# What Flink 2.3.0 answers.

CREATE TABLE orders (
 `user` BIGINT NOT NULL,
 product VARCHAR(32),
 amount INT,
 ts TIMESTAMP(3),
 ptime AS PROCTIME(),
 PRIMARY KEY(`user`) NOT ENFORCED,
 WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH ('connector' = 'datagen');
[INFO] Execute statement succeeded.
!info

CREATE VIEW v1 AS SELECT * FROM orders;
[INFO] Execute statement succeeded.
!info

CREATE VIEW v1 AS SELECT 1;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.catalog.exceptions.TableAlreadyExistException: Table (or view) default_database.v1 already exists in Catalog default_catalog.
!error

CREATE VIEW IF NOT EXISTS v1 AS SELECT 1;
[INFO] Execute statement succeeded.
!info

CREATE TEMPORARY VIEW v1 AS SELECT ptime, amount FROM orders;
[INFO] Execute statement succeeded.
!info

SHOW TABLES;
+------------+
| table name |
+------------+
|     orders |
|         v1 |
+------------+
2 rows in set
!ok

DESCRIBE v1;
+--------+-----------------------------+-------+-----+--------+-----------+
|   name |                        type |  null | key | extras | watermark |
+--------+-----------------------------+-------+-----+--------+-----------+
|  ptime | TIMESTAMP_LTZ(3) *PROCTIME* | FALSE |     |        |           |
| amount |                         INT |  TRUE |     |        |           |
+--------+-----------------------------+-------+-----+--------+-----------+
2 rows in set
!ok

SHOW CREATE VIEW v1;
+---------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                                                                  result |
+---------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE TEMPORARY VIEW `default_catalog`.`default_database`.`v1` (
  `ptime`,
  `amount`
)
AS SELECT `orders`.`ptime`, `orders`.`amount`
FROM `default_catalog`.`default_database`.`orders` AS `orders`
 |
+---------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

DROP VIEW v1;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Temporary view with identifier '`default_catalog`.`default_database`.`v1`' exists. Drop it first before removing the permanent view.
!error

DROP TEMPORARY VIEW v1;
[INFO] Execute statement succeeded.
!info

SHOW CREATE VIEW v1;
+----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                                                                                                                                           result |
+----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE VIEW `default_catalog`.`default_database`.`v1` (
  `user`,
  `product`,
  `amount`,
  `ts`,
  `ptime`
)
AS SELECT `orders`.`user`, `orders`.`product`, `orders`.`amount`, `orders`.`ts`, `orders`.`ptime`
FROM `default_catalog`.`default_database`.`orders` AS `orders`
 |
+----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

CREATE TEMPORARY VIEW IF NOT EXISTS v2 AS SELECT `user`, product p, amount + 1 AS a1 FROM orders WHERE amount > 3 AND product LIKE 'a%';
[INFO] Execute statement succeeded.
!info

SHOW CREATE VIEW v2;
+--------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                                                                                                                                                                       result |
+--------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE TEMPORARY VIEW `default_catalog`.`default_database`.`v2` (
  `user`,
  `p`,
  `a1`
)
AS SELECT `orders`.`user`, `orders`.`product` AS `p`, `orders`.`amount` + 1 AS `a1`
FROM `default_catalog`.`default_database`.`orders` AS `orders`
WHERE `orders`.`amount` > 3 AND `orders`.`product` LIKE 'a%'
 |
+--------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

DESCRIBE EXTENDED v2;
+------+-------------+-------+-----+--------+-----------+
| name |        type |  null | key | extras | watermark |
+------+-------------+-------+-----+--------+-----------+
| user |      BIGINT | FALSE |     |        |           |
|    p | VARCHAR(32) |  TRUE |     |        |           |
|   a1 |         INT |  TRUE |     |        |           |
+------+-------------+-------+-----+--------+-----------+
3 rows in set
!ok

DESC v2;
+------+-------------+-------+-----+--------+-----------+
| name |        type |  null | key | extras | watermark |
+------+-------------+-------+-----+--------+-----------+
| user |      BIGINT | FALSE |     |        |           |
|    p | VARCHAR(32) |  TRUE |     |        |           |
|   a1 |         INT |  TRUE |     |        |           |
+------+-------------+-------+-----+--------+-----------+
3 rows in set
!ok

CREATE VIEW v3 (a, b) COMMENT 'the comment' AS SELECT product, SUM(amount) FROM orders GROUP BY product;
[INFO] Execute statement succeeded.
!info

SHOW CREATE VIEW v3;
+-----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                                                                                                        result |
+-----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE VIEW `default_catalog`.`default_database`.`v3` (
  `a`,
  `b`
)
COMMENT 'the comment'
AS SELECT `orders`.`product`, SUM(`orders`.`amount`)
FROM `default_catalog`.`default_database`.`orders` AS `orders`
GROUP BY `orders`.`product`
 |
+-----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

DESCRIBE v3;
+------+-------------+------+-----+--------+-----------+
| name |        type | null | key | extras | watermark |
+------+-------------+------+-----+--------+-----------+
|    a | VARCHAR(32) | TRUE |     |        |           |
|    b |         INT | TRUE |     |        |           |
+------+-------------+------+-----+--------+-----------+
2 rows in set
!ok

ALTER VIEW v3 RENAME TO v4;
[INFO] Execute statement succeeded.
!info

SHOW CREATE VIEW v4;
+-----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                                                                                                        result |
+-----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE VIEW `default_catalog`.`default_database`.`v4` (
  `a`,
  `b`
)
COMMENT 'the comment'
AS SELECT `orders`.`product`, SUM(`orders`.`amount`)
FROM `default_catalog`.`default_database`.`orders` AS `orders`
GROUP BY `orders`.`product`
 |
+-----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

ALTER VIEW v4 AS SELECT amount FROM orders;
[INFO] Execute statement succeeded.
!info

SHOW CREATE VIEW v4;
+----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                                                 result |
+----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE VIEW `default_catalog`.`default_database`.`v4` (
  `amount`
)
COMMENT 'the comment'
AS SELECT `orders`.`amount`
FROM `default_catalog`.`default_database`.`orders` AS `orders`
 |
+----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

DESCRIBE v4;
+--------+------+------+-----+--------+-----------+
|   name | type | null | key | extras | watermark |
+--------+------+------+-----+--------+-----------+
| amount |  INT | TRUE |     |        |           |
+--------+------+------+-----+--------+-----------+
1 row in set
!ok

ALTER VIEW v9 AS SELECT 1;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: View `default_catalog`.`default_database`.`v9` doesn't exist or is a temporary view.
!error

ALTER VIEW v9 RENAME TO v10;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: View `default_catalog`.`default_database`.`v9` doesn't exist or is a temporary view.
!error

ALTER VIEW IF EXISTS v9 RENAME TO v10;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.sql.parser.impl.ParseException: Encountered "EXISTS" at line 1, column 15.
Was expecting one of:
    "AS" ...
    "RENAME" ...
    "." ...
    
!error

ALTER VIEW v2 RENAME TO v10;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: View `default_catalog`.`default_database`.`v2` doesn't exist or is a temporary view.
!error

ALTER VIEW v4 RENAME TO orders;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.catalog.exceptions.TableAlreadyExistException: Table (or view) default_database.orders already exists in Catalog default_catalog.
!error

DROP VIEW orders;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: View with identifier 'default_catalog.default_database.orders' does not exist.
!error

DROP TABLE v4;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Table with identifier 'default_catalog.default_database.v4' does not exist.
!error

DROP VIEW IF EXISTS nope;
[INFO] Execute statement succeeded.
!info

DROP VIEW nope;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: View with identifier 'default_catalog.default_database.nope' does not exist.
!error

DROP TEMPORARY VIEW nope;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Temporary table or view with identifier 'default_catalog.default_database.nope' does not exist.
!error

DROP TEMPORARY VIEW IF EXISTS nope;
[INFO] Execute statement succeeded.
!info

CREATE VIEW v5 AS SELECT o.`user`, t.x FROM orders AS o JOIN (VALUES (1, 'a'), (2, 'b')) AS t (id, x) ON o.amount = t.id;
[INFO] Execute statement succeeded.
!info

SHOW CREATE VIEW v5;
+---------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                                                                                                                        result |
+---------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE VIEW `default_catalog`.`default_database`.`v5` (
  `user`,
  `x`
)
AS SELECT `o`.`user`, `t`.`x`
FROM `default_catalog`.`default_database`.`orders` AS `o`
INNER JOIN (VALUES ROW(1, 'a'),
ROW(2, 'b')) AS `t` (`id`, `x`) ON `o`.`amount` = `t`.`id`
 |
+---------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

CREATE VIEW v6 AS SELECT CASE WHEN amount > 1 THEN 'x' ELSE 'y' END AS c, CAST(amount AS BIGINT) AS d, COUNT(*) OVER (PARTITION BY product ORDER BY ptime) AS e FROM orders;
[INFO] Execute statement succeeded.
!info

SHOW CREATE VIEW v6;
+--------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                                                                                                                                                                                                           result |
+--------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE VIEW `default_catalog`.`default_database`.`v6` (
  `c`,
  `d`,
  `e`
)
AS SELECT CASE WHEN `orders`.`amount` > 1 THEN 'x' ELSE 'y' END AS `c`, CAST(`orders`.`amount` AS BIGINT) AS `d`, COUNT(*) OVER (PARTITION BY `orders`.`product` ORDER BY `orders`.`ptime`) AS `e`
FROM `default_catalog`.`default_database`.`orders` AS `orders`
 |
+--------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

CREATE VIEW v7 AS SELECT window_start, COUNT(DISTINCT product) AS c FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '5' MINUTE)) GROUP BY window_start, window_end;
[INFO] Execute statement succeeded.
!info

SHOW CREATE VIEW v7;
+----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                                                                                                                                                                                                                                                                                                                         result |
+----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE VIEW `default_catalog`.`default_database`.`v7` (
  `window_start`,
  `c`
)
AS SELECT `EXPR$0`.`window_start`, COUNT(DISTINCT `EXPR$0`.`product`) AS `c`
FROM TABLE(TUMBLE((SELECT `orders`.`user`, `orders`.`product`, `orders`.`amount`, `orders`.`ts`, `orders`.`ptime`
FROM `default_catalog`.`default_database`.`orders` AS `orders`), DESCRIPTOR(`ts`), INTERVAL '5' MINUTE)) AS `EXPR$0`
GROUP BY `EXPR$0`.`window_start`, `EXPR$0`.`window_end`
 |
+----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

CREATE VIEW v8 AS SELECT amount FROM orders UNION ALL SELECT 1;
[INFO] Execute statement succeeded.
!info

SHOW CREATE VIEW v8;
+-------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                                              result |
+-------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE VIEW `default_catalog`.`default_database`.`v8` (
  `amount`
)
AS SELECT `orders`.`amount`
FROM `default_catalog`.`default_database`.`orders` AS `orders`
UNION ALL
SELECT 1
 |
+-------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

CREATE VIEW v9 AS SELECT * FROM v8 ORDER BY amount LIMIT 3;
[INFO] Execute statement succeeded.
!info

SHOW CREATE VIEW v9;
+-----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                                                        result |
+-----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE VIEW `default_catalog`.`default_database`.`v9` (
  `amount`
)
AS SELECT `v8`.`amount`
FROM `default_catalog`.`default_database`.`v8` AS `v8`
ORDER BY `amount`
FETCH NEXT 3 ROWS ONLY
 |
+-----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

CREATE VIEW v11 AS WITH q AS (SELECT amount AS a FROM orders) SELECT q.a, EXTRACT(YEAR FROM ts) y FROM q, orders WHERE a IN (1,2) AND ts IS NOT NULL AND a BETWEEN 1 AND 3 AND NOT a = 5;
[INFO] Execute statement succeeded.
!info

SHOW CREATE VIEW orders;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.TableException: SHOW CREATE VIEW is only supported for views, but `default_catalog`.`default_database`.`orders` is a table. Please use SHOW CREATE TABLE instead.
!error

SHOW CREATE VIEW nope;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Could not execute SHOW CREATE VIEW. View with identifier `default_catalog`.`default_database`.`nope` does not exist.
!error

SHOW CREATE TABLE nope;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Could not execute SHOW CREATE TABLE. Table with identifier `default_catalog`.`default_database`.`nope` does not exist.
!error

DESCRIBE nope;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Tables or views with the identifier 'default_catalog.default_database.nope' doesn't exist.
!error

CREATE VIEW bad AS SELECT nocol FROM orders;
[ERROR] Could not execute SQL statement. Reason:
org.apache.calcite.sql.validate.SqlValidatorException: Column 'nocol' not found in any table
!error

CREATE VIEW bad (a) AS SELECT amount, product FROM orders;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: VIEW definition and input fields not match:
	Def fields: [a].
	Input fields: [amount, product].
!error
