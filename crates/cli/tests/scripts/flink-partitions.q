# What Flink 2.3.0 answers.

CREATE TABLE p (a INT, b STRING, dt STRING) PARTITIONED BY (dt, b) WITH ('connector' = 'filesystem', 'path' = '/tmp/pdir', 'format' = 'csv');
[INFO] Execute statement succeeded.
!info

ALTER TABLE p ADD PARTITION (dt = '2020', b = 'x');
[INFO] Execute statement succeeded.
!info

SHOW PARTITIONS p;
+----------------+
| partition name |
+----------------+
|    dt=2020/b=x |
+----------------+
1 row in set
!ok

ALTER TABLE p ADD PARTITION (dt = '2020', b = 'x');
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.catalog.exceptions.PartitionAlreadyExistsException: Partition CatalogPartitionSpec{{dt=2020, b=x}} of table default_database.p in catalog default_catalog already exists.
!error

ALTER TABLE p ADD IF NOT EXISTS PARTITION (dt = '2020', b = 'x') WITH ('k' = 'v') PARTITION (b = 'y', dt = '2021');
[INFO] Execute statement succeeded.
!info

ALTER TABLE p ADD PARTITION (dt = '2019', b = 'z');
[INFO] Execute statement succeeded.
!info

SHOW PARTITIONS p;
+----------------+
| partition name |
+----------------+
|    dt=2020/b=x |
|    b=y/dt=2021 |
|    dt=2019/b=z |
+----------------+
3 rows in set
!ok

SHOW PARTITIONS p PARTITION (dt = '2020');
+----------------+
| partition name |
+----------------+
|    dt=2020/b=x |
+----------------+
1 row in set
!ok

SHOW PARTITIONS p PARTITION (b = 'y');
+----------------+
| partition name |
+----------------+
|    b=y/dt=2021 |
+----------------+
1 row in set
!ok

SHOW PARTITIONS p PARTITION (nope = 'y');
Empty set
!ok

ALTER TABLE p ADD PARTITION (dt = '2020');
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.catalog.exceptions.PartitionSpecInvalidException: PartitionSpec CatalogPartitionSpec{{dt=2020}} does not match partition keys [dt, b] of table default_database.p in catalog default_catalog.
!error

ALTER TABLE p ADD PARTITION (nope = '2020', b = 'x');
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.catalog.exceptions.PartitionSpecInvalidException: PartitionSpec CatalogPartitionSpec{{nope=2020, b=x}} does not match partition keys [dt, b] of table default_database.p in catalog default_catalog.
!error

ALTER TABLE p DROP PARTITION (dt = '2020', b = 'nope');
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.catalog.exceptions.PartitionNotExistException: Partition CatalogPartitionSpec{{dt=2020, b=nope}} of table default_database.p in catalog default_catalog does not exist.
!error

ALTER TABLE p DROP IF EXISTS PARTITION (dt = '2020', b = 'nope');
[INFO] Execute statement succeeded.
!info

ALTER TABLE p DROP PARTITION (dt = '2020', b = 'x'), PARTITION (dt = '2021', b = 'y');
[INFO] Execute statement succeeded.
!info

SHOW PARTITIONS p;
+----------------+
| partition name |
+----------------+
|    dt=2019/b=z |
+----------------+
1 row in set
!ok

ALTER TABLE p DROP PARTITION (dt = '2019');
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.catalog.exceptions.PartitionNotExistException: Partition CatalogPartitionSpec{{dt=2019}} of table default_database.p in catalog default_catalog does not exist.
!error

CREATE TABLE pi (a INT, b INT) PARTITIONED BY (b) WITH ('connector' = 'filesystem', 'path' = '/tmp/pdir2', 'format' = 'csv');
[INFO] Execute statement succeeded.
!info

ALTER TABLE pi ADD PARTITION (b = 3);
[INFO] Execute statement succeeded.
!info

SHOW PARTITIONS pi;
+----------------+
| partition name |
+----------------+
|            b=3 |
+----------------+
1 row in set
!ok

SHOW PARTITIONS default_catalog.default_database.pi;
+----------------+
| partition name |
+----------------+
|            b=3 |
+----------------+
1 row in set
!ok

CREATE TEMPORARY TABLE tp (a INT, b INT) PARTITIONED BY (b) WITH ('connector' = 'filesystem', 'path' = '/tmp/pdir2', 'format' = 'csv');
[INFO] Execute statement succeeded.
!info

SHOW PARTITIONS tp;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.catalog.exceptions.TableNotExistException: Table (or view) default_database.tp does not exist in Catalog default_catalog.
!error

ALTER TABLE tp ADD PARTITION (b = 3);
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.catalog.exceptions.TableNotExistException: Table (or view) default_database.tp does not exist in Catalog default_catalog.
!error

CREATE VIEW pv AS SELECT 1 AS a;
[INFO] Execute statement succeeded.
!info

SHOW PARTITIONS pv;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.catalog.exceptions.TableNotPartitionedException: Table default_database.pv in catalog default_catalog is not partitioned.
!error

ALTER TABLE nope ADD PARTITION (b = 3);
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.catalog.exceptions.TableNotExistException: Table (or view) default_database.nope does not exist in Catalog default_catalog.
!error

ALTER TABLE IF EXISTS nope ADD PARTITION (b = 3);
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.catalog.exceptions.TableNotExistException: Table (or view) default_database.nope does not exist in Catalog default_catalog.
!error

DROP TABLE p;
[INFO] Execute statement succeeded.
!info

SHOW PARTITIONS p;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.catalog.exceptions.TableNotExistException: Table (or view) default_database.p does not exist in Catalog default_catalog.
!error

CREATE FUNCTION f1 AS 'a.B';
[INFO] Execute statement succeeded.
!info

CREATE FUNCTION f1 AS 'a.C';
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.catalog.exceptions.FunctionAlreadyExistException: Function default_database.f1 already exists in Catalog default_catalog.
!error

CREATE FUNCTION IF NOT EXISTS f1 AS 'a.C';
[INFO] Execute statement succeeded.
!info

CREATE FUNCTION f2 AS 'a.B' LANGUAGE SCALA;
[INFO] Execute statement succeeded.
!info

CREATE FUNCTION f3 AS 'a.B' LANGUAGE PYTHON;
[INFO] Execute statement succeeded.
!info

CREATE FUNCTION default_catalog.nodb.f4 AS 'a.B';
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.catalog.exceptions.DatabaseNotExistException: Database nodb does not exist in Catalog default_catalog.
!error

SHOW USER FUNCTIONS;
+---------------+
| function name |
+---------------+
|            f1 |
|            f2 |
|            f3 |
+---------------+
3 rows in set
!ok

SHOW USER FUNCTIONS LIKE 'f1%';
+---------------+
| function name |
+---------------+
|            f1 |
+---------------+
1 row in set
!ok

ALTER FUNCTION f1 AS 'x.Y' LANGUAGE JAVA;
[INFO] Execute statement succeeded.
!info

DROP FUNCTION f1;
[INFO] Execute statement succeeded.
!info

DROP FUNCTION f1;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.catalog.exceptions.FunctionNotExistException: Function default_database.f1 does not exist in Catalog default_catalog.
!error

SHOW USER FUNCTIONS;
+---------------+
| function name |
+---------------+
|            f2 |
|            f3 |
+---------------+
2 rows in set
!ok

CREATE DATABASE d1;
[INFO] Execute statement succeeded.
!info

CREATE FUNCTION d1.g AS 'a.B';
[INFO] Execute statement succeeded.
!info

SHOW USER FUNCTIONS FROM d1;
+---------------+
| function name |
+---------------+
|             g |
+---------------+
1 row in set
!ok

USE d1;
[INFO] Execute statement succeeded.
!info

SHOW USER FUNCTIONS;
+---------------+
| function name |
+---------------+
|             g |
+---------------+
1 row in set
!ok

CREATE FUNCTION uPPer2 AS 'a.B';
[INFO] Execute statement succeeded.
!info

SHOW USER FUNCTIONS;
+---------------+
| function name |
+---------------+
|             g |
|        upper2 |
+---------------+
2 rows in set
!ok

DROP FUNCTION UPPER2;
[INFO] Execute statement succeeded.
!info
