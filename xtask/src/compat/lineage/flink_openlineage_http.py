# A job that goes on until it is cancelled.

import uuid

server, late = Api(facts["server"]), Api(facts["late"])
PREFIX = "insert-into_default_catalog.default_database."
COLUMNS = {"id": "BIGINT", "amount": "INT"}


def flink(path, method="GET"):
    with urllib.request.urlopen(urllib.request.Request(facts["rest"] + path, method=method), timeout=10) as answer:
        return json.load(answer)


def running():
    jobs = [job for job in flink("/jobs/overview")["jobs"] if job["name"] == PREFIX + "large_orders"]
    return jobs[0] if jobs and jobs[0]["tasks"]["running"] > 0 else "the job does not run"


def shifted(events):
    """The same run, as if it had begun three hours ago."""
    began = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=3)
    bits = (int(began.timestamp() * 1000) << 80) | (7 << 76) | (2 << 62) | (uuid.uuid4().int >> 66)
    for event in events:
        event["run"]["runId"] = str(uuid.UUID(int=bits))
        if event["eventType"] == "START":
            event["eventTime"] = iso(began)
    return events


def told(api):
    """The events of the run so far, when there are some after the first."""
    with urllib.request.urlopen(api.base + "/v1/events/export", timeout=30) as answer:
        events = [json.loads(line) for line in answer.read().decode().splitlines() if line]
    events = [event for event in events if event["run"]["runId"] == run["id"]]
    later = [event for event in events if event["eventType"] == "RUNNING"]
    return wrong_unless(len(later) >= 3, events, "RUNNING events are missing")


job_at_flink = check("Flink runs the job", running)
job = job_of(server, PREFIX + "large_orders")
run = run_of(server, job, "STARTED")
operation_of(server, run, PREFIX + "large_orders", "STREAMING", "STARTED")
check("the run is the job of Flink", lambda: wrong_unless(run["data"]["external_id"] == job_at_flink["jid"], run, "id"), 0)
log_links(run, facts["rest"])
events = check("events of checkpoints", lambda: told(server))
bare = [event for event in events if event["eventType"] != "START" and not event.get("inputs")]
check("Flink names datasets in the first event only", lambda: wrong_unless(bare, events, "none is bare"), 0)
answer = lineage_of(server, "jobs", job["id"], ["orders"], ["large_orders"], ago(days=1), "lineage of the job")
schemas(answer, {"orders": COLUMNS, "large_orders": COLUMNS})
began = datetime.datetime.fromisoformat(run["data"]["started_at"].replace("Z", "+00:00"))
lineage_of(server, "jobs", job["id"], ["orders"], ["large_orders"], iso(began + datetime.timedelta(seconds=2)),
           "lineage since a moment after the first event")
dataset = check("dataset orders", lambda: named(server.items("/v1/datasets", page_size=50), "orders") or "not there")
made = "default_catalog.default_database.made"
lineage_of(server, "datasets", dataset["id"], [made, "orders"], ["orders", "large_orders"], ago(days=1),
           "lineage of the dataset", granularity="JOB", depth=2)
fill = job_of(server, PREFIX + "orders")
run_of(server, fill, "SUCCEEDED")
lineage_of(server, "jobs", fill["id"], [made], ["orders"], ago(days=1),
           "a dataset without namespace does not cost the others")

late.post("/v1/openlineage", shifted(events))
old = job_of(late, PREFIX + "large_orders")
old_run = run_of(late, old, "STARTED")
check("a run that began three hours ago is in the list of the last hour",
      lambda: wrong_unless(late.items("/v1/runs", job_id=old["id"], since=ago(hours=1)), None, "no run"), 5)
check("its operation too",
      lambda: wrong_unless(late.items("/v1/operations", run_id=old_run["id"], since=ago(hours=1)), None, "none"), 5)
lineage_of(late, "jobs", old["id"], ["orders"], ["large_orders"], ago(hours=1), "its lineage of the last hour")
lineage_of(late, "runs", old_run["id"], ["orders"], ["large_orders"], ago(hours=1), "the run's lineage of the last hour",
           granularity="OPERATION")

flink(f"/jobs/{job_at_flink['jid']}?mode=cancel", "PATCH")
run_of(server, job, "KILLED")
operation_of(server, run, PREFIX + "large_orders", "STREAMING", "KILLED")
check("nothing is in quarantine", lambda: wrong_unless(not server.items("/v1/quarantine"), server.items("/v1/quarantine"), "bad"), 0)
