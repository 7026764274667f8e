CREATE TABLE numbers (id BIGINT, ts AS PROCTIME()) WITH (
    'connector' = 'datagen',
    'rows-per-second' = '{rows-per-second}',
    'fields.id.kind' = 'sequence',
    'fields.id.start' = '1',
    'fields.id.end' = '600'
);

CREATE TABLE files (id BIGINT, last BIGINT) PARTITIONED BY (last) WITH (
    'connector' = 'filesystem',
    'path' = 's3://jobs/{table}',
    'format' = '{format}',
    'sink.partition-commit.policy.kind' = 'success-file'
);

-- State of every id, so that checkpoints have something to hold.
INSERT INTO files SELECT id, MOD(id, 3) FROM (
    SELECT id, ROW_NUMBER() OVER (PARTITION BY id ORDER BY ts) AS n FROM numbers
) WHERE n = 1;
