-- What is kept with an asset beside its moments, by name: a preview, a curve.
CREATE TABLE attachment (
  asset INTEGER NOT NULL REFERENCES asset (id) ON DELETE CASCADE, name TEXT NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY (asset, name)
) WITHOUT ROWID;
