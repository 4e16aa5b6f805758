-- A field for sentences that were made from labels. The index of words is made anew over five columns.
ALTER TABLE moment ADD COLUMN description TEXT;
DROP TRIGGER moment_words_insert;
DROP TRIGGER moment_words_delete;
DROP TRIGGER moment_words_update;
DROP TABLE moment_terms;
DROP TABLE moment_words;
CREATE VIRTUAL TABLE moment_words USING fts5 (
  title, text, transcript, ocr, description, content='moment', content_rowid='id', tokenize="porter unicode61 remove_diacritics 2"
);
CREATE VIRTUAL TABLE moment_terms USING fts5vocab (moment_words, row);
CREATE TRIGGER moment_words_insert AFTER INSERT ON moment BEGIN
  INSERT INTO moment_words (rowid, title, text, transcript, ocr, description)
  VALUES (new.id, new.title, new.text, new.transcript, new.ocr, new.description);
END;
CREATE TRIGGER moment_words_delete AFTER DELETE ON moment BEGIN
  INSERT INTO moment_words (moment_words, rowid, title, text, transcript, ocr, description)
  VALUES ('delete', old.id, old.title, old.text, old.transcript, old.ocr, old.description);
END;
CREATE TRIGGER moment_words_update AFTER UPDATE OF title, text, transcript, ocr, description ON moment BEGIN
  INSERT INTO moment_words (moment_words, rowid, title, text, transcript, ocr, description)
  VALUES ('delete', old.id, old.title, old.text, old.transcript, old.ocr, old.description);
  INSERT INTO moment_words (rowid, title, text, transcript, ocr, description)
  VALUES (new.id, new.title, new.text, new.transcript, new.ocr, new.description);
END;
INSERT INTO moment_words (moment_words) VALUES ('rebuild');
