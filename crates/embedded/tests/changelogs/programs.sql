-- // Programs over changing tables; main.rs says how they are run.

-- inner_null
SELECT a.id, b.id AS bid, a.v, b.w FROM a JOIN b ON a.k = b.k

-- left_join
SELECT a.id, a.s, b.id AS bid FROM a LEFT JOIN b ON a.k = b.k

-- right_join
SELECT a.id, b.t, b.id AS bid FROM a RIGHT JOIN b ON a.k = b.k

-- full_join
SELECT a.id, b.id AS bid FROM a FULL JOIN b ON a.k = b.k

-- full_noneq
SELECT a.id, b.id AS bid, a.v, b.w FROM a FULL JOIN b ON a.k = b.k AND a.v > b.w

-- left_filter_on
SELECT a.id, b.id AS bid FROM a LEFT JOIN b ON a.k = b.k AND a.v > 3 AND b.w < 4

-- left_not_distinct
SELECT a.id, b.id AS bid FROM a LEFT JOIN b ON a.k IS NOT DISTINCT FROM b.k

-- left_pk_pk
SELECT a.id, a.v, b.w FROM ap a LEFT JOIN bp b ON a.id = b.id

-- full_pk_pk
SELECT a.id, b.id AS bid, a.v, b.w FROM ap a FULL JOIN bp b ON a.id = b.id

-- left_fk_pk
SELECT a.id, a.k, b.w FROM ap a LEFT JOIN bp b ON a.k = b.id

-- full_fk_pk_noneq
SELECT a.id, b.id AS bid, a.k, b.w FROM ap a FULL JOIN bp b ON a.k = b.id AND a.v <> b.w

-- self_join
SELECT x.id, y.id AS yid FROM a x JOIN a y ON x.k = y.k AND x.id < y.id

-- self_left_view
SELECT x.k, x.c, y.m FROM (SELECT k, COUNT(*) c FROM a GROUP BY k) x LEFT JOIN (SELECT k, MAX(v) m FROM a GROUP BY k) y ON x.k = y.k

-- three_left
SELECT a.id, b.id AS bid, d.x, d.y FROM a LEFT JOIN b ON a.k = b.k AND b.w > 4 LEFT JOIN d ON b.w = d.x

-- three_full_coalesce
SELECT COALESCE(z.k, g.x) AS kk, z.n, g.y FROM (SELECT COALESCE(a.k, b.k) AS k, COUNT(*) AS n FROM a FULL JOIN b ON a.k = b.k GROUP BY COALESCE(a.k, b.k)) z FULL JOIN g ON z.k = g.x

-- dup_join
SELECT d.x, d.y, g.y AS gy FROM d JOIN g ON d.x = g.x

-- dup_full
SELECT d.x, d.y, g.x AS gx, g.y AS gy FROM d FULL JOIN g ON d.x = g.x AND d.y = g.y

-- dup_left
SELECT d.x, d.y, g.x AS gx, g.y AS gy FROM d LEFT JOIN g ON d.y = g.y AND d.x < g.x

-- agg_all
SELECT k, COUNT(*) AS c, COUNT(v) AS cv, SUM(v) AS sv, MIN(v) AS mi, MAX(v) AS ma, COUNT(DISTINCT v) AS cd, SUM(DISTINCT v) AS sd, SUM(v) FILTER (WHERE v > 3) AS sf, COUNT(DISTINCT v) FILTER (WHERE s <> 'x') AS cdf, MIN(s) AS ms, MAX(s) AS mxs FROM a GROUP BY k

-- agg_avg
SELECT k, AVG(CAST(v AS DOUBLE)) AS av, STDDEV_POP(CAST(v AS DOUBLE)) AS sp, VAR_SAMP(CAST(v AS DOUBLE)) AS vs FROM a GROUP BY k

-- agg_avg_int
SELECT k, AVG(v) AS av FROM a GROUP BY k

-- global_agg
SELECT COUNT(*) AS c, SUM(v) AS s, MIN(v) AS mi, MAX(v) AS ma, COUNT(DISTINCT s) AS ds FROM a

-- chain_agg
SELECT c, COUNT(*) AS n, MAX(k) AS mk, MIN(k) AS ik FROM (SELECT k, COUNT(*) AS c FROM a GROUP BY k) GROUP BY c

-- chain_agg3
SELECT n, COUNT(*) AS m FROM (SELECT c, COUNT(*) AS n FROM (SELECT k, s, COUNT(*) AS c FROM a GROUP BY k, s) GROUP BY c) GROUP BY n

-- having
SELECT k, COUNT(*) AS c FROM a GROUP BY k HAVING COUNT(*) > 5 AND MIN(v) < 1

-- having_flip
SELECT s, SUM(v) AS c FROM a GROUP BY s HAVING SUM(v) BETWEEN 5 AND 40

-- distinct
SELECT DISTINCT x, y FROM d

-- distinct_count
SELECT COUNT(*) AS n FROM (SELECT DISTINCT x, y FROM d)

-- grouping_sets
SELECT x, y, COUNT(*) AS c, GROUPING(x) AS gx, GROUPING(y) AS gy FROM d GROUP BY GROUPING SETS ((x, y), (x), ())

-- cube
SELECT x, y, COUNT(*) AS c, SUM(y) AS sy, GROUPING_ID(x, y) AS gid FROM d GROUP BY CUBE (x, y)

-- rollup_distinct
SELECT x, y, COUNT(DISTINCT y) AS c FROM d GROUP BY ROLLUP (x, y)

-- topn_rank
SELECT * FROM (SELECT k, id, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC, id) AS rn FROM a WHERE v IS NOT NULL) WHERE rn <= 3

-- topn_norank
SELECT k, id, v FROM (SELECT k, id, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v, id DESC) AS rn FROM a WHERE v IS NOT NULL) WHERE rn <= 2

-- topn_offset
SELECT * FROM (SELECT k, id, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC, id) AS rn FROM a WHERE v IS NOT NULL) WHERE rn >= 2 AND rn <= 4

-- topn_offset_norank
SELECT k, id, v FROM (SELECT k, id, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC, id) AS rn FROM a WHERE v IS NOT NULL) WHERE rn > 1 AND rn < 4

-- topn_eq2
SELECT k, id FROM (SELECT k, id, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC, id) AS rn FROM a WHERE v IS NOT NULL) WHERE rn = 2

-- topn_nulls
SELECT * FROM (SELECT k, id, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v NULLS LAST, id DESC) AS rn FROM a) WHERE rn <= 4

-- topn_nulls_default
SELECT * FROM (SELECT k, id, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC, id) AS rn FROM a) WHERE rn <= 4

-- topn_over_agg
SELECT * FROM (SELECT k, c, ROW_NUMBER() OVER (ORDER BY c DESC, k) AS rn FROM (SELECT k, COUNT(*) AS c FROM a WHERE k IS NOT NULL GROUP BY k)) WHERE rn <= 3

-- topn_over_count_append
SELECT * FROM (SELECT k, c, ROW_NUMBER() OVER (ORDER BY c DESC, k) AS rn FROM (SELECT k, COUNT(*) AS c FROM e GROUP BY k)) WHERE rn <= 2

-- topn_over_max_append
SELECT k, m FROM (SELECT k, m, ROW_NUMBER() OVER (PARTITION BY MOD(k, 2) ORDER BY m DESC, k) AS rn FROM (SELECT k, MAX(v) AS m FROM e WHERE v IS NOT NULL GROUP BY k)) WHERE rn <= 1

-- topn_then_agg
SELECT rn, SUM(v) AS sv, COUNT(*) AS c FROM (SELECT k, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC, id) AS rn FROM a WHERE v IS NOT NULL) WHERE rn <= 3 GROUP BY rn

-- topn_pk
SELECT * FROM (SELECT id, k, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC, id) AS rn FROM ap WHERE v IS NOT NULL) WHERE rn <= 2

-- topn_nested
SELECT * FROM (SELECT k, id, v, ROW_NUMBER() OVER (ORDER BY v DESC, id) AS r2 FROM (SELECT k, id, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC, id) AS rn FROM a WHERE v IS NOT NULL) WHERE rn <= 2) WHERE r2 <= 4

-- limit
SELECT id, v FROM a WHERE v IS NOT NULL ORDER BY v DESC, id LIMIT 5

-- limit_offset
SELECT id, v FROM a WHERE v IS NOT NULL ORDER BY v DESC, id LIMIT 5 OFFSET 3

-- limit_agg
SELECT SUM(v) AS sv FROM (SELECT id, v FROM a WHERE v IS NOT NULL ORDER BY v, id LIMIT 7)

-- not_in_null
SELECT id FROM a WHERE v NOT IN (SELECT w FROM b)

-- not_in_nonnull
SELECT id FROM a WHERE v NOT IN (SELECT w FROM b WHERE w IS NOT NULL AND w < 4)

-- not_in_empty
SELECT id FROM a WHERE v NOT IN (SELECT w FROM b WHERE w > 100)

-- not_in_correlated
SELECT id FROM a WHERE v NOT IN (SELECT w FROM b WHERE b.t = a.s)

-- in_sub
SELECT id FROM a WHERE v IN (SELECT w FROM b WHERE t = 'x')

-- in_tuple
SELECT id FROM a WHERE (k, v) IN (SELECT k, w FROM b)

-- in_or
SELECT id, v FROM a WHERE v IN (SELECT w FROM b WHERE t = 'x') OR s = 'y'

-- in_select
SELECT id, v, CASE WHEN v IN (SELECT w FROM b WHERE t = 'x') THEN 1 WHEN v NOT IN (SELECT w FROM b WHERE t = 'x') THEN 2 ELSE 3 END AS f FROM a

-- exists_corr
SELECT id FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.k = a.k AND b.w > a.v)

-- not_exists_corr
SELECT id FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE b.k = a.k AND b.w > a.v)

-- exists_uncorr
SELECT id FROM a WHERE EXISTS (SELECT 1 FROM b WHERE w > 8)

-- not_exists_uncorr
SELECT id FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE w > 100)

-- exists_and_not
SELECT id FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.k = a.k) AND NOT EXISTS (SELECT 1 FROM d WHERE d.x = a.v)

-- exists_or
SELECT id FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.k = a.k AND b.t = 'x') OR NOT EXISTS (SELECT 1 FROM d WHERE d.x = a.v)

-- scalar_sub
SELECT id, v FROM a WHERE v > (SELECT AVG(w) FROM b)

-- scalar_corr
SELECT id, v FROM a WHERE v < (SELECT MAX(w) FROM b WHERE b.k = a.k)

-- scalar_select
SELECT id, (SELECT MAX(w) FROM b WHERE b.k = a.k) AS m FROM a

-- scalar_count_bug
SELECT id, (SELECT COUNT(*) FROM b WHERE b.k = a.k) AS m FROM a

-- count_bug_where
SELECT id FROM a WHERE 0 = (SELECT COUNT(*) FROM b WHERE b.k = a.k)

-- intersect
SELECT x, y FROM d INTERSECT SELECT x, y FROM g

-- intersect_all
SELECT x, y FROM d INTERSECT ALL SELECT x, y FROM g

-- except
SELECT x, y FROM d EXCEPT SELECT x, y FROM g

-- except_all
SELECT x, y FROM d EXCEPT ALL SELECT x, y FROM g

-- union
SELECT x, y FROM d UNION SELECT x, y FROM g

-- union_modes
SELECT k, COUNT(*) AS c FROM (SELECT k FROM e UNION ALL SELECT k FROM a UNION ALL SELECT k FROM (SELECT k, SUM(w) AS w FROM b GROUP BY k)) GROUP BY k

-- union_all_plain
SELECT k, v FROM e UNION ALL SELECT k, v FROM a UNION ALL SELECT k, MAX(w) FROM b GROUP BY k

-- set_mix
(SELECT x, y FROM d EXCEPT SELECT x, y FROM g) UNION ALL (SELECT x, y FROM g INTERSECT ALL SELECT x, y FROM d)

-- semi_agg
SELECT k, COUNT(*) AS c, MAX(v) AS m FROM a WHERE k IN (SELECT k FROM b WHERE w > 3) GROUP BY k

-- anti_agg
SELECT s, SUM(v) AS c FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE b.k = a.k AND b.w > 7) GROUP BY s

-- semi_having
SELECT id FROM a WHERE k IN (SELECT k FROM b GROUP BY k HAVING COUNT(*) >= 7)

-- anti_having
SELECT id FROM a WHERE NOT EXISTS (SELECT 1 FROM (SELECT k, COUNT(*) AS c FROM b GROUP BY k) q WHERE q.k = a.k AND q.c < 8)

-- join_agg_agg
SELECT x.c, SUM(y.m) AS sm, COUNT(*) AS n FROM (SELECT k, COUNT(*) AS c FROM a GROUP BY k) x JOIN (SELECT k, MAX(w) AS m FROM b GROUP BY k) y ON x.k = y.k GROUP BY x.c

-- full_agg_agg
SELECT x.k, x.c, y.k AS yk, y.m FROM (SELECT k, COUNT(*) AS c FROM a WHERE v > 2 GROUP BY k) x FULL JOIN (SELECT k, MAX(w) AS m FROM b WHERE w < 5 GROUP BY k) y ON x.k = y.k

-- agg_of_left
SELECT a.s, COUNT(b.id) AS cb, COUNT(*) AS c, MIN(b.w) AS mi FROM a LEFT JOIN b ON a.k = b.k GROUP BY a.s

-- cross_single
SELECT a.id, q.m FROM a CROSS JOIN (SELECT MAX(w) AS m FROM b) q

-- left_true
SELECT a.id, q.m FROM a LEFT JOIN (SELECT x AS m FROM d WHERE x = 3) q ON TRUE

-- cross_join_pairs
SELECT d.x, g.y FROM d CROSS JOIN g WHERE d.y = 1 AND g.x = 2

-- nested_outer
SELECT a.id, q.bid, q.y FROM a LEFT JOIN (SELECT b.id AS bid, b.k, d.y FROM b JOIN d ON b.w = d.x) q ON a.k = q.k

-- using
SELECT k, a.id, b.id AS bid FROM a JOIN b USING (k)

-- natural_full
SELECT x, y FROM d NATURAL JOIN g

-- group_expr
SELECT CASE WHEN v IS NULL THEN -1 WHEN v > 3 THEN 1 ELSE 0 END AS b, COUNT(*) AS c, COUNT(DISTINCT k) AS dk FROM a GROUP BY CASE WHEN v IS NULL THEN -1 WHEN v > 3 THEN 1 ELSE 0 END

-- listagg_len
SELECT k, CHAR_LENGTH(LISTAGG(s)) AS l, CHAR_LENGTH(LISTAGG(DISTINCT s, '--')) AS l2 FROM a GROUP BY k

-- first_last_single
SELECT id, FIRST_VALUE(v) AS f, LAST_VALUE(s) AS l FROM a GROUP BY id

-- dedup_last
SELECT id, k, v FROM (SELECT id, k, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts DESC) AS rn FROM e) WHERE rn = 1

-- dedup_first
SELECT id, k, v FROM (SELECT id, k, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts ASC) AS rn FROM e) WHERE rn = 1

-- dedup_last_agg
SELECT v, COUNT(*) AS c FROM (SELECT id, k, v, ROW_NUMBER() OVER (PARTITION BY k, MOD(id, 5) ORDER BY ts DESC) AS rn FROM e) WHERE rn = 1 GROUP BY v

-- dedup_join
SELECT q.id, b.id AS bid FROM (SELECT id, k, ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts DESC) AS rn FROM e) q LEFT JOIN b ON q.k = b.k WHERE q.rn = 1

-- dedup_retract_last
SELECT id, k, v FROM (SELECT id, k, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY id DESC) AS rn FROM a) WHERE rn = 1

-- over_rows_unb
SELECT id, k, SUM(v) OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS sv, COUNT(*) OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS c FROM e

-- over_rows_bounded
SELECT id, SUM(v) OVER w AS sv, MIN(v) OVER w AS mi, MAX(v) OVER w AS ma, COUNT(v) OVER w AS c FROM e WINDOW w AS (PARTITION BY k ORDER BY ts ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)

-- over_range_bounded
SELECT id, SUM(v) OVER w AS sv, COUNT(*) OVER w AS c, COUNT(v) OVER w AS cv FROM e WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '10' SECOND PRECEDING AND CURRENT ROW)

-- over_range_unb_global
SELECT id, SUM(v) OVER (ORDER BY ts) AS sv, MAX(v) OVER (ORDER BY ts) AS m FROM e

-- over_lag
SELECT id, LAG(v) OVER (PARTITION BY k ORDER BY ts) AS p, LAG(v, 2, -1) OVER (PARTITION BY k ORDER BY ts) AS p2 FROM e

-- over_lag_first
SELECT id, v - LAG(v, 1, 0) OVER (PARTITION BY k ORDER BY ts) AS p FROM e

-- over_distinct
SELECT id, COUNT(DISTINCT v) OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS sv FROM e

-- over_changelog
SELECT id, k, SUM(v) OVER (PARTITION BY k ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS sv FROM a

-- over_changelog_range
SELECT id, k, v, SUM(v) OVER (PARTITION BY k ORDER BY v RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS sv, COUNT(*) OVER (PARTITION BY k ORDER BY v RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS c FROM a WHERE v IS NOT NULL

-- over_changelog_pk
SELECT id, k, AVG(v) OVER (PARTITION BY k ORDER BY v, id) AS sv FROM ap WHERE v IS NOT NULL

-- over_changelog_agg
SELECT k, c, SUM(c) OVER (ORDER BY k ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS r FROM (SELECT k, COUNT(*) AS c FROM a WHERE k IS NOT NULL GROUP BY k)

-- shared_view
CREATE TEMPORARY VIEW vw AS SELECT k, COUNT(*) AS c, SUM(v) AS sv FROM a GROUP BY k
;
SELECT p.k, p.c, q.sv FROM vw p JOIN vw q ON p.k = q.k AND p.c >= q.c

-- with_cte
WITH q AS (SELECT k, MAX(v) AS m FROM a GROUP BY k) SELECT a.id, a.k FROM a JOIN q ON a.k = q.k AND a.v = q.m

-- max_of_group_join
SELECT a.id, a.v, q.m, a.v - q.m AS df FROM a LEFT JOIN (SELECT k, MAX(v) AS m FROM a GROUP BY k) q ON a.k = q.k WHERE q.m IS NULL OR a.v = q.m

-- window_agg_topn
SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY ws ORDER BY c DESC, k) AS rn FROM (SELECT window_start AS ws, k, COUNT(*) AS c FROM TABLE(TUMBLE(TABLE e, DESCRIPTOR(ts), INTERVAL '20' SECOND)) GROUP BY window_start, window_end, k)) WHERE rn <= 2

-- interval_join
SELECT l.id, r.id AS rid FROM e l JOIN e r ON l.k = r.k AND r.ts BETWEEN l.ts - INTERVAL '5' SECOND AND l.ts + INTERVAL '3' SECOND WHERE l.id <> r.id

-- interval_left
SELECT l.id, r.id AS rid FROM e l LEFT JOIN (SELECT * FROM e WHERE v > 3) r ON l.k = r.k AND r.ts BETWEEN l.ts AND l.ts + INTERVAL '3' SECOND

-- interval_full
SELECT l.id, r.id AS rid FROM (SELECT * FROM e WHERE v < 4) l FULL JOIN (SELECT * FROM e WHERE v > 3) r ON l.k = r.k AND r.ts BETWEEN l.ts AND l.ts + INTERVAL '3' SECOND

-- values_join
SELECT a.id, q.n FROM a JOIN (VALUES (1, 'one'), (2, 'two'), (CAST(NULL AS INT), 'null')) AS q (k, n) ON a.k = q.k

-- const_false
SELECT a.id, b.id AS bid FROM a LEFT JOIN b ON a.k = b.k AND 1 = 0

-- min_max_str
SELECT x, MIN(s) AS mi, MAX(s) AS ma, COUNT(DISTINCT s) AS c FROM (SELECT a.s, d.x FROM a JOIN d ON a.v = d.x) GROUP BY x

-- distinct_over_join
SELECT DISTINCT a.s, b.t FROM a JOIN b ON a.k = b.k WHERE a.v = b.w

-- count_distinct_multi
SELECT s, COUNT(DISTINCT k) AS ck, COUNT(DISTINCT v) AS cv, SUM(DISTINCT v) AS sdv, MAX(DISTINCT v) AS m, COUNT(DISTINCT k) FILTER (WHERE v > 2) AS ckf FROM a GROUP BY s

-- agg_no_group_distinct
SELECT COUNT(DISTINCT k) AS ck, COUNT(DISTINCT v) AS cv, SUM(v) AS s FROM a

-- count_two_cols
SELECT k, COUNT(DISTINCT s) AS c, COUNT(v) FILTER (WHERE s IS NULL) AS cn FROM a GROUP BY k

-- bool_agg
SELECT s, MAX(v > 3) AS mb, MIN(v > 3) AS nb FROM a GROUP BY s

-- single_value
SELECT id, v + (SELECT SUM(w) FROM b WHERE w > 1000) AS z FROM a

-- decimal_avg
SELECT k, AVG(CAST(v AS DECIMAL(10, 2))) AS av, SUM(CAST(v AS DECIMAL(10, 2))) AS sv FROM a GROUP BY k

-- keys_double
SELECT f, COUNT(*) AS c FROM (SELECT CASE WHEN v = 0 THEN CAST('-0.0' AS DOUBLE) WHEN v = 1 THEN CAST(0 AS DOUBLE) ELSE CAST(v AS DOUBLE) END AS f FROM a) GROUP BY f

-- keys_decimal
SELECT d1, COUNT(*) AS c, COUNT(DISTINCT d2) AS d FROM (SELECT CAST(v AS DECIMAL(30, 2)) AS d1, CAST(k AS DECIMAL(5, 1)) AS d2 FROM a) GROUP BY d1

-- join_decimal
SELECT a.id, b.id AS bid FROM a JOIN b ON CAST(a.k AS DECIMAL(10, 1)) = CAST(b.k AS DECIMAL(12, 3))

-- join_mixed_int
SELECT a.id, b.id AS bid FROM a JOIN b ON CAST(a.k AS BIGINT) = b.k

-- join_double_int
SELECT a.id, b.id AS bid FROM a LEFT JOIN b ON CAST(a.k AS DOUBLE) = b.k

-- keys_row
SELECT r.p AS p, r.q AS q, COUNT(*) AS c FROM (SELECT CAST(ROW(k, s) AS ROW<p INT, q STRING>) AS r FROM a) GROUP BY r

-- keys_array
SELECT CARDINALITY(r) AS p, r[1] AS q, COUNT(*) AS c FROM (SELECT ARRAY[k, v] AS r FROM a) GROUP BY r

-- distinct_array
SELECT r[1] AS p, r[2] AS q FROM (SELECT DISTINCT ARRAY[k, v] AS r FROM a)

-- keys_binary
SELECT CAST(x AS STRING) AS xs, c FROM (SELECT CAST(s AS BYTES) AS x, COUNT(*) AS c FROM a GROUP BY CAST(s AS BYTES))

-- keys_ts
SELECT t, COUNT(*) AS c FROM (SELECT TIMESTAMPADD(DAY, v, TIMESTAMP '2024-01-31 00:00:00') AS t FROM a) GROUP BY t

-- max_ts
SELECT k, MAX(t) AS mt, MIN(t) AS it FROM (SELECT k, TIMESTAMPADD(DAY, v, TIMESTAMP '2024-01-31 00:00:00') AS t FROM a) GROUP BY k

-- max_date_dec
SELECT k, MAX(CAST(v AS DECIMAL(38, 18))) AS md, MIN(CAST(v AS TINYINT)) AS mt, MAX(CAST(v AS FLOAT)) AS mf FROM a GROUP BY k

-- topn_strings
SELECT * FROM (SELECT s, id, v, ROW_NUMBER() OVER (PARTITION BY v ORDER BY s DESC, id) AS rn FROM a WHERE s IS NOT NULL) WHERE rn <= 2

-- topn_no_part
SELECT * FROM (SELECT id, v, s, ROW_NUMBER() OVER (ORDER BY s, v DESC, id) AS rn FROM a WHERE s IS NOT NULL AND v IS NOT NULL) WHERE rn <= 10

-- topn_big
SELECT * FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY id) AS rn FROM a) WHERE rn <= 1000

-- topn_var
SELECT * FROM (SELECT id, v, k, ROW_NUMBER() OVER (PARTITION BY k ORDER BY id) AS rn FROM a) WHERE rn <= k

-- topn_dups
SELECT x, y, rn FROM (SELECT x, y, ROW_NUMBER() OVER (ORDER BY x DESC NULLS LAST, y NULLS FIRST) AS rn FROM d) WHERE rn <= 9

-- topn_dups_offset
SELECT x, y FROM (SELECT x, y, ROW_NUMBER() OVER (PARTITION BY x ORDER BY y NULLS FIRST) AS rn FROM d) WHERE rn > 2 AND rn <= 6

-- topn_join
SELECT q.id, q.rn, b.id AS bid FROM (SELECT id, k, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC, id) AS rn FROM a WHERE v IS NOT NULL) q JOIN b ON q.k = b.k AND q.rn = b.w WHERE q.rn <= 5

-- topn_left_join_pk
SELECT q.id, q.k, b.w FROM (SELECT id, k, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC, id) AS rn FROM ap WHERE v IS NOT NULL) q LEFT JOIN bp b ON q.id = b.id WHERE q.rn <= 2

-- topn_of_join_agg
SELECT * FROM (SELECT k, n, ROW_NUMBER() OVER (ORDER BY n DESC, k) AS rn FROM (SELECT a.k, COUNT(*) AS n FROM a JOIN b ON a.k = b.k GROUP BY a.k)) WHERE rn <= 2

-- topn_of_sum_retract
SELECT * FROM (SELECT k, n, ROW_NUMBER() OVER (ORDER BY n, k) AS rn FROM (SELECT k, SUM(v) AS n FROM ap WHERE v IS NOT NULL AND k IS NOT NULL GROUP BY k)) WHERE rn BETWEEN 2 AND 3

-- topn_of_sum_part
SELECT n, k FROM (SELECT k, s, n, ROW_NUMBER() OVER (PARTITION BY s ORDER BY n DESC, k) AS rn FROM (SELECT k, s, SUM(v) AS n FROM ap WHERE v IS NOT NULL AND k IS NOT NULL GROUP BY k, s)) WHERE rn = 1

-- topn_min_append
SELECT * FROM (SELECT k, n, ROW_NUMBER() OVER (ORDER BY n, k) AS rn FROM (SELECT MOD(id, 7) AS k, MIN(v) AS n FROM e WHERE v IS NOT NULL GROUP BY MOD(id, 7))) WHERE rn <= 3

-- topn_max_append_where
SELECT * FROM (SELECT k, n, ROW_NUMBER() OVER (ORDER BY n DESC, k) AS rn FROM (SELECT MOD(id, 7) AS k, COUNT(*) AS n FROM e GROUP BY MOD(id, 7)) WHERE n > 3 AND MOD(n, 2) = 0) WHERE rn <= 3

-- topn_count_asc_append
SELECT * FROM (SELECT k, n, ROW_NUMBER() OVER (ORDER BY n, k) AS rn FROM (SELECT MOD(id, 7) AS k, COUNT(*) AS n FROM e GROUP BY MOD(id, 7))) WHERE rn <= 3

-- topn_two_sums
SELECT k, n, m FROM (SELECT k, n, m, ROW_NUMBER() OVER (PARTITION BY MOD(k, 3) ORDER BY n DESC, k) AS rn FROM (SELECT MOD(id, 11) AS k, COUNT(*) AS n, SUM(v) AS m FROM e GROUP BY MOD(id, 11))) WHERE rn <= 2

-- agg_topn_agg
SELECT SUM(n) AS s, COUNT(*) AS c FROM (SELECT k, n FROM (SELECT k, n, ROW_NUMBER() OVER (ORDER BY n DESC, k) AS rn FROM (SELECT MOD(id, 11) AS k, COUNT(*) AS n FROM e GROUP BY MOD(id, 11))) WHERE rn <= 4)

-- filter_after_topn
SELECT k, id FROM (SELECT k, id, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC, id) AS rn FROM a WHERE v IS NOT NULL) WHERE rn <= 3 AND v > 4

-- proj_after_topn
SELECT DISTINCT v FROM (SELECT k, id, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC, id) AS rn FROM a WHERE v IS NOT NULL) WHERE rn <= 3

-- limit_union
SELECT id FROM (SELECT id FROM a UNION ALL SELECT id + 1000 FROM b) ORDER BY id LIMIT 6

-- limit_zero
SELECT id FROM a ORDER BY id LIMIT 0

-- dedup_two
SELECT k, v, id FROM (SELECT k, v, id, ROW_NUMBER() OVER (PARTITION BY k, v ORDER BY ts DESC) AS rn FROM e) WHERE rn <= 1

-- dedup_agg_chain
SELECT k, COUNT(*) AS c, SUM(v) AS sv FROM (SELECT k, v, id, ROW_NUMBER() OVER (PARTITION BY k, MOD(id, 4) ORDER BY ts DESC) AS rn FROM e) WHERE rn = 1 GROUP BY k

-- dedup_where
SELECT k, v, id FROM (SELECT k, v, id, ROW_NUMBER() OVER (PARTITION BY k, MOD(id, 4) ORDER BY ts DESC) AS rn FROM e) WHERE rn = 1 AND v > 3

-- dedup_first_join
SELECT x.id, y.id AS yid FROM (SELECT k, v, id, ROW_NUMBER() OVER (PARTITION BY v ORDER BY ts) AS rn FROM e) x JOIN (SELECT k, v, id, ROW_NUMBER() OVER (PARTITION BY v ORDER BY ts DESC) AS rn FROM e) y ON x.v = y.v WHERE x.rn = 1 AND y.rn = 1

-- dedup_full_join
SELECT x.id, x.v, y.id AS yid FROM (SELECT * FROM (SELECT k, v, id, ROW_NUMBER() OVER (PARTITION BY v ORDER BY ts DESC) AS rn FROM e) WHERE rn = 1) x FULL JOIN (SELECT * FROM (SELECT k, v, id, ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts DESC) AS rn FROM e) WHERE rn = 1) y ON x.id = y.id

-- dedup_anti
SELECT q.id FROM (SELECT * FROM (SELECT k, v, id, ROW_NUMBER() OVER (PARTITION BY k, MOD(id, 5) ORDER BY ts DESC) AS rn FROM e) WHERE rn = 1) q WHERE q.v NOT IN (SELECT w FROM b WHERE w IS NOT NULL AND w > 4)

-- semi_semi
SELECT id FROM a WHERE k IN (SELECT k FROM b WHERE w IN (SELECT x FROM d))

-- anti_semi
SELECT id FROM a WHERE k NOT IN (SELECT k FROM b WHERE k IS NOT NULL AND w IN (SELECT x FROM d WHERE y = 1))

-- not_in_tuple
SELECT id FROM a WHERE (k, v) NOT IN (SELECT k, w FROM b WHERE k IS NOT NULL AND w IS NOT NULL)

-- not_in_tuple_null
SELECT id FROM a WHERE (k, v) NOT IN (SELECT x, y FROM d WHERE x > 1)

-- semi_noneq_only
SELECT id FROM a WHERE EXISTS (SELECT 1 FROM d WHERE d.x > a.v)

-- anti_noneq_only
SELECT id FROM a WHERE NOT EXISTS (SELECT 1 FROM d WHERE d.x > a.v AND d.y <> a.k)

-- semi_null_safe
SELECT id FROM a WHERE EXISTS (SELECT 1 FROM d WHERE d.x IS NOT DISTINCT FROM a.v)

-- anti_null_safe
SELECT id FROM a WHERE NOT EXISTS (SELECT 1 FROM d WHERE d.x IS NOT DISTINCT FROM a.k)

-- semi_dup_left
SELECT x, y FROM d WHERE x IN (SELECT y FROM g)

-- anti_dup_left
SELECT x, y FROM d WHERE x NOT IN (SELECT y FROM g WHERE y IS NOT NULL AND x = 1)

-- exists_having
SELECT id FROM a WHERE EXISTS (SELECT k FROM b GROUP BY k HAVING COUNT(*) > 3 AND k = 2)

-- exists_group_corr
SELECT id FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.k = a.k GROUP BY b.t HAVING SUM(b.w) > 10)

-- scalar_in_having
SELECT k, COUNT(*) AS c FROM a GROUP BY k HAVING COUNT(*) > (SELECT COUNT(*) FROM d WHERE x = 1)

-- scalar_two
SELECT (SELECT COUNT(*) FROM a) AS n, (SELECT MAX(w) FROM b) AS m, COUNT(*) AS c FROM d

-- scalar_arith
SELECT id, v - (SELECT MIN(w) FROM b WHERE b.k = a.k) + (SELECT COUNT(*) FROM d WHERE d.x = a.k) AS z FROM a

-- scalar_case
SELECT id, CASE WHEN v > (SELECT MAX(w) FROM b WHERE b.t = a.s) THEN 'hi' ELSE 'lo' END AS z FROM a

-- in_agg_arg
SELECT k, COUNT(*) FILTER (WHERE f) AS c FROM (SELECT k, v IN (SELECT w FROM b WHERE t = 'y') AS f FROM a) GROUP BY k

-- in_join_on
SELECT a.id, b.id AS bid FROM a JOIN b ON a.k = b.k WHERE a.v IN (SELECT x FROM d) AND b.w NOT IN (SELECT y FROM g WHERE y IS NOT NULL)

-- exists_in_not
SELECT id FROM a WHERE NOT (EXISTS (SELECT 1 FROM b WHERE b.k = a.k AND b.t = 'x') AND v > 2)

-- in_is_null
SELECT id, (v IN (SELECT w FROM b WHERE t = 'z')) IS NULL AS n FROM a

-- in_const
SELECT id FROM a WHERE 3 IN (SELECT w FROM b WHERE b.k = a.k)

-- in_expr
SELECT id FROM a WHERE v + 1 IN (SELECT w - 1 FROM b WHERE b.k = a.k OR b.t = a.s)

-- any_some
SELECT id FROM a WHERE v = ANY (SELECT w FROM b)

-- outer_is_null
SELECT a.id FROM a LEFT JOIN b ON a.k = b.k AND b.w > 5 WHERE b.id IS NULL

-- outer_simplify
SELECT a.id, b.id AS bid FROM a LEFT JOIN b ON a.k = b.k WHERE b.w > 3

-- full_where
SELECT a.id, b.id AS bid FROM a FULL JOIN b ON a.k = b.k WHERE COALESCE(a.v, 0) > COALESCE(b.w, 3)

-- left_of_right
SELECT a.id, b.id AS bid, d.x FROM (a RIGHT JOIN b ON a.k = b.k) LEFT JOIN d ON a.v = d.x AND d.y = 1

-- full_full
SELECT p.k AS pk, q.k AS qk, r.x FROM (SELECT k, COUNT(*) AS c FROM a GROUP BY k) p FULL JOIN (SELECT k, COUNT(*) AS c FROM b GROUP BY k) q ON p.c = q.c FULL JOIN d r ON q.k = r.x

-- left_agg_right_agg_chain
SELECT z.c, COUNT(z.m) AS n FROM (SELECT x.c, y.m FROM (SELECT k, COUNT(*) AS c FROM a GROUP BY k) x LEFT JOIN (SELECT x AS k, MAX(y) AS m FROM d GROUP BY x) y ON x.k = y.k) z GROUP BY z.c

-- left_join_distinct
SELECT q.x, b.id FROM (SELECT DISTINCT x FROM d) q LEFT JOIN b ON q.x = b.w

-- self_full
SELECT p.id, q.id AS qid FROM a p FULL JOIN a q ON p.id = q.v

-- self_agg_join
SELECT a.id, a.v, q.av FROM a JOIN (SELECT k, SUM(v) AS av FROM a GROUP BY k) q ON a.k = q.k AND a.v * 3 > q.av

-- triangle
SELECT a.id, b.id AS bid, d.x FROM a, b, d WHERE a.k = b.k AND b.w = d.x AND d.y = a.v

-- four_way
SELECT a.id, b.id AS bid, d.y, g.y AS gy FROM a JOIN b ON a.id = b.id LEFT JOIN d ON d.x = a.k LEFT JOIN g ON g.x = d.y AND g.y = b.k

-- cross_noneq
SELECT p.k, q.k AS qk FROM (SELECT k, SUM(v) AS s FROM a GROUP BY k) p JOIN (SELECT k, SUM(w) AS s FROM b GROUP BY k) q ON p.s > q.s

-- left_noneq
SELECT p.k, q.k AS qk FROM (SELECT k, SUM(v) AS s FROM a GROUP BY k) p LEFT JOIN (SELECT k, SUM(w) AS s FROM b GROUP BY k) q ON p.s > q.s

-- full_noneq_pure
SELECT p.k, q.k AS qk FROM (SELECT k, SUM(v) AS s FROM a WHERE k > 2 GROUP BY k) p FULL JOIN (SELECT k, SUM(w) AS s FROM b GROUP BY k) q ON p.s < q.s - 10 AND p.k = q.k

-- union_distinct_agg
SELECT k, COUNT(*) AS c FROM (SELECT k FROM a UNION SELECT x FROM d UNION SELECT 99) GROUP BY k

-- union_of_topn
SELECT id FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY v DESC, id) AS rn FROM a WHERE v IS NOT NULL) WHERE rn <= 3 UNION ALL SELECT id FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY w, id) AS rn FROM b WHERE w IS NOT NULL) WHERE rn <= 3

-- intersect_aggs
SELECT k FROM (SELECT k, COUNT(*) AS c FROM a GROUP BY k) WHERE c > 6 INTERSECT SELECT k FROM b WHERE w > 4

-- except_nulls
SELECT k FROM a EXCEPT SELECT k FROM b WHERE w = 9

-- except_chain
SELECT k, v FROM a EXCEPT ALL SELECT x, y FROM d EXCEPT SELECT k, w FROM b

-- grouping_filter
SELECT x, y, COUNT(*) FILTER (WHERE y = 1) AS c, SUM(DISTINCT y) AS s, MAX(x) AS m FROM d GROUP BY GROUPING SETS ((x), (y), (x, y), ())

-- grouping_having
SELECT x, y, COUNT(*) AS c FROM d GROUP BY ROLLUP (x, y) HAVING COUNT(*) > 2

-- grouping_topn
SELECT * FROM (SELECT x, y, c, ROW_NUMBER() OVER (PARTITION BY gi ORDER BY c DESC, x NULLS FIRST, y NULLS FIRST) AS rn FROM (SELECT x, y, COUNT(*) AS c, GROUPING_ID(x, y) AS gi FROM d GROUP BY CUBE (x, y))) WHERE rn <= 2

-- group_by_ordinal_expr
SELECT MOD(id, 3) AS m, COUNT(*) AS c, SUM(v * 2) AS s FROM a GROUP BY MOD(id, 3)

-- distinct_filter_mix
SELECT k, COUNT(DISTINCT v) AS c1, COUNT(DISTINCT v) FILTER (WHERE s = 'x') AS c2, COUNT(DISTINCT v) FILTER (WHERE s = 'y') AS c3, SUM(DISTINCT v) FILTER (WHERE v > 2) AS c4, COUNT(DISTINCT s) AS c5 FROM a GROUP BY k

-- distinct_expr
SELECT COUNT(DISTINCT MOD(v, 3)) AS c, COUNT(DISTINCT CASE WHEN v > 3 THEN k END) AS c2 FROM a

-- minmax_filter
SELECT k, MIN(v) FILTER (WHERE s = 'x') AS mi, MAX(s) FILTER (WHERE v > 3) AS ma FROM a GROUP BY k

-- agg_agg_filter
SELECT COUNT(*) FILTER (WHERE c > 5) AS big, COUNT(*) FILTER (WHERE c <= 5) AS small, MAX(c) AS m, MIN(k) AS mk FROM (SELECT k, COUNT(*) AS c FROM a GROUP BY k)

-- agg_agg_distinct
SELECT COUNT(DISTINCT c) AS dc, SUM(DISTINCT c) AS sc FROM (SELECT k, s, COUNT(*) AS c FROM a GROUP BY k, s)

-- count_star_where_agg
SELECT c FROM (SELECT COUNT(*) AS c FROM a) WHERE c > 10

-- case_over_agg
SELECT k, CASE WHEN COUNT(*) > 6 THEN 'many' ELSE 'few' END AS z FROM a GROUP BY k

-- case_over_agg_agg
SELECT z, COUNT(*) AS n FROM (SELECT k, CASE WHEN COUNT(*) > 6 THEN 'many' ELSE 'few' END AS z FROM a GROUP BY k) GROUP BY z

-- sum_zero_null
SELECT k, SUM(v) AS s, SUM(CASE WHEN s = 'q' THEN v END) AS n FROM a GROUP BY k

-- listagg_filter_len
SELECT k, CHAR_LENGTH(LISTAGG(s, '|') FILTER (WHERE v > 2)) AS l FROM a GROUP BY k

-- array_agg_len
SELECT k, CARDINALITY(ARRAY_AGG(v)) AS l, CARDINALITY(ARRAY_AGG(DISTINCT v) FILTER (WHERE v IS NOT NULL)) AS dl FROM a GROUP BY k

-- collect_len
SELECT k, CARDINALITY(COLLECT(v)) AS l FROM a GROUP BY k

-- having_distinct
SELECT k FROM a GROUP BY k HAVING COUNT(DISTINCT v) > 3 AND COUNT(DISTINCT s) < 6

-- distinct_of_agg
SELECT DISTINCT c FROM (SELECT k, COUNT(*) AS c FROM a GROUP BY k)

-- over_multi_change
SELECT id, SUM(v) OVER (PARTITION BY s ORDER BY id) AS a1, COUNT(v) OVER (PARTITION BY s ORDER BY id) AS a2, MAX(v) OVER (PARTITION BY s ORDER BY id) AS a3 FROM a

-- over_then_agg
SELECT k, MAX(r) AS m FROM (SELECT k, SUM(v) OVER (PARTITION BY k ORDER BY id) AS r FROM a) GROUP BY k

-- over_then_topn
SELECT * FROM (SELECT id, r, ROW_NUMBER() OVER (ORDER BY r DESC, id) AS rn FROM (SELECT id, SUM(v) OVER (PARTITION BY k ORDER BY id) AS r FROM a) WHERE r IS NOT NULL) WHERE rn <= 5

-- over_append_nontime
SELECT id, SUM(v) OVER (PARTITION BY k ORDER BY v) AS a1 FROM e WHERE v IS NOT NULL

-- over_lag_changelog
SELECT id, LAG(id) OVER (PARTITION BY k ORDER BY id) AS p FROM a

-- over_first_last
SELECT id, FIRST_VALUE(v) OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) AS f, LAST_VALUE(v) OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) AS l FROM e

-- over_rank
SELECT id, ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts) AS p FROM e

-- over_rank_fns
SELECT id, RANK() OVER (PARTITION BY k ORDER BY v) AS p, DENSE_RANK() OVER (PARTITION BY k ORDER BY v) AS q FROM a WHERE v IS NOT NULL

-- over_avg_dec
SELECT id, SUM(CAST(v AS DECIMAL(10,2))) OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN 4 PRECEDING AND CURRENT ROW) AS p, AVG(CAST(v AS DOUBLE)) OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN 4 PRECEDING AND CURRENT ROW) AS q FROM e

-- unnest
SELECT a.id, u.x FROM a CROSS JOIN UNNEST(ARRAY[a.k, a.v, 0]) AS u (x) WHERE u.x > 2

-- unnest_left_agg
SELECT u.x, COUNT(*) AS c FROM a CROSS JOIN UNNEST(ARRAY[a.k, a.v]) AS u (x) GROUP BY u.x

-- recursive_views
CREATE TEMPORARY VIEW v1 AS SELECT k, COUNT(*) AS c FROM a GROUP BY k
;
CREATE TEMPORARY VIEW v2 AS SELECT c, COUNT(*) AS n FROM v1 GROUP BY c
;
SELECT v1.k, v1.c, v2.n FROM v1 JOIN v2 ON v1.c = v2.c

-- win_join_retract
SELECT w.k, w.c, q.m FROM (SELECT k, COUNT(*) AS c, window_end AS we FROM TABLE(TUMBLE(TABLE e, DESCRIPTOR(ts), INTERVAL '30' SECOND)) GROUP BY k, window_start, window_end) w LEFT JOIN (SELECT k, MAX(v) AS m FROM a GROUP BY k) q ON w.k = q.k

-- session_agg_agg
SELECT c, COUNT(*) AS n FROM (SELECT k, window_start, COUNT(*) AS c FROM TABLE(SESSION(TABLE e PARTITION BY k, DESCRIPTOR(ts), INTERVAL '3' SECOND)) GROUP BY k, window_start, window_end) GROUP BY c

-- const_group
SELECT 1 AS uno, COUNT(*) AS c FROM a GROUP BY 1

-- group_by_const_and_col
SELECT k, 'z' AS z, COUNT(*) AS c FROM a GROUP BY k, 'z'

-- having_no_group
SELECT COUNT(*) AS c FROM a HAVING COUNT(*) > 3

-- agg_of_null_only
SELECT SUM(CAST(NULL AS INT)) AS s, COUNT(CAST(NULL AS INT)) AS c, MAX(CAST(NULL AS STRING)) AS m FROM a

-- many_aggs_same
SELECT k, SUM(v) AS s1, SUM(v) AS s2, SUM(v) + COUNT(v) AS s3, SUM(v) / COUNT(*) AS s4 FROM a GROUP BY k

-- order_by_agg_limit
SELECT k, COUNT(*) AS c FROM a GROUP BY k ORDER BY c DESC, k NULLS FIRST LIMIT 3

-- order_limit_hidden
SELECT id FROM a WHERE v IS NOT NULL ORDER BY v * -1, id LIMIT 4

-- distinct_limit
SELECT DISTINCT v FROM a WHERE v IS NOT NULL ORDER BY v DESC LIMIT 3

-- distinct_on_null_rows
SELECT DISTINCT x, CAST(NULL AS STRING) AS n FROM d

-- full_on_true
SELECT p.x, q.y FROM (SELECT MAX(x) AS x FROM d WHERE x < 3) p FULL JOIN (SELECT MIN(y) AS y FROM g) q ON TRUE

-- approx
SELECT x, COUNT(*) AS c FROM (SELECT x, y FROM d UNION ALL SELECT x, y FROM d) GROUP BY x

-- alt_pk_agg
SELECT id, SUM(v) AS s, COUNT(*) AS c FROM ap GROUP BY id

-- pk_agg_join
SELECT q.id, q.c, b.w FROM (SELECT k AS id, COUNT(*) AS c FROM ap WHERE k IS NOT NULL GROUP BY k) q JOIN bp b ON q.id = b.id

-- pk_proj_join
SELECT x.idk, b.t FROM (SELECT id * 1 AS idk, k FROM ap) x LEFT JOIN bp b ON x.k = b.id

-- pk_semi
SELECT id, v FROM ap WHERE id IN (SELECT k FROM bp)

-- pk_anti
SELECT id, v FROM ap WHERE NOT EXISTS (SELECT 1 FROM bp WHERE bp.id = ap.id AND bp.w > ap.v)

-- pk_union
SELECT id, v FROM ap UNION ALL SELECT id, w FROM bp

-- pk_except
SELECT id FROM ap EXCEPT SELECT id FROM bp WHERE w > 3

-- pk_topn_join
SELECT q.k, q.id, b.w FROM (SELECT k, id, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC, id) AS rn FROM ap WHERE v IS NOT NULL) q LEFT JOIN bp b ON q.id = b.id WHERE q.rn = 1

-- by_group key=kk
SELECT COALESCE(k, -1) AS kk, COUNT(*) AS c, MAX(v) AS m FROM a GROUP BY COALESCE(k, -1)

-- by_join key=id,bid
SELECT a.id, b.id AS bid, a.v FROM a JOIN b ON a.k = b.k

-- by_left_agg key=id
SELECT a.id, a.v, q.c FROM ap a LEFT JOIN (SELECT k, COUNT(*) AS c FROM b GROUP BY k) q ON a.k = q.k

-- by_rank key=rn
SELECT rn, id, v FROM (SELECT id, v, ROW_NUMBER() OVER (ORDER BY v DESC, id) AS rn FROM a WHERE v IS NOT NULL) WHERE rn <= 5

-- by_ranked_row key=id
SELECT id, v, rn FROM (SELECT id, v, ROW_NUMBER() OVER (ORDER BY v DESC, id) AS rn FROM a WHERE v IS NOT NULL) WHERE rn <= 5

-- by_partition_rank key=kk,rn
SELECT kk, rn, id FROM (SELECT id, COALESCE(k, -1) AS kk, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC, id) AS rn FROM a WHERE v IS NOT NULL) WHERE rn <= 3

-- by_top_row key=id
SELECT id, k, v FROM (SELECT id, k, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC, id) AS rn FROM a WHERE v IS NOT NULL) WHERE rn <= 2

-- by_first_of_group key=id
SELECT id, k, v FROM (SELECT id, k, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC, id) AS rn FROM ap WHERE v IS NOT NULL) WHERE rn = 1

-- by_dedup_key key=k
SELECT k, id, v FROM (SELECT id, k, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts DESC) AS rn FROM e) WHERE rn = 1

-- by_dedup_row key=id
SELECT id, k, v FROM (SELECT id, k, v, ROW_NUMBER() OVER (PARTITION BY k, MOD(id, 3) ORDER BY ts DESC) AS rn FROM e) WHERE rn = 1

-- by_source_key key=id
SELECT id, k, v FROM ap

-- by_source_key_filter key=id
SELECT id, v FROM ap WHERE v > 3

-- by_key_join key=id
SELECT ap.id, ap.v, bp.w FROM ap JOIN bp ON ap.id = bp.id WHERE ap.v > bp.w

-- by_key_left_join key=id
SELECT ap.id, ap.v, bp.w FROM ap LEFT JOIN bp ON ap.id = bp.id AND bp.w > 3

-- by_foreign_key_join key=id
SELECT ap.id, ap.k, bp.t FROM ap JOIN bp ON ap.k = bp.id

-- by_count key=c
SELECT c, COUNT(*) AS n, MAX(k) AS m FROM (SELECT k, COUNT(*) AS c FROM a GROUP BY k) GROUP BY c

-- by_semi key=id
SELECT id, v FROM ap WHERE k IN (SELECT k FROM b WHERE w > 3)

-- by_anti key=id
SELECT id, v FROM ap WHERE NOT EXISTS (SELECT 1 FROM b WHERE b.k = ap.k AND b.w > ap.v)

-- by_over key=id
SELECT id, k, SUM(v) OVER (PARTITION BY k ORDER BY id) AS sv FROM ap

-- by_scalar key=id
SELECT id, (SELECT MAX(w) FROM b WHERE b.k = ap.k) AS m FROM ap

-- by_case key=z
SELECT z, COUNT(*) AS n FROM (SELECT CASE WHEN COUNT(*) > 6 THEN 'many' ELSE 'few' END AS z FROM a GROUP BY k) GROUP BY z

-- by_lost_key key=m
SELECT id * 2 AS m, v FROM ap

-- by_agg_of_agg_join key=kk
SELECT x.kk, x.c, y.m FROM (SELECT COALESCE(k, -1) AS kk, COUNT(*) AS c FROM a GROUP BY COALESCE(k, -1)) x LEFT JOIN (SELECT COALESCE(k, -1) AS kk, MAX(w) AS m FROM b GROUP BY COALESCE(k, -1)) y ON x.kk = y.kk

-- by_union_key key=src,id
SELECT 1 AS src, id, v FROM ap UNION ALL SELECT 2, id, w FROM bp

-- not_of_tuple_in
SELECT id FROM a WHERE NOT ((k, v) IN (SELECT x, y FROM d) OR v > 5)

-- tuple_in_or
SELECT id FROM a WHERE (k, v) IN (SELECT x, y FROM d) OR s = 'x'

-- tuple_not_in_correlated
SELECT id FROM a WHERE (k, v) NOT IN (SELECT k, w FROM b WHERE b.t = a.s)

-- ranked_join
SELECT q.id, q.rn, b.w FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY v DESC, id) AS rn FROM ap WHERE v IS NOT NULL) q JOIN bp b ON q.id = b.id WHERE q.rn <= 5

-- ranked_left_join
SELECT b.id, b.w, q.rn FROM bp b LEFT JOIN (SELECT * FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY v DESC, id) AS rn FROM ap WHERE v IS NOT NULL) WHERE rn <= 5) q ON q.id = b.id

-- ranked_part_join
SELECT q.id, q.rn, b.w FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC, id) AS rn FROM ap WHERE v IS NOT NULL) q JOIN bp b ON q.id = b.id WHERE q.rn <= 2

-- ranked_agg
SELECT id, MAX(rn) AS m, COUNT(*) AS c FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY v DESC, id) AS rn FROM ap WHERE v IS NOT NULL) WHERE rn <= 5 GROUP BY id

-- ranked_topn
SELECT id, rn, r2 FROM (SELECT id, rn, ROW_NUMBER() OVER (PARTITION BY MOD(id, 2) ORDER BY rn DESC) AS r2 FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY v DESC, id) AS rn FROM ap WHERE v IS NOT NULL) WHERE rn <= 7) WHERE r2 <= 2

-- ranked_count_join
SELECT q.k, q.rn, q.n, b.w FROM (SELECT k, n, ROW_NUMBER() OVER (ORDER BY n DESC, k) AS rn FROM (SELECT MOD(id, 7) AS k, COUNT(*) AS n FROM e GROUP BY MOD(id, 7))) q LEFT JOIN bp b ON q.k = b.id WHERE q.rn <= 3
