-- Tables of the catalog, first version. ID_KEY, CLUSTERED and BLOB are translated for each database.
-- Times are microseconds since the epoch. `key` columns hold what identifies a row, shortened where it is long.

CREATE TABLE location (
  id ID_KEY, kind TEXT NOT NULL, name TEXT NOT NULL, named_at BIGINT NOT NULL, external_id TEXT
);
CREATE TABLE address (key TEXT PRIMARY KEY, url TEXT NOT NULL, location_id BIGINT NOT NULL) CLUSTERED;
CREATE INDEX address_location ON address (location_id);

CREATE TABLE dataset (
  id ID_KEY, location_id BIGINT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL, named_at BIGINT NOT NULL,
  description TEXT, described_at BIGINT NOT NULL, external_id TEXT, external_url TEXT
);
CREATE UNIQUE INDEX dataset_key ON dataset (location_id, key);

CREATE TABLE job (
  id ID_KEY, location_id BIGINT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL, named_at BIGINT NOT NULL,
  kind TEXT NOT NULL, kind_at BIGINT NOT NULL, parent_id BIGINT, parent_at BIGINT NOT NULL,
  tags TEXT NOT NULL, tags_at BIGINT NOT NULL, description TEXT, described_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX job_key ON job (location_id, key);
CREATE INDEX job_parent ON job (parent_id);
CREATE INDEX job_kind ON job (kind);

CREATE TABLE job_dependency (
  from_id BIGINT NOT NULL, to_id BIGINT NOT NULL, kind TEXT NOT NULL, PRIMARY KEY (from_id, to_id, kind)
) CLUSTERED;
CREATE INDEX job_dependency_to ON job_dependency (to_id);

CREATE TABLE run (
  id ID_KEY, uuid TEXT NOT NULL, created_at BIGINT NOT NULL, job_id BIGINT NOT NULL, job_at BIGINT NOT NULL,
  job_rank BIGINT NOT NULL, parent_id BIGINT, status BIGINT NOT NULL, external_id TEXT, attempt TEXT,
  persistent_log_url TEXT, running_log_url TEXT, started_at BIGINT, started_by TEXT, start_reason TEXT,
  ended_at BIGINT, end_reason TEXT, expected_start_at BIGINT, expected_end_at BIGINT, restored_from TEXT,
  first_at BIGINT NOT NULL, last_at BIGINT NOT NULL, heard BIGINT NOT NULL, declared BIGINT NOT NULL
);
CREATE UNIQUE INDEX run_uuid ON run (uuid);
CREATE INDEX run_job ON run (job_id, created_at);
CREATE INDEX run_parent ON run (parent_id);
CREATE INDEX run_created ON run (created_at);

CREATE TABLE operation (
  id ID_KEY, uuid TEXT NOT NULL, created_at BIGINT NOT NULL, run_id BIGINT NOT NULL, run_at BIGINT NOT NULL,
  name TEXT NOT NULL, named_at BIGINT NOT NULL, kind TEXT NOT NULL, status BIGINT NOT NULL, position BIGINT,
  group_name TEXT, description TEXT, described_at BIGINT NOT NULL, sql_id BIGINT, sql_at BIGINT NOT NULL,
  started_at BIGINT, ended_at BIGINT, first_at BIGINT NOT NULL, last_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX operation_uuid ON operation (uuid);
CREATE INDEX operation_run ON operation (run_id);

CREATE TABLE sql_query (id ID_KEY, key TEXT NOT NULL, value TEXT NOT NULL);
CREATE UNIQUE INDEX sql_query_key ON sql_query (key);

-- An operation reads (0) or writes (1) a dataset. [first_at, heard_to] is when that holds; row_from and row_to are the
-- hours of it, counted from the operation's beginning.
CREATE TABLE edge (
  operation_id BIGINT NOT NULL, dataset_id BIGINT NOT NULL, direction BIGINT NOT NULL,
  run_id BIGINT NOT NULL, job_id BIGINT NOT NULL, first_at BIGINT NOT NULL, last_at BIGINT NOT NULL,
  row_from BIGINT NOT NULL, row_to BIGINT NOT NULL, heard_to BIGINT NOT NULL, is_open BIGINT NOT NULL,
  has_flow BIGINT NOT NULL, types BIGINT NOT NULL, num_rows BIGINT, num_bytes BIGINT, num_files BIGINT,
  watermark BIGINT, positions TEXT, progress_at BIGINT NOT NULL,
  PRIMARY KEY (operation_id, dataset_id, direction)
) CLUSTERED;
CREATE INDEX edge_dataset ON edge (dataset_id, direction, heard_to);
CREATE INDEX edge_job ON edge (job_id, direction, heard_to);
CREATE INDEX edge_run ON edge (run_id, direction);

-- Which input feeds which output of an operation, when the producer said so.
CREATE TABLE flow (
  operation_id BIGINT NOT NULL, source_id BIGINT NOT NULL, target_id BIGINT NOT NULL,
  PRIMARY KEY (operation_id, source_id, target_id)
) CLUSTERED;

CREATE TABLE dataset_schema (id ID_KEY, key TEXT NOT NULL, value TEXT NOT NULL);
CREATE UNIQUE INDEX dataset_schema_key ON dataset_schema (key);
CREATE TABLE schema_use (
  dataset_id BIGINT NOT NULL, schema_id BIGINT NOT NULL, direction BIGINT NOT NULL,
  first_at BIGINT NOT NULL, last_at BIGINT NOT NULL, first_run TEXT NOT NULL,
  PRIMARY KEY (dataset_id, schema_id, direction)
) CLUSTERED;

CREATE TABLE symlink (
  from_id BIGINT NOT NULL, to_id BIGINT NOT NULL, role TEXT NOT NULL, PRIMARY KEY (from_id, to_id)
) CLUSTERED;
CREATE INDEX symlink_to ON symlink (to_id);

CREATE TABLE column_set (id ID_KEY, key TEXT NOT NULL, value TEXT NOT NULL);
CREATE UNIQUE INDEX column_set_key ON column_set (key);
CREATE TABLE column_lineage (
  operation_id BIGINT NOT NULL, source_id BIGINT NOT NULL, target_id BIGINT NOT NULL, set_id BIGINT NOT NULL,
  run_id BIGINT NOT NULL, job_id BIGINT NOT NULL, first_at BIGINT NOT NULL, last_at BIGINT NOT NULL,
  row_from BIGINT NOT NULL, row_to BIGINT NOT NULL, heard_to BIGINT NOT NULL, is_open BIGINT NOT NULL,
  PRIMARY KEY (operation_id, source_id, target_id, set_id)
) CLUSTERED;
CREATE INDEX column_lineage_source ON column_lineage (source_id, target_id, heard_to);
CREATE INDEX column_lineage_target ON column_lineage (target_id, heard_to);
CREATE INDEX column_lineage_run ON column_lineage (run_id);

CREATE TABLE tag (id ID_KEY, key TEXT NOT NULL, value TEXT NOT NULL);
CREATE UNIQUE INDEX tag_key ON tag (key);
CREATE TABLE tag_value (id ID_KEY, key TEXT NOT NULL, value TEXT NOT NULL, tag_id BIGINT NOT NULL);
CREATE UNIQUE INDEX tag_value_key ON tag_value (key);
CREATE INDEX tag_value_tag ON tag_value (tag_id);
CREATE TABLE job_tag (
  job_id BIGINT NOT NULL, tag_value_id BIGINT NOT NULL, PRIMARY KEY (job_id, tag_value_id)
) CLUSTERED;
CREATE INDEX job_tag_value ON job_tag (tag_value_id);
CREATE TABLE dataset_tag (
  dataset_id BIGINT NOT NULL, field_key TEXT NOT NULL, tag_value_id BIGINT NOT NULL, field TEXT NOT NULL,
  PRIMARY KEY (dataset_id, field_key, tag_value_id)
) CLUSTERED;
CREATE INDEX dataset_tag_value ON dataset_tag (tag_value_id);

CREATE TABLE raw_event (
  id ID_KEY, received_at BIGINT NOT NULL, event_at BIGINT NOT NULL, run_uuid TEXT, body BLOB NOT NULL
);
CREATE INDEX raw_event_run ON raw_event (run_uuid);
CREATE INDEX raw_event_received ON raw_event (received_at);
CREATE TABLE quarantine (
  id ID_KEY, received_at BIGINT NOT NULL, source TEXT NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL,
  body BLOB NOT NULL, tries BIGINT NOT NULL
);

CREATE TABLE personal_token (
  id TEXT PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL, scopes TEXT NOT NULL,
  since BIGINT NOT NULL, until BIGINT NOT NULL, revoked_at BIGINT
);
CREATE INDEX personal_token_owner ON personal_token (owner);
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) CLUSTERED;
CREATE TABLE webhook (
  id ID_KEY, url TEXT NOT NULL, events TEXT NOT NULL, secret TEXT, created_at BIGINT NOT NULL,
  delivered BIGINT NOT NULL, failed BIGINT NOT NULL, last_error TEXT
);

-- One row: who wrote last. Locking it is how writers of several servers take turns.
CREATE TABLE last_writer (id ID_KEY, name TEXT NOT NULL);
INSERT INTO last_writer (id, name) VALUES (1, '');
