-- Who has written when: each process that writes begins with an identity of its own, and says how far vectors and
-- deletions were by then. A copy of the store that is put back and written to has another history from there on, so
-- that what was derived from the one is never taken for what belongs to the other.
CREATE TABLE epoch (
  number INTEGER PRIMARY KEY AUTOINCREMENT, identity TEXT NOT NULL UNIQUE, vector INTEGER NOT NULL, gone INTEGER NOT NULL
);
INSERT INTO epoch (identity, vector, gone) VALUES (
  lower(hex(randomblob(8))),
  coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'vector'), 0),
  coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'gone'), 0)
);
