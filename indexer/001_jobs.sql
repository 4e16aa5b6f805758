CREATE TABLE job (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  payload TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed')),
  created REAL NOT NULL, updated REAL NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  step TEXT NOT NULL DEFAULT '', done INTEGER NOT NULL DEFAULT 0, total INTEGER NOT NULL DEFAULT 0,
  report TEXT, error TEXT
);
CREATE INDEX job_state ON job (state, number);
