-- Neither keys nor sessions can be read back: `hash` is the SHA-256 of 256 random bits. Times are Unix times.
CREATE TABLE key (
  name TEXT NOT NULL PRIMARY KEY COLLATE NOCASE,
  hash TEXT NOT NULL UNIQUE,
  scopes TEXT NOT NULL,
  created REAL NOT NULL,
  expires REAL
);

CREATE TABLE session (
  hash TEXT NOT NULL PRIMARY KEY,
  key TEXT NOT NULL REFERENCES key (name) ON DELETE CASCADE,
  expires REAL NOT NULL
);
