-- The truth of a local store. Ids are never reused (AUTOINCREMENT): derived indexes refer to them.
CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE space (
  name TEXT PRIMARY KEY, dim INTEGER NOT NULL, model TEXT NOT NULL, revision TEXT NOT NULL, preprocessing TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE asset (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  hash TEXT NOT NULL UNIQUE,
  media TEXT NOT NULL, mime TEXT NOT NULL, size INTEGER NOT NULL, title TEXT NOT NULL,
  captured TEXT, metadata TEXT NOT NULL
);
CREATE INDEX asset_media ON asset (media);
CREATE INDEX asset_captured ON asset (captured);

CREATE TABLE source (
  location TEXT NOT NULL, path TEXT NOT NULL, collection TEXT NOT NULL,
  asset INTEGER NOT NULL REFERENCES asset (id) ON DELETE CASCADE,
  size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
  PRIMARY KEY (collection, location)
) WITHOUT ROWID;
CREATE INDEX source_asset ON source (asset);

CREATE TABLE moment (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL UNIQUE,
  asset INTEGER NOT NULL REFERENCES asset (id) ON DELETE CASCADE,
  kind TEXT NOT NULL, start REAL, "end" REAL, page INTEGER,
  title TEXT, text TEXT, transcript TEXT, ocr TEXT,
  words TEXT,
  maker TEXT
);
CREATE INDEX moment_asset ON moment (asset);

CREATE TABLE thumbnail (
  moment INTEGER PRIMARY KEY REFERENCES moment (id) ON DELETE CASCADE, jpeg BLOB NOT NULL
);

CREATE TABLE label (
  moment INTEGER NOT NULL REFERENCES moment (id) ON DELETE CASCADE,
  kind TEXT NOT NULL, value TEXT NOT NULL COLLATE NOCASE, score REAL NOT NULL, model TEXT NOT NULL,
  box TEXT, start REAL, "end" REAL, maker TEXT
);
CREATE INDEX label_moment ON label (moment);
CREATE INDEX label_value ON label (kind, value, score, moment);

-- `field` is space/modality: the unit that is indexed and searched together.
CREATE TABLE vector (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  moment INTEGER NOT NULL REFERENCES moment (id) ON DELETE CASCADE,
  field TEXT NOT NULL, maker TEXT,
  data BLOB NOT NULL
);
CREATE INDEX vector_moment ON vector (moment, field);
CREATE INDEX vector_field ON vector (field, id);

-- What derived indexes have to forget, in the order it went.
CREATE TABLE gone (id INTEGER PRIMARY KEY AUTOINCREMENT, vector INTEGER NOT NULL, field TEXT NOT NULL);
CREATE INDEX gone_field ON gone (field, id);
CREATE TRIGGER vector_gone AFTER DELETE ON vector BEGIN
  INSERT INTO gone (vector, field) VALUES (old.id, old.field);
END;

CREATE TABLE enrichment (
  asset INTEGER NOT NULL REFERENCES asset (id) ON DELETE CASCADE,
  enricher TEXT NOT NULL, model TEXT NOT NULL, error TEXT,
  fields TEXT NOT NULL,
  PRIMARY KEY (enricher, asset)
) WITHOUT ROWID;
CREATE INDEX enrichment_asset ON enrichment (asset);

CREATE VIRTUAL TABLE moment_words USING fts5 (
  title, text, transcript, ocr, content='moment', content_rowid='id', tokenize="porter unicode61 remove_diacritics 2"
);
CREATE VIRTUAL TABLE moment_terms USING fts5vocab (moment_words, row);
CREATE TRIGGER moment_words_insert AFTER INSERT ON moment BEGIN
  INSERT INTO moment_words (rowid, title, text, transcript, ocr)
  VALUES (new.id, new.title, new.text, new.transcript, new.ocr);
END;
CREATE TRIGGER moment_words_delete AFTER DELETE ON moment BEGIN
  INSERT INTO moment_words (moment_words, rowid, title, text, transcript, ocr)
  VALUES ('delete', old.id, old.title, old.text, old.transcript, old.ocr);
END;
CREATE TRIGGER moment_words_update AFTER UPDATE OF title, text, transcript, ocr ON moment BEGIN
  INSERT INTO moment_words (moment_words, rowid, title, text, transcript, ocr)
  VALUES ('delete', old.id, old.title, old.text, old.transcript, old.ocr);
  INSERT INTO moment_words (rowid, title, text, transcript, ocr)
  VALUES (new.id, new.title, new.text, new.transcript, new.ocr);
END;
