"""Asks an API of Data.Rentgen's shape what it knows, and prints a JSON object for every check.

A question is asked again until its answer is as expected or patience ends: events take their time. Only the standard
library. The facts to check are the first argument, as JSON."""

import datetime
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

PATIENCE_S = 90
facts = json.loads(sys.argv[1])


class Api:
    def __init__(self, base, user=None):
        self.base = base
        self.headers = {}
        if user:
            form = urllib.parse.urlencode({"grant_type": "password", "username": user, "password": "any"}).encode()
            with urllib.request.urlopen(base + "/v1/auth/token", form, timeout=30) as answer:
                self.headers["Authorization"] = "Bearer " + json.load(answer)["access_token"]

    def get(self, path, **parameters):
        url = self.base + path + "?" + urllib.parse.urlencode(parameters, doseq=True)
        with urllib.request.urlopen(urllib.request.Request(url, headers=self.headers), timeout=30) as answer:
            return json.load(answer)

    def items(self, path, **parameters):
        return self.get(path, **parameters)["items"]

    def post(self, path, body):
        headers = {"Content-Type": "application/json", **self.headers}
        request = urllib.request.Request(self.base + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
            return json.loads(text) if text else None


def say(name, wrong=None):
    print(json.dumps({"check": name, "ok": wrong is None, "detail": wrong or ""}), flush=True)


def check(name, question, patience=PATIENCE_S):
    """Asks until the answer is not a text that says what is wrong; the answer. What was waited for in vain ends the
    script: what follows needs it. With no patience the answer may be None."""
    end = time.monotonic() + patience
    while True:
        try:
            answer = question()
        except Exception as error:
            detail = error.read().decode(errors="replace")[:300] if isinstance(error, urllib.error.HTTPError) else ""
            answer = f"{error!r} {detail}"
        if not isinstance(answer, str):
            say(name)
            return answer
        if time.monotonic() > end:
            say(name, answer)
            if patience == 0:
                return None
            sys.exit(f"{name}: {answer}")
        time.sleep(0.5)


def iso(moment):
    return moment.isoformat().replace("+00:00", "Z")


def ago(**how):
    return iso(datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(**how))


def named(items, name):
    return next((item for item in items if item["data"]["name"] == name), None)


def wrong_unless(condition, answer, what):
    """The answer when the condition holds, otherwise what is wrong with it."""
    return answer if condition else f"{what}: {json.dumps(answer)[:400]}"


def job_of(api, name, kind="FLINK_JOB"):
    def question():
        found = named(api.items("/v1/jobs", page_size=50), name)
        return wrong_unless(found and found["data"]["type"] == kind, found, f"no {kind} {name}")
    return check(f"job {name}", question)


def run_of(api, job, status):
    def question():
        runs = api.items("/v1/runs", job_id=job["id"], since=ago(days=30))
        return wrong_unless(runs and runs[0]["data"]["status"] == status, runs and runs[0], f"not {status}")
    return check(f"run is {status}", question)


def operation_of(api, run, name, kind, status):
    def question():
        found = named(api.items("/v1/operations", run_id=run["id"], since=ago(days=30)), name)
        of_kind = found and (found["data"]["type"], found["data"]["status"]) == (kind, status)
        return wrong_unless(of_kind, found, f"no {kind} operation {name} that is {status}")
    return check(f"operation is {kind} and {status}", question)


def log_links(run, namespace):
    def question():
        data = run["data"]
        job = data["external_id"] or ""
        links = [data["running_log_url"], data["persistent_log_url"]]
        expected = [f"{namespace}/#/job/{part}/{job}" for part in ("running", "completed")]
        return wrong_unless(len(job) == 32 and links == expected, links, "links to logs")
    return check("links to the pages of the job", question, 0)


def edges(answer, side):
    """The names of the datasets of the edges of a side."""
    end = "from" if side == "inputs" else "to"
    ids = {edge[end]["id"] for edge in answer["relations"][side]}
    return sorted(answer["nodes"]["datasets"][at]["name"] for at in ids if at in answer["nodes"]["datasets"])


def lineage_of(api, what, start, inputs, outputs, since, name, **more):
    def question():
        answer = api.get(f"/v1/{what}/lineage", start_node_id=start, since=since, **more)
        found = edges(answer, "inputs"), edges(answer, "outputs")
        return answer if found == (sorted(inputs), sorted(outputs)) else f"inputs and outputs are {found}"
    return check(name, question)


def schemas(answer, expected):
    """Columns and types of the datasets of a lineage answer."""
    def question():
        found = {node["name"]: node["schema"] for node in answer["nodes"]["datasets"].values()}
        for name, columns in expected.items():
            fields = {field["name"]: field["type"] for field in (found.get(name) or {}).get("fields", [])}
            if fields != columns:
                return f"{name} has {fields} instead of {columns}"
        return True
    return check("schemas of the datasets", question, 0)
