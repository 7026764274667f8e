"""Flink's own web dashboard in front of Headwater's REST API, in a browser that nobody sees.

Serves the static files of the jar, passes every other request on, opens page by page, waits for the texts that each has
to show, and takes a picture. Prints a JSON object for every page. Only the standard library: the few frames of the
DevTools protocol that are needed are written here."""

import base64
import http.client
import http.server
import json
import mimetypes
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import zipfile

jar, target, job, browser, pictures = sys.argv[1:6]
archive = zipfile.ZipFile(jar)
names = set(archive.namelist())
lock = threading.Lock()
failures = []


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        name = "web/" + (self.path.split("?")[0].lstrip("/") or "index.html")
        if name in names:
            with lock:
                body = archive.read(name)
            return self.reply(200, mimetypes.guess_type(name)[0] or "application/octet-stream", body)
        self.forward()

    def forward(self):
        length = int(self.headers.get("Content-Length") or 0)
        connection = http.client.HTTPConnection(target, timeout=30)
        connection.request(self.command, self.path, self.rfile.read(length) if length else None)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status >= 400:
            failures.append(f"{self.command} {self.path} {answer.status}")
        self.reply(answer.status, answer.getheader("Content-Type") or "text/plain", body)

    do_POST = do_PATCH = do_PUT = do_DELETE = forward

    def reply(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Page:
    """A page of the browser, by the DevTools protocol over a WebSocket."""

    def __init__(self, url):
        host, path = url.removeprefix("ws://").split("/", 1)
        self.socket = socket.create_connection(host.split(":"), timeout=60)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.socket.recv(1)
        self.number = 0

    def read(self, count):
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                raise ConnectionError("the browser has closed the connection")
            data += part
        return data

    def message(self):
        data = b""
        while True:
            first, length = self.read(2)
            if length == 126:
                length = struct.unpack(">H", self.read(2))[0]
            elif length == 127:
                length = struct.unpack(">Q", self.read(8))[0]
            data += self.read(length)
            if first & 0x80:
                return json.loads(data)

    def call(self, method, **params):
        self.number += 1
        data = json.dumps({"id": self.number, "method": method, "params": params}).encode()
        size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack(">H", len(data))
        # A mask of zeros leaves the data as it is.
        self.socket.sendall(b"\x81" + size + b"\0\0\0\0" + data)
        while True:
            answer = self.message()
            if answer.get("id") == self.number:
                return answer.get("result", {})

    def text(self):
        # Texts of the graph are in SVG, which innerText leaves out.
        script = "document.body.innerText + ' ' + [...document.querySelectorAll('svg')].map(s => s.textContent).join(' ')"
        return self.call("Runtime.evaluate", expression=script)["result"].get("value") or ""


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
process = subprocess.Popen(
    [browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0",
     "--remote-allow-origins=*", f"--user-data-dir={profile.name}", "--window-size=1400,1000", "about:blank"],
    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def connect():
    for _ in range(600):
        try:
            port = open(os.path.join(profile.name, "DevToolsActivePort")).read().split()[0]
            pages = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=10))
            return Page(next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page"))
        except (OSError, IndexError, StopIteration, ValueError):
            time.sleep(0.1)
    raise TimeoutError("the browser does not start")


def check(page, name, path, wanted):
    page.call("Page.navigate", url=f"http://127.0.0.1:{server.server_port}/#/{path}")
    missing, text = wanted, ""
    for _ in range(200):
        text = page.text()
        missing = [one for one in wanted if one.lower() not in text.lower()]
        if not missing:
            break
        time.sleep(0.15)
    picture = page.call("Page.captureScreenshot", format="png").get("data")
    if picture:
        with open(os.path.join(pictures, name.replace(" ", "-") + ".png"), "wb") as file:
            file.write(base64.b64decode(picture))
    detail = "" if not missing else f"{missing} are not shown in: {' '.join(text.split())[:400]}"
    print(json.dumps({"check": name, "ok": not missing, "detail": detail}), flush=True)


try:
    base = f"http://{target}"
    vertices = json.load(urllib.request.urlopen(f"{base}/jobs/{job}"))["vertices"]
    managers = json.load(urllib.request.urlopen(f"{base}/taskmanagers"))["taskmanagers"]
    vertex, manager = vertices[0]["id"], managers[0]["id"]
    page = connect()
    running = f"job/running/{job}"
    check(page, "overview", "overview", ["Available Task Slots", "compat totals", "RUNNING", "2.3.0"])
    check(page, "running jobs", "job/running", ["compat totals", "RUNNING"])
    check(page, "job graph", f"{running}/overview", ["compat totals", "GroupAggregate", "Parallelism: 2", "HASH", "Busy (max)"])
    check(page, "vertex details", f"{running}/overview/{vertex}/detail", ["Detail", "SubTasks", "Watermarks"])
    check(page, "subtasks", f"{running}/overview/{vertex}/subtasks", ["Records Sent", "RUNNING", "Attempt"])
    check(page, "vertex task managers", f"{running}/overview/{vertex}/taskmanagers", ["Endpoint", "RUNNING"])
    check(page, "watermarks", f"{running}/overview/{vertex}/watermarks", ["Watermark"])
    check(page, "vertex accumulators", f"{running}/overview/{vertex}/accumulators", ["Accumulators"])
    check(page, "back-pressure", f"{running}/overview/{vertex}/backpressure", ["Back Pressure Status", "OK"])
    check(page, "exceptions", f"{running}/exceptions", ["Exception History", "Root Exception"])
    check(page, "timeline", f"{running}/timeline", ["TimeLine"])
    check(page, "checkpoints", f"{running}/checkpoints", ["Checkpoint Counts", "Completed:", "Latest Completed Checkpoint", "End to End Duration"])
    check(page, "configuration", f"{running}/configuration", ["Execution", "Job parallelism"])
    check(page, "task managers", "task-manager", [managers[0]["path"].split(":")[0], "Free Slots"])
    check(page, "task manager metrics", f"task-manager/{manager}/metrics", ["Memory", "Heap"])
    check(page, "task manager logs", f"task-manager/{manager}/logs", ["registered"])
    check(page, "task manager log list", f"task-manager/{manager}/log-list", [".log"])
    check(page, "task manager thread dump", f"task-manager/{manager}/thread-dump", ["taskmanager"])
    check(page, "job manager configuration", "job-manager/config", ["rest.port"])
    check(page, "job manager logs", "job-manager/logs", ["JobManager"])
    check(page, "completed jobs", "job/completed", ["Completed Jobs"])
    check(page, "flame graph", f"{running}/overview/{vertex}/flamegraph", ["flame graph feature is currently disabled"])
    print(json.dumps({"check": "no request is refused", "ok": not failures, "detail": str(sorted(set(failures)))[:500]}))
finally:
    process.terminate()
    process.wait(20)
    profile.cleanup()
