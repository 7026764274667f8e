"""The package flink-rest-client against a cluster: every call it has. Prints a JSON object for each."""

import json
import sys
import time

from flink_rest_client import FlinkRestClient

address, job, savepoints = sys.argv[1:4]
host, port = address.split(":")
client = FlinkRestClient.get(host=host, port=int(port))


def check(name, call, expect=lambda answer: answer is not None):
    try:
        answer = call()
        ok = bool(expect(answer))
        print(json.dumps({"check": name, "ok": ok, "detail": "" if ok else "answered " + str(answer)[:300]}))
        return answer
    except Exception as error:
        print(json.dumps({"check": name, "ok": False, "detail": repr(error)[:300]}))


def refused(name, call, text):
    try:
        print(json.dumps({"check": name, "ok": False, "detail": "it was not refused: " + str(call())[:200]}))
    except Exception as error:
        print(json.dumps({"check": name, "ok": text in str(error), "detail": repr(error)[:300]}))


def ended(trigger):
    for _ in range(300):
        status = trigger.status
        if status["status"]["id"] == "COMPLETED":
            return status
        time.sleep(0.1)
    raise TimeoutError("the operation does not end")


check("overview", client.overview, lambda answer: answer["taskmanagers"] == 2)
check("config", client.config, lambda answer: answer["flink-version"].startswith("2."))
check("datasets", client.datasets, lambda answer: answer == [])

jobmanager = client.jobmanager
check("jobmanager.config", jobmanager.config)
logs = check("jobmanager.logs", jobmanager.logs, lambda answer: any(log["name"] == "jobmanager.log" for log in answer))
check("jobmanager.metric_names", jobmanager.metric_names, lambda answer: "taskSlotsTotal" in answer)
check("jobmanager.metrics", jobmanager.metrics, lambda answer: str(answer["numRegisteredTaskManagers"]) == "2")

managers = client.taskmanagers
ids = check("taskmanagers.taskmanager_ids", managers.taskmanager_ids, lambda answer: len(answer) == 2)
check("taskmanagers.all", managers.all, lambda answer: all(one["slotsNumber"] == 4 for one in answer))
check("taskmanagers.metric_names", managers.metric_names, lambda answer: "Status.JVM.Memory.Heap.Used" in answer)
check("taskmanagers.metrics", lambda: managers.metrics(["Status.JVM.Memory.Heap.Used"]))
check("taskmanagers.get", lambda: managers.get(ids[0]), lambda answer: answer["id"] == ids[0])
check("taskmanagers.get_logs", lambda: managers.get_logs(ids[0]), lambda answer: len(answer) >= 1)
check("taskmanagers.get_metrics", lambda: managers.get_metrics(ids[0]))
check("taskmanagers.get_thread_dump", lambda: managers.get_thread_dump(ids[0]), lambda answer: len(answer) > 3)

jobs = client.jobs
check("jobs.all", jobs.all, lambda answer: any(one["id"] == job for one in answer))
check("jobs.job_ids", jobs.job_ids, lambda answer: job in answer)
check("jobs.overview", jobs.overview, lambda answer: any(one["name"] == "compat totals" for one in answer))
check("jobs.metric_names", jobs.metric_names, lambda answer: "numRestarts" in answer)
check("jobs.metrics", lambda: jobs.metrics(["numRestarts"]))
check("jobs.get", lambda: jobs.get(job), lambda answer: answer["state"] == "RUNNING")
check("jobs.get_config", lambda: jobs.get_config(job))
check("jobs.get_exceptions", lambda: jobs.get_exceptions(job))
check("jobs.get_execution_result", lambda: jobs.get_execution_result(job))
check("jobs.get_metrics", lambda: jobs.get_metrics(job))
check("jobs.get_plan", lambda: jobs.get_plan(job), lambda answer: len(answer["nodes"]) >= 2)
vertices = check("jobs.get_vertex_ids", lambda: jobs.get_vertex_ids(job), lambda answer: len(answer) >= 2)
check("jobs.get_accumulators", lambda: jobs.get_accumulators(job))
check("jobs.get_checkpointing_configuration", lambda: jobs.get_checkpointing_configuration(job))
check("jobs.get_checkpoints", lambda: jobs.get_checkpoints(job), lambda answer: answer["counts"]["completed"] > 0)
checkpoints = check("jobs.get_checkpoint_ids", lambda: jobs.get_checkpoint_ids(job), lambda answer: len(answer) > 0)
check("jobs.get_checkpoint_details", lambda: jobs.get_checkpoint_details(job, checkpoints[0]))

vertex = jobs.get_vertex(job, vertices[0])
check("vertex.details", vertex.details, lambda answer: answer["parallelism"] == 2)
check("vertex.backpressure", vertex.backpressure, lambda answer: len(answer["subtasks"]) == 2)
check("vertex.metric_names", vertex.metric_names, lambda answer: "0.numRecordsOut" in answer)
check("vertex.metrics", lambda: vertex.metrics(["0.numRecordsOut"]))
check("vertex.subtasktimes", vertex.subtasktimes)
check("vertex.taskmanagers", vertex.taskmanagers, lambda answer: len(answer["taskmanagers"]) >= 1)
check("vertex.watermarks", vertex.watermarks)
subtasks = vertex.subtasks
check("subtasks.subtask_ids", subtasks.subtask_ids, lambda answer: answer == [0, 1])
check("subtasks.accumulators", subtasks.accumulators)
check("subtasks.metric_names", subtasks.metric_names)
check("subtasks.metrics", lambda: subtasks.metrics(["numRecordsOut"]))
check("subtasks.get", lambda: subtasks.get(0), lambda answer: answer["subtask"] == 0)
check("subtasks.get_attempt", lambda: subtasks.get_attempt(0))
check("subtasks.get_attempt_accumulators", lambda: subtasks.get_attempt_accumulators(0))

check("jars.all", client.jars.all)
savepoint = check("jobs.create_savepoint", lambda: ended(jobs.create_savepoint(job, savepoints)), lambda answer: savepoints in answer["operation"]["location"])
refused("jobs.get of an unknown job", lambda: jobs.get("0" * 32), "not found")
check("jobs.stop", lambda: ended(jobs.stop(job, savepoints)), lambda answer: savepoints in answer["operation"]["location"])
refused("jobs.terminate of an ended job", lambda: jobs.terminate(job), "409")
print(json.dumps({"check": "jobs.rescale", "limit": "Flink answers 503 to it since 1.9, as does Headwater; use resource-requirements"}))
print(json.dumps({"check": "jars.upload, jars.run", "limit": "no JVM runs jars; SQL scripts are taken at the same paths where that is switched on"}))
