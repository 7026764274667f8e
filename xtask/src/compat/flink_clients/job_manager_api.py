"""The package flink-job-manager-api, generated from Flink's own description, against a cluster: every call that reads,
with its models parsing the answers, and the operations. Prints a JSON object for each."""

import importlib
import inspect
import json
import pkgutil
import sys

import flink_job_manager_api.api.default as calls
from flink_job_manager_api import Client

address, job, savepoints = sys.argv[1:4]
client = Client(base_url=f"http://{address}/v1", raise_on_unexpected_status=True, timeout=60)
http = client.get_httpx_client()


def document(path):
    return http.get(path).json()


vertex = document(f"/jobs/{job}")["vertices"][0]["id"]
values = {
    "jobid": job,
    "vertexid": vertex,
    "subtaskindex": 0,
    "attempt": 0,
    "taskmanagerid": document("/taskmanagers")["taskmanagers"][0]["id"],
    "checkpointid": document(f"/jobs/{job}/checkpoints")["latest"]["completed"]["id"],
}

# What a native engine answers with an error; see docs/rest-api.md.
LIMITS = {
    "get_rescaling_status": "Flink answers 503 to it since 1.9, as does Headwater; use resource-requirements",
    "get_cluster_data_set_delete_status": "there are no cluster data sets",
    "generate_plan_from_jar": "no JVM runs jars",
}
# Where the package cannot read what Flink 2.3 itself answers: how it fails, and why. The answer is looked at without it.
LIST = ("pop expected at most 1 argument", "the package expects an object; Flink's answer is a list")
PACKAGE = {
    "get_checkpoint_config": ("not a valid ProcessingMode", "the package knows the mode in capitals; Flink sends exactly_once"),
    "get_checkpoint_statistic_details": ("Unexpected status code: 200", "the package knows no answer of this call"),
    "get_checkpointing_statistics": ("Unexpected status code: 200", "the package knows no answer of this call"),
    "get_job_details": ("'str' object has no attribute 'copy'", "the package expects an object where Flink sends an id"),
    "get_job_manager_metrics": LIST,
    "get_job_manager_operator_metrics": LIST,
    "get_job_metrics": LIST,
    "get_job_vertex_metrics": LIST,
    "get_job_vertex_watermarks": LIST,
    "get_subtask_metrics": LIST,
    "get_task_manager_metrics": LIST,
}
# Calls that need the id of an operation, or change something: made below, or not at all.
LATER = ("submit", "delete", "trigger", "cancel", "shutdown", "rescale_job", "update", "upload", "savepoint_status",
         "disposal_status", "checkpoint_status")


def say(name, ok, detail=""):
    print(json.dumps({"check": name, "ok": bool(ok), "detail": detail[:400]}))


for module in sorted(found.name for found in pkgutil.iter_modules(calls.__path__)):
    if any(word in module for word in LATER):
        continue
    if module in LIMITS:
        print(json.dumps({"check": module, "limit": LIMITS[module]}))
        continue
    call = importlib.import_module(f"{calls.__name__}.{module}").sync_detailed
    needed = [name for name, of in inspect.signature(call).parameters.items()
              if name != "client" and of.default is inspect.Parameter.empty and of.kind != of.VAR_KEYWORD]
    try:
        answer = call(**{name: values[name] for name in needed}, client=client)
        say(module, answer.status_code == 200 and answer.parsed is not None, f"{answer.status_code} {answer.content[:200]}")
    except Exception as error:
        text, why = PACKAGE.get(module, ("", ""))
        path = importlib.import_module(f"{calls.__name__}.{module}")._get_kwargs(**{name: values[name] for name in needed})["url"]
        answers = why and text in repr(error) and http.get(path).status_code == 200
        if answers:
            print(json.dumps({"check": module, "limit": f"{why}; so it is with Flink itself"}))
        else:
            say(module, False, repr(error))


def operate(name, begin, body, look):
    """Begins an operation by the package, and waits for its end."""
    import time
    try:
        module = importlib.import_module(f"{calls.__name__}.{begin}")
        model = inspect.signature(module.sync_detailed).parameters["body"].annotation
        answer = module.sync_detailed(**({"jobid": job} if "jobid" in inspect.signature(module.sync_detailed).parameters else {}),
                                      client=client, body=model.from_dict(body))
        trigger = json.loads(answer.content)["request-id"]
        for _ in range(300):
            outcome = document(f"{look}/{trigger}")
            if outcome["status"]["id"] == "COMPLETED":
                return say(name, "failure-cause" not in outcome["operation"], str(outcome))
            time.sleep(0.1)
        say(name, False, "it does not end")
    except Exception as error:
        say(name, False, repr(error))


operate("trigger_checkpoint", "trigger_checkpoint", {"checkpointType": "CONFIGURED"}, f"/jobs/{job}/checkpoints")
operate("trigger_savepoint", "trigger_savepoint", {"target-directory": savepoints, "cancel-job": False}, f"/jobs/{job}/savepoints")
operate("trigger_stop_with_savepoint", "trigger_stop_with_savepoint", {"targetDirectory": savepoints, "drain": False}, f"/jobs/{job}/savepoints")
say("get_job_status_info after the stop", document(f"/jobs/{job}/status")["status"] == "FINISHED")
