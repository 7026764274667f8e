"""What the package flink-sql-gateway-api can do with a gateway: one JSON object a line."""
import json
import sys
import time

from flink_gateway_api import Client
from flink_gateway_api.api.default import (cancel_operation, close_operation, close_session, complete_statement,
                                           configure_session, execute_statement, fetch_results, get_api_version,
                                           get_info, get_operation_status, get_session_config, open_session,
                                           trigger_session)
from flink_gateway_api.models import (CompleteStatementRequestBody, ConfigureSessionRequestBody,
                                      ExecuteStatementRequestBody, OpenSessionRequestBody,
                                      OpenSessionRequestBodyProperties)
from flink_gateway_api.models.row_format import RowFormat

client = Client(base_url=sys.argv[1] + "/v3")


def check(name, call, expected):
    try:
        found = call()
    except Exception as error:  # whatever a package throws is a finding
        found = f"{type(error).__name__}: {error}"
    ok = expected(found)
    print(json.dumps({"check": name, "ok": bool(ok), "detail": "" if ok else f"found {found!r}"}), flush=True)


def run(statement):
    body = ExecuteStatementRequestBody(statement=statement)
    return execute_statement.sync(session, client=client, body=body).operation_handle


def pages(operation):
    """All rows. The package cannot read Flink's rows into its own classes, so this reads the bytes that it got."""
    rows, token = [], 0
    while True:
        kwargs = fetch_results._get_kwargs(session, operation, token, row_format=RowFormat.JSON)
        response = client.get_httpx_client().request(**kwargs)
        page = response.json()
        if response.status_code != 200:
            raise RuntimeError(page["errors"][-1])
        if page["resultType"] == "NOT_READY":
            continue
        rows += [row["fields"] for row in page["results"]["data"]]
        if page["resultType"] == "EOS":
            return rows
        token += 1


check("info", lambda: get_info.sync(client=client).product_name, lambda found: found == "Headwater")
check("API versions", lambda: get_api_version.sync(client=client).versions, lambda found: "V3" in found)
properties = OpenSessionRequestBodyProperties.from_dict({"pipeline.name": "of python"})
session = open_session.sync(client=client, body=OpenSessionRequestBody(session_name="compat", properties=properties)).session_handle
check("open a session", lambda: session, lambda found: len(found) == 36)
check("its configuration", lambda: get_session_config.sync(session, client=client).properties.to_dict(),
      lambda found: found["pipeline.name"] == "of python")
check("heartbeat", lambda: trigger_session.sync_detailed(session, client=client).status_code, lambda found: found == 200)
declare = ConfigureSessionRequestBody(
    statement="CREATE TABLE orders (id INT) WITH ('connector' = 'datagen', 'number-of-rows' = '2')")
check("configure the session", lambda: configure_session.sync_detailed(session, client=client, body=declare).status_code,
      lambda found: found == 200)
check("rows of a query", lambda: pages(run("SELECT 1 FROM orders")), lambda found: found == [[1], [1]])
check("an error says why", lambda: pages(run("SELECT * FROM nowhere")), lambda found: "unknown table 'nowhere'" in found)
body = CompleteStatementRequestBody(statement="SELECT * FROM ord", position=17)
check("completion", lambda: complete_statement.sync(session, client=client, body=body).candidates,
      lambda found: "orders" in found)
run("CREATE TABLE endless (id BIGINT) WITH ('connector' = 'datagen')")
endless = run("SELECT id FROM endless")
while get_operation_status.sync(session, endless, client=client).status == "PENDING":
    time.sleep(0.01)
check("status of an operation", lambda: get_operation_status.sync(session, endless, client=client).status,
      lambda found: found in ("RUNNING", "FINISHED"))
check("cancel an operation", lambda: cancel_operation.sync(session, endless, client=client).status,
      lambda found: found == "CANCELED")
check("close an operation", lambda: close_operation.sync(session, endless, client=client).status,
      lambda found: found == "CLOSED")
check("close the session", lambda: close_session.sync(session, client=client).status, lambda found: found == "CLOSED")
