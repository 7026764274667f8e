CREATE TABLE files (id BIGINT, last BIGINT) PARTITIONED BY (last) WITH (
    'connector' = 'filesystem',
    'path' = 's3://jobs/rows',
    'format' = 'json'
);

CREATE TABLE rows_read (id BIGINT, last BIGINT) WITH ('connector' = 'values', 'data-id' = 'read-back');

INSERT INTO rows_read SELECT id, last FROM files;
