-- Jobs, and the facts of the store itself.
CREATE TABLE jobs (
  number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  task TEXT NOT NULL,
  arguments TEXT NOT NULL,
  version TEXT NOT NULL,
  owner TEXT NOT NULL,
  idempotency_key TEXT,
  checksum INTEGER NOT NULL,
  state TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  submitted_at FLOAT NOT NULL,
  started_at FLOAT,
  finished_at FLOAT,
  result_sha256 TEXT,
  result_size INTEGER,
  reason TEXT
);
CREATE INDEX jobs_unfinished ON jobs (number) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_ended_badly ON jobs (state, number) WHERE state IN ('failed', 'cancelled');
CREATE INDEX jobs_of_owner ON jobs (owner, number) WHERE owner <> '';
CREATE INDEX jobs_of_task ON jobs (task, number);
CREATE UNIQUE INDEX jobs_idempotency ON jobs (owner, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE TABLE store_facts (
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (name)
);
