-- One month of departures from New York's three airports (January 2013, 27,004 flights).
--
-- The file is in the order in which flights left the gate, but the event time of a row is when the flight was
-- scheduled to leave: every delay is real disorder, up to 21 hours of it. The watermark waits a day, so that no
-- flight is late; wait less, and Headwater counts what it drops and says so at the end.

CREATE TEMPORARY TABLE flights (
  `year` INT, `month` INT, `day` INT,
  dep_time INT, sched_dep_time INT, dep_delay INT,
  arr_time INT, sched_arr_time INT, arr_delay INT,
  carrier STRING, flight INT, tailnum STRING, origin STRING, dest STRING,
  air_time INT, distance INT, `hour` INT, `minute` INT,
  time_hour STRING,
  scheduled AS TIMESTAMPADD(MINUTE, `minute`, TO_TIMESTAMP(time_hour, 'yyyy-MM-dd''T''HH:mm:ss''Z''')),
  WATERMARK FOR scheduled AS scheduled - INTERVAL '1' DAY
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/flights-2013-01.csv.gz',
  'format' = 'csv', 'csv.null-literal' = 'NA'
);

-- Hourly weather at the same airports.
CREATE TEMPORARY TABLE weather (
  origin STRING, `year` INT, `month` INT, `day` INT, `hour` INT,
  temp DOUBLE, dewp DOUBLE, humid DOUBLE, wind_dir INT, wind_speed DOUBLE, wind_gust DOUBLE,
  precip DOUBLE, pressure DOUBLE, visib DOUBLE,
  time_hour STRING,
  observed AS TO_TIMESTAMP(time_hour, 'yyyy-MM-dd''T''HH:mm:ss''Z'''),
  WATERMARK FOR observed AS observed - INTERVAL '1' HOUR
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/weather-2013-01.csv.gz',
  'format' = 'csv', 'csv.null-literal' = 'NA'
);


-- Departures per airport and hour. Cancelled flights have no departure.
CREATE TEMPORARY VIEW departures AS
SELECT origin, carrier, dep_delay, scheduled FROM flights WHERE dep_time IS NOT NULL;

CREATE TEMPORARY VIEW hourly AS
SELECT window_start, window_end, origin,
       COUNT(*) AS flights,
       COUNT(*) FILTER (WHERE dep_delay > 15) AS late,
       AVG(CAST(dep_delay AS DOUBLE)) AS avg_delay,
       MAX(dep_delay) AS max_delay
FROM TABLE(TUMBLE(TABLE departures, DESCRIPTOR(scheduled), INTERVAL '1' HOUR))
GROUP BY window_start, window_end, origin;

CREATE TEMPORARY VIEW hourly_weather AS
SELECT window_start, window_end, origin, MAX(wind_speed) AS wind, MIN(visib) AS visibility, SUM(precip) AS rain
FROM TABLE(TUMBLE(TABLE weather, DESCRIPTOR(observed), INTERVAL '1' HOUR))
GROUP BY window_start, window_end, origin;

-- The airlines' day: a window Top-N over a window aggregate.
CREATE TEMPORARY VIEW daily_carrier AS
SELECT window_start, window_end, carrier, COUNT(*) AS flights, ROUND(AVG(CAST(dep_delay AS DOUBLE)), 1) AS avg_delay
FROM TABLE(TUMBLE(TABLE departures, DESCRIPTOR(scheduled), INTERVAL '1' DAY))
GROUP BY window_start, window_end, carrier;

CREATE TEMPORARY TABLE hourly_out (
  window_start TIMESTAMP(3), origin STRING, flights BIGINT, late BIGINT, avg_delay DOUBLE, max_delay INT
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/hourly', 'format' = 'csv');

CREATE TEMPORARY TABLE weather_out (
  window_start TIMESTAMP(3), origin STRING, flights BIGINT, avg_delay DOUBLE,
  wind DOUBLE, visibility DOUBLE, rain DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/weather', 'format' = 'json');

CREATE TEMPORARY TABLE worst_out (
  `day` DATE, place BIGINT, carrier STRING, flights BIGINT, avg_delay DOUBLE
) WITH ('connector' = 'print');

-- One job, three sinks: the flights are read and parsed once.
EXECUTE STATEMENT SET BEGIN
  INSERT INTO hourly_out
  SELECT window_start, origin, flights, late, ROUND(avg_delay, 2), max_delay FROM hourly;

  INSERT INTO weather_out
  SELECT h.window_start, h.origin, h.flights, ROUND(h.avg_delay, 2), w.wind, w.visibility, w.rain
  FROM hourly h JOIN hourly_weather w
    ON h.window_start = w.window_start AND h.window_end = w.window_end AND h.origin = w.origin;

  INSERT INTO worst_out
  SELECT CAST(window_start AS DATE), place, carrier, flights, avg_delay
  FROM (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY avg_delay DESC, carrier) AS place
    FROM daily_carrier WHERE flights >= 20
  ) WHERE place <= 3;
END;
