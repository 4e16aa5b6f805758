-- A journal: what was decided stays as it was, also when something else is decided later.
CREATE TABLE decision (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  asset TEXT NOT NULL,
  action TEXT NOT NULL CHECK (action IN ('allow', 'review', 'block')),
  maker TEXT NOT NULL,
  by_person INTEGER NOT NULL,
  reasons TEXT NOT NULL,
  note TEXT NOT NULL DEFAULT '',
  at REAL NOT NULL
);
CREATE INDEX decision_asset ON decision (asset, id);
CREATE INDEX decision_action ON decision (action, id);
CREATE TRIGGER decision_stays BEFORE UPDATE ON decision BEGIN SELECT RAISE(ABORT, 'decisions are never changed'); END;
CREATE TRIGGER decision_remains BEFORE DELETE ON decision BEGIN SELECT RAISE(ABORT, 'decisions are never deleted'); END;
