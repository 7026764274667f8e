#!/usr/bin/env python3
"""Recomputes the results of flights.sql without Headwater: recompute.py writes hourly.txt, weather.txt, worst.txt here."""
import collections, csv, datetime as dt, decimal, gzip, os

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "..", "data")


def rows(name):
    with gzip.open(os.path.join(DATA, name), "rt") as file:
        yield from csv.reader(file)


def rounded(value, places):
    """Half up on the shortest decimal text of the double, as SQL's ROUND does."""
    exact = decimal.Decimal(repr(value))
    return float(exact.quantize(decimal.Decimal(1).scaleb(-places), decimal.ROUND_HALF_UP))


def stamp(text):
    return dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")


hours, days = collections.defaultdict(list), collections.defaultdict(list)
for r in rows("flights-2013-01.csv.gz"):
    if r[3] == "NA":
        continue
    scheduled = stamp(r[18]) + dt.timedelta(minutes=int(r[17]))
    hours[scheduled.replace(minute=0), r[12]].append(int(r[5]))
    days[scheduled.date(), r[9]].append(int(r[5]))

weather = collections.defaultdict(list)
for r in rows("weather-2013-01.csv.gz"):
    weather[stamp(r[14]), r[0]].append([None if v == "NA" else float(v) for v in (r[9], r[13], r[11])])

hourly, joined = [], []
for (hour, origin), delays in hours.items():
    average = rounded(sum(delays) / len(delays), 2)
    late = sum(d > 15 for d in delays)
    hourly.append(f'"{hour}",{origin},{len(delays)},{late},{average},{max(delays)}')
    if (hour, origin) in weather:
        def known(i, pick):
            values = [w[i] for w in weather[hour, origin] if w[i] is not None]
            return pick(values) if values else None
        def text(value):
            return "null" if value is None else repr(value)
        joined.append(
            f'{{"window_start":"{hour}","origin":"{origin}","flights":{len(delays)},"avg_delay":{average},'
            f'"wind":{text(known(0, max))},"visibility":{text(known(1, min))},"rain":{text(known(2, sum))}}}'
        )

worst = []
by_day = collections.defaultdict(list)
for (day, carrier), delays in days.items():
    if len(delays) >= 20:
        by_day[day].append((-rounded(sum(delays) / len(delays), 1), carrier, len(delays)))
for day, carriers in by_day.items():
    for place, (average, carrier, flights) in enumerate(sorted(carriers)[:3], 1):
        worst.append(f"+I[{day}, {place}, {carrier}, {flights}, {-average}]")

for name, lines in (("hourly", hourly), ("weather", joined), ("worst", worst)):
    with open(os.path.join(HERE, name + ".txt"), "w") as file:
        file.writelines(line + "\n" for line in sorted(lines))
