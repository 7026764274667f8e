# What Flink 2.3.0 answers.

CREATE TABLE p (a INT, b STRING, dt STRING) PARTITIONED BY (dt, b) WITH ('connector' = 'filesystem', 'path' = '/tmp/pdir', 'format' = 'csv');
[INFO] Execute statement succeeded.
!info

CREATE TABLE np (a INT, b STRING) WITH ('connector' = 'filesystem', 'path' = '/tmp/npdir', 'format' = 'csv');
[INFO] Execute statement succeeded.
!info

SHOW PARTITIONS np;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.catalog.exceptions.TableNotPartitionedException: Table default_database.np in catalog default_catalog is not partitioned.
!error

SHOW PARTITIONS nope;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.catalog.exceptions.TableNotExistException: Table (or view) default_database.nope does not exist in Catalog default_catalog.
!error

ALTER TABLE np ADD PARTITION (b = 'x');
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.catalog.exceptions.TableNotPartitionedException: Table default_database.np in catalog default_catalog is not partitioned.
!error

ALTER TABLE np DROP PARTITION (b = 'x');
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.catalog.exceptions.PartitionNotExistException: Partition CatalogPartitionSpec{{b=x}} of table default_database.np in catalog default_catalog does not exist.
!error

ANALYZE TABLE np COMPUTE STATISTICS;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.TableException: ANALYZE TABLE is not supported for streaming mode now
!error

ANALYZE TABLE np COMPUTE STATISTICS FOR ALL COLUMNS;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.TableException: ANALYZE TABLE is not supported for streaming mode now
!error

ANALYZE TABLE np COMPUTE STATISTICS FOR COLUMNS a, nope;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Column: nope does not exist in the table: `default_catalog`.`default_database`.`np`.
!error

ANALYZE TABLE nope COMPUTE STATISTICS;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Table `default_catalog`.`default_database`.`nope` doesn't exist or is a temporary table.
!error

ANALYZE TABLE p COMPUTE STATISTICS;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Invalid ANALYZE TABLE statement. For partition table, all partition keys should be specified explicitly. The given partition keys: [] are not match the target partition keys: [dt,b].
!error

ANALYZE TABLE p PARTITION (dt, b) COMPUTE STATISTICS;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.TableException: ANALYZE TABLE is not supported for streaming mode now
!error

TRUNCATE TABLE np;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.TableException: TRUNCATE TABLE statement is not supported in streaming mode.
!error

TRUNCATE TABLE nope;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Cannot find table '`default_catalog`.`default_database`.`nope`' in any of the catalogs [default_catalog], nor as a temporary table.
!error

DELETE FROM np WHERE a = 1;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.TableException: DELETE statement is not supported for streaming mode now.
!error

DELETE FROM np;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.TableException: DELETE statement is not supported for streaming mode now.
!error

CREATE TABLE dg (a INT) WITH ('connector' = 'datagen');
[INFO] Execute statement succeeded.
!info

TRUNCATE TABLE dg;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.TableException: TRUNCATE TABLE statement is not supported in streaming mode.
!error

CREATE TABLE bh (a INT) WITH ('connector' = 'blackhole');
[INFO] Execute statement succeeded.
!info

SELECT * FROM bh;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Connector 'blackhole' can only be used as a sink. It cannot be used as a source.
!error
