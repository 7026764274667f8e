# A job that ends by itself; its events come through a topic.

server = Api(facts["server"])
PREFIX = "insert-into_default_catalog.default_database."

job = job_of(server, PREFIX + "copies")
run = run_of(server, job, "SUCCEEDED")
operation_of(server, run, PREFIX + "copies", "BATCH", "SUCCEEDED")
log_links(run, facts["rest"])
lineage_of(server, "jobs", job["id"], ["orders"], ["copies"], ago(days=1), "lineage of the job")
lineage_of(server, "runs", run["id"], ["orders"], ["copies"], ago(days=1), "lineage of the run")
check("nothing is in quarantine", lambda: wrong_unless(not server.items("/v1/quarantine"), server.items("/v1/quarantine"), "bad"), 0)
