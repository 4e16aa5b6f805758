-- What a journal of decisions blocks, indexed or not, up to the entry that was followed: written in one transaction, so
-- that the next look at the journal mends whatever a crash left behind.
CREATE TABLE blocked (journal TEXT NOT NULL, asset TEXT NOT NULL, PRIMARY KEY (journal, asset)) WITHOUT ROWID;
CREATE TABLE followed (journal TEXT PRIMARY KEY, entry INTEGER NOT NULL) WITHOUT ROWID;
