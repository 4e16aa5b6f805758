-- The cosines of random pairs: what relevance is measured against in this collection.
CREATE TABLE unrelated (
  space TEXT NOT NULL, query TEXT NOT NULL, target TEXT NOT NULL,
  mean REAL NOT NULL, std REAL NOT NULL, sampled INTEGER NOT NULL, targets INTEGER NOT NULL,
  PRIMARY KEY (space, query, target)
) WITHOUT ROWID;
