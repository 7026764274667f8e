# What Flink 2.3.0 answers.

SHOW MODULES;
+-------------+
| module name |
+-------------+
|        core |
+-------------+
1 row in set
!ok

SHOW FULL MODULES;
+-------------+------+
| module name | used |
+-------------+------+
|        core | TRUE |
+-------------+------+
1 row in set
!ok

LOAD MODULE core;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: A module with name 'core' already exists
!error

LOAD MODULE core WITH ('a' = 'b');
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: A module with name 'core' already exists
!error

LOAD MODULE core WITH ('type' = 'core');
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Option 'type' = 'core' is not supported since module name is used to find module
!error

USE MODULES dummy;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: No module with name 'dummy' exists
!error

USE MODULES core, core;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: Module 'core' appears more than once
!error

USE MODULES core;
[INFO] Execute statement succeeded.
!info

USE MODULES `core`, hive;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: No module with name 'hive' exists
!error

UNLOAD MODULE core;
[INFO] Execute statement succeeded.
!info

SHOW MODULES;
Empty set
!ok

SHOW FULL MODULES;
Empty set
!ok

UNLOAD MODULE core;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: No module with name 'core' exists
!error

USE MODULES core;
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.table.api.ValidationException: No module with name 'core' exists
!error

LOAD MODULE core;
[INFO] Execute statement succeeded.
!info

SHOW FULL MODULES;
+-------------+------+
| module name | used |
+-------------+------+
|        core | TRUE |
+-------------+------+
1 row in set
!ok

SHOW FULL MODULES LIKE 'c%';
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.sql.parser.impl.ParseException: Encountered "LIKE" at line 1, column 19.
Was expecting one of:
    <EOF> 
    ";" ...
    
!error

SHOW MODULES LIKE 'c%';
[ERROR] Could not execute SQL statement. Reason:
org.apache.flink.sql.parser.impl.ParseException: Encountered "LIKE" at line 1, column 14.
Was expecting one of:
    <EOF> 
    ";" ...
    
!error
