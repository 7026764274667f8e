# What Flink 2.3.0 answers.

SHOW MODELS;
Empty set
!ok

SHOW MODELS LIKE 'a%';
Empty set
!ok

SHOW MODELS FROM nodb;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.catalog.exceptions.DatabaseNotExistException: Database nodb does not exist in Catalog default_catalog.
!error

SHOW MATERIALIZED TABLES;
Empty set
!ok

DESCRIBE MODEL m;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Model with the identifier 'default_catalog.default_database.m' doesn't exist.
!error

DROP MODEL m;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Model with identifier 'default_catalog.default_database.m' does not exist.
!error

DROP MODEL IF EXISTS m;
[INFO] Execute statement succeeded.
!info

DROP TEMPORARY MODEL IF EXISTS m;
[INFO] Execute statement succeeded.
!info

SHOW CREATE MODEL m;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Could not execute SHOW CREATE MODEL. Model with identifier `default_catalog`.`default_database`.`m` does not exist.
!error

ALTER MODEL m SET ('a'='b');
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Model `default_catalog`.`default_database`.`m` doesn't exist.
!error

ALTER MODEL IF EXISTS m SET ('a'='b');
[INFO] Execute statement succeeded.
!info

ALTER MODEL IF EXISTS m RENAME TO k;
[INFO] Execute statement succeeded.
!info

ALTER MODEL m RENAME TO k;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Model `default_catalog`.`default_database`.`m` doesn't exist.
!error

ALTER MODEL m RESET ('a');
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Model `default_catalog`.`default_database`.`m` doesn't exist.
!error

CREATE MODEL m INPUT (a STRING) OUTPUT (b STRING) WITH ('provider' = 'openai', 'endpoint' = 'x');
[INFO] Execute statement succeeded.
!info

SHOW MODELS;
+------------+
| model name |
+------------+
|          m |
+------------+
1 row in set
!ok

SHOW CREATE MODEL m;
+------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                                       result |
+------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE MODEL `default_catalog`.`default_database`.`m`
INPUT (`a` VARCHAR(2147483647))
OUTPUT (`b` VARCHAR(2147483647))
WITH (
  'endpoint' = 'x',
  'provider' = 'openai'
)
 |
+------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

DESCRIBE MODEL m;
+------+--------+------+----------+
| name |   type | null | is input |
+------+--------+------+----------+
|    a | STRING | TRUE |     TRUE |
|    b | STRING | TRUE |    FALSE |
+------+--------+------+----------+
2 rows in set
!ok

ALTER MODEL m SET ('endpoint' = 'y', 'k' = 'v');
[INFO] Execute statement succeeded.
!info

SHOW CREATE MODEL m;
+-------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                                                    result |
+-------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE MODEL `default_catalog`.`default_database`.`m`
INPUT (`a` VARCHAR(2147483647))
OUTPUT (`b` VARCHAR(2147483647))
WITH (
  'endpoint' = 'y',
  'k' = 'v',
  'provider' = 'openai'
)
 |
+-------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

ALTER MODEL m RESET ('k');
[INFO] Execute statement succeeded.
!info

SHOW CREATE MODEL m;
+------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                                       result |
+------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE MODEL `default_catalog`.`default_database`.`m`
INPUT (`a` VARCHAR(2147483647))
OUTPUT (`b` VARCHAR(2147483647))
WITH (
  'endpoint' = 'y',
  'provider' = 'openai'
)
 |
+------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

ALTER MODEL m RENAME TO n;
[INFO] Execute statement succeeded.
!info

SHOW MODELS;
+------------+
| model name |
+------------+
|          n |
+------------+
1 row in set
!ok

CREATE MODEL IF NOT EXISTS n INPUT (a STRING) OUTPUT (b STRING) WITH ('provider' = 'openai');
[INFO] Execute statement succeeded.
!info

CREATE MODEL n INPUT (a STRING) OUTPUT (b STRING) WITH ('provider' = 'openai');
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.catalog.exceptions.ModelAlreadyExistException: Model default_database.n already exists in Catalog default_catalog.
!error

CREATE TEMPORARY MODEL tm INPUT (a STRING COMMENT 'aa') OUTPUT (b STRING NOT NULL, c DOUBLE) COMMENT 'cc' WITH ('provider' = 'openai');
[INFO] Execute statement succeeded.
!info

SHOW CREATE MODEL tm;
+--------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
|                                                                                                                                                                                                             result |
+--------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
| CREATE TEMPORARY MODEL `default_catalog`.`default_database`.`tm`
INPUT (`a` VARCHAR(2147483647) COMMENT 'aa')
OUTPUT (`b` VARCHAR(2147483647) NOT NULL, `c` DOUBLE)
COMMENT 'cc'
WITH (
  'provider' = 'openai'
)
 |
+--------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------+
1 row in set
!ok

DESCRIBE MODEL tm;
+------+--------+-------+----------+---------+
| name |   type |  null | is input | comment |
+------+--------+-------+----------+---------+
|    a | STRING |  TRUE |     TRUE |      aa |
|    b | STRING | FALSE |    FALSE |         |
|    c | DOUBLE |  TRUE |    FALSE |         |
+------+--------+-------+----------+---------+
3 rows in set
!ok

DESCRIBE MODEL EXTENDED tm;
+------+--------+-------+----------+---------+
| name |   type |  null | is input | comment |
+------+--------+-------+----------+---------+
|    a | STRING |  TRUE |     TRUE |      aa |
|    b | STRING | FALSE |    FALSE |         |
|    c | DOUBLE |  TRUE |    FALSE |         |
+------+--------+-------+----------+---------+
3 rows in set
!ok

SHOW MODELS;
+------------+
| model name |
+------------+
|          n |
+------------+
1 row in set
!ok

DROP TEMPORARY MODEL tm;
[INFO] Execute statement succeeded.
!info

DROP MODEL n;
[INFO] Execute statement succeeded.
!info

SHOW MODELS;
Empty set
!ok
