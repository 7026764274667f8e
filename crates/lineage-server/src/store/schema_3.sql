-- Most runs and jobs have no parent, and most runs have ended: indexes of the others alone cost these nothing.

DROP INDEX run_parent;
CREATE INDEX run_parent ON run (parent_id) WHERE parent_id IS NOT NULL;
DROP INDEX job_parent;
CREATE INDEX job_parent ON job (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX run_open ON run (last_at) WHERE ended_at IS NULL;
