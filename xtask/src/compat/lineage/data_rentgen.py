# Runs jobs of Headwater whose events go to Data.Rentgen, and asks it.

import os
import signal
import subprocess
import uuid

api = Api(facts["server"], user="somebody")
# Where a JobManager's pages would be: the namespace makes the links.
NAMESPACE = "http://localhost:8081"
TABLES = f"""
CREATE TABLE orders (id BIGINT, customer BIGINT, amount INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)
  WITH ('connector' = 'datagen', 'number-of-rows' = '500', 'rows-per-second' = '1000000',
        'fields.customer.min' = '1', 'fields.customer.max' = '9');
CREATE TABLE customers (id BIGINT, name STRING)
  WITH ('connector' = 'datagen', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '9');
CREATE TABLE revenue (minute_start TIMESTAMP(3), amount INT)
  WITH ('connector' = 'filesystem', 'format' = 'csv', 'path' = '{facts["files"]}/revenue');
CREATE TABLE enriched (id BIGINT, name STRING)
  WITH ('connector' = 'filesystem', 'format' = 'csv', 'path' = '{facts["files"]}/enriched');
CREATE TABLE endless (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '100');
CREATE TABLE nothing (id BIGINT) WITH ('connector' = 'blackhole');
"""
SET = """
EXECUTE STATEMENT SET BEGIN
  INSERT INTO revenue SELECT window_start, SUM(amount)
    FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end;
  INSERT INTO enriched SELECT o.id, UPPER(c.name) FROM orders AS o JOIN customers AS c ON o.customer = c.id;
END;
"""
KAFKA = {"type": "kafka", "topicName": facts["topic"], "properties.bootstrap.servers": facts["kafka"]}
PATH = "default_catalog.default_database."


def headwater(name, statements, transport, **environment):
    """A started `headwater sql` whose job is called so."""
    path = os.path.join(facts["files"], name + ".sql")
    with open(path, "w") as file:
        file.write(f"SET 'pipeline.name' = '{name}';\n{TABLES}\n{statements}")
    settings = {"job.namespace": NAMESPACE, "job.owners.team": "data", "job.tags": "[tier:gold]"}
    settings.update({"transport." + key: value for key, value in transport.items()})
    defines = [word for key, value in settings.items() for word in ("-D", f"openlineage.{key}={value}")]
    command = [facts["headwater"], "sql", "-f", path, *defines]
    return subprocess.Popen(command, env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finished(process):
    printed = process.communicate(timeout=120)[0]
    return wrong_unless(process.returncode == 0, {"printed": printed}, "it failed")


def columns(answer):
    """source.column -> target.column KINDS, of a lineage answer."""
    name = {at: node["name"].rsplit("/", 1)[-1].rsplit(".", 1)[-1] for at, node in answer["nodes"]["datasets"].items()}
    found = set()
    for edge in answer["relations"]["direct_column_lineage"]:
        for target, sources in edge["fields"].items():
            for source in sources:
                found.add(f"{name[edge['from']['id']]}.{source['field']} -> {name[edge['to']['id']]}.{target} "
                          + "+".join(sorted(source["types"])))
    for edge in answer["relations"]["indirect_column_lineage"]:
        for source in edge["fields"]:
            found.add(f"{name[edge['from']['id']]}.{source['field']} -> {name[edge['to']['id']]} "
                      + "+".join(sorted(source["types"])))
    return found


COLUMNS = {
    "orders.ts -> revenue.minute_start TRANSFORMATION",
    "orders.amount -> revenue.amount AGGREGATION",
    "orders.ts -> revenue GROUP_BY+WINDOW",
    "orders.id -> enriched.id IDENTITY",
    "customers.name -> enriched.name TRANSFORMATION",
    "orders.customer -> enriched FILTER+JOIN",
    "customers.id -> enriched FILTER+JOIN",
}


def shows(name):
    """All that there is to see of a finished job of the statement set."""
    job = job_of(api, name)
    run = run_of(api, job, "SUCCEEDED")
    operation_of(api, run, name, "BATCH", "SUCCEEDED")
    log_links(run, NAMESPACE)
    outputs = [facts["files"] + "/revenue", facts["files"] + "/enriched"]
    answer = lineage_of(api, "jobs", job["id"], [PATH + "orders", PATH + "customers"], outputs, ago(hours=2),
                        "lineage of the job", include_column_lineage="true")
    check("column lineage", lambda: wrong_unless(columns(answer) == COLUMNS, sorted(columns(answer)), "columns"), 0)
    schemas(answer, {outputs[0]: {"minute_start": "TIMESTAMP(3)", "amount": "INT"},
                     PATH + "customers": {"id": "BIGINT", "name": "STRING"}})
    rows = {edge["num_rows"] for edge in answer["relations"]["inputs"]}
    check("rows that were read", lambda: wrong_unless(rows == {500, 9}, sorted(rows), "rows"), 0)
    tags = {tag["name"]: [value["value"] for value in tag["values"]] for tag in job["tags"]}
    check("tags of the job", lambda: wrong_unless(tags.get("tier") == ["gold"], tags, "tags"), 0)
    return run


check("a job whose events go through Kafka", lambda: finished(headwater("revenue through kafka", SET, KAFKA)), 0)
shows("revenue through kafka")

tomorrow = (datetime.date.today() + datetime.timedelta(days=1)).isoformat()
token = api.post("/v1/personal-tokens", {"name": "headwater", "until": tomorrow})["content"]
http = {"type": "http", "url": facts["gateway"], "endpoint": "/v1/openlineage", "compression": "gzip",
        "auth.type": "api_key"}
check("a job whose events go over HTTP",
      lambda: finished(headwater("revenue over http", SET, http, OPENLINEAGE_API_KEY=token)), 0)
shows("revenue over http")

# Data.Rentgen keeps runs by the time in their ids, and has room for this month and the next only.
parent_run = str(uuid.UUID(int=(int(time.time() * 1000) << 80) | (7 << 76) | (2 << 62) | (uuid.uuid4().int >> 66)))
# A job whose checkpoints are kept is cancelled by an interrupt.
keep = f"SET 'execution.checkpointing.interval' = '1s'; SET 'execution.checkpointing.dir' = '{facts['files']}/checkpoints';"
process = headwater("endless", f"{keep} INSERT INTO nothing SELECT id FROM endless;",
                    KAFKA, OPENLINEAGE_PARENT_ID=f"scheduler/nightly/{parent_run}")
try:
    job = job_of(api, "endless")
    run = run_of(api, job, "STARTED")
    operation_of(api, run, "endless", "STREAMING", "STARTED")
    log_links(run, NAMESPACE)
    lineage_of(api, "jobs", job["id"], [PATH + "endless"], [PATH + "nothing"], ago(hours=2), "lineage while it runs")
    found = run["data"]["parent_run_id"]
    check("its parent run", lambda: wrong_unless(found == parent_run, [found], "parent"), 0)
finally:
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
run_of(api, job, "KILLED")
operation_of(api, run, "endless", "STREAMING", "KILLED")
