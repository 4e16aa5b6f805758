-- Uploads that somebody had deleted. The row comes before anything goes, and is finished when the files are gone: what a
-- crash interrupts in between is done at the next start, and no upload goes without a row.
CREATE TABLE deleted_upload (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  asset TEXT NOT NULL,
  names TEXT NOT NULL,
  at REAL NOT NULL,
  finished INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX deleted_upload_unfinished ON deleted_upload (asset) WHERE NOT finished;
-- Where the uploads lay when the store was last told so: a data folder can be moved.
CREATE TABLE place (folder TEXT NOT NULL);
