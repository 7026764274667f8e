"""What the package py-flink-sql-gateway, a DB-API driver, can do with a gateway: one JSON object a line."""
import json
import sys

import flink_gateway


def check(name, call, expected):
    try:
        found = call()
    except Exception as error:  # whatever a package throws is a finding
        found = f"{type(error).__name__}: {error}"
    ok = expected(found)
    print(json.dumps({"check": name, "ok": bool(ok), "detail": "" if ok else f"found {found!r}"}), flush=True)


connection = flink_gateway.connect(sys.argv[1])
cursor = connection.cursor()


def rows(statement):
    cursor.execute(statement)
    return [tuple(row) for row in cursor.fetchall()]


table = "CREATE TABLE orders (id INT) WITH ('connector' = 'datagen', 'number-of-rows' = '2')"
check("CREATE TABLE", lambda: cursor.execute(table), lambda found: "Error" not in str(found))
check("rows of a query", lambda: rows("SELECT 1 AS n, 'x' AS x FROM orders"), lambda found: found == [(1, "x"), (1, "x")])
check("names of columns", lambda: [column[0] for column in cursor.description], lambda found: found == ["n", "x"])
check("SHOW TABLES", lambda: rows("SHOW TABLES"), lambda found: ("orders",) in found)
check("an error says why", lambda: rows("SELECT * FROM nowhere"), lambda found: "unknown table 'nowhere'" in str(found))
check("close", lambda: connection.close(), lambda found: found is None)
