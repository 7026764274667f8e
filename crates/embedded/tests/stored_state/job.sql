CREATE TABLE orders (id BIGINT) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '{rows-per-second}',
  'number-of-rows' = '600',
  'fields.id.kind' = 'sequence',
  'fields.id.start' = '1',
  'fields.id.end' = '600'
);

CREATE VIEW names AS
SELECT * FROM (VALUES (CAST(0 AS BIGINT), 'zero'), (CAST(1 AS BIGINT), 'one'), (CAST(2 AS BIGINT), 'two')) AS t(k, name);

CREATE TABLE totals (
  name STRING,
  orders BIGINT,
  total BIGINT,
  latest BIGINT,
  digits BIGINT,
  PRIMARY KEY (name) NOT ENFORCED
) WITH ('connector' = 'values', 'data-id' = '{sink}', 'sink-changelog-mode-enforced' = 'I,UA,D');

INSERT INTO totals
SELECT name, COUNT(*), SUM(id), MAX(id), COUNT(DISTINCT MOD(id, 10))
FROM orders JOIN names ON MOD(id, 3) = k
GROUP BY name;
