CREATE TABLE bank (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE COLLATE NOCASE,
  action TEXT NOT NULL CHECK (action IN ('allow', 'review', 'block')),
  enabled INTEGER NOT NULL DEFAULT 1,
  created REAL NOT NULL
);

-- `value`: the bytes of a hash that is written in hexadecimal digits, the text of a fingerprint. Ids are never reused: indexes in
-- memory read what comes after the last one they have.
CREATE TABLE hash (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  bank INTEGER NOT NULL REFERENCES bank (id),
  kind TEXT NOT NULL,
  value BLOB NOT NULL,
  quality INTEGER,
  tags TEXT NOT NULL DEFAULT '',
  added REAL NOT NULL,
  UNIQUE (kind, value, bank)
);
