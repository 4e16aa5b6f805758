-- Words of any script. The index of words splits at blanks and signs, so a run of Chinese was one word. Where a text is
-- not indexed as it is, what is indexed in its place lies in `moment_prepared` (`retrieval/analysis.py`): kept, since a row
-- of the index can only be taken out again by exactly what was put in.
CREATE TABLE moment_prepared (
  moment INTEGER PRIMARY KEY, title TEXT, text TEXT, transcript TEXT, ocr TEXT, description TEXT
);
INSERT INTO moment_prepared
SELECT id, prepared(title), prepared(text), prepared(transcript), prepared(ocr), prepared(description) FROM moment
WHERE needs_preparing(title, text, transcript, ocr, description);
CREATE VIEW moment_indexed (id, title, text, transcript, ocr, description) AS
SELECT m.id, coalesce(p.title, m.title), coalesce(p.text, m.text), coalesce(p.transcript, m.transcript),
  coalesce(p.ocr, m.ocr), coalesce(p.description, m.description)
FROM moment m LEFT JOIN moment_prepared p ON p.moment = m.id;
DROP TRIGGER moment_words_insert;
DROP TRIGGER moment_words_delete;
DROP TRIGGER moment_words_update;
DROP TABLE moment_terms;
DROP TABLE moment_words;
CREATE VIRTUAL TABLE moment_words USING fts5 (
  title, text, transcript, ocr, description,
  content='moment_indexed', content_rowid='id', tokenize="porter unicode61 remove_diacritics 2"
);
CREATE VIRTUAL TABLE moment_terms USING fts5vocab (moment_words, row);
CREATE TRIGGER moment_words_insert AFTER INSERT ON moment BEGIN
  INSERT INTO moment_prepared
  SELECT new.id, prepared(new.title), prepared(new.text), prepared(new.transcript), prepared(new.ocr),
    prepared(new.description)
  WHERE needs_preparing(new.title, new.text, new.transcript, new.ocr, new.description);
  INSERT INTO moment_words (rowid, title, text, transcript, ocr, description)
  SELECT id, title, text, transcript, ocr, description FROM moment_indexed WHERE id = new.id;
END;
CREATE TRIGGER moment_words_delete AFTER DELETE ON moment BEGIN
  INSERT INTO moment_words (moment_words, rowid, title, text, transcript, ocr, description)
  SELECT 'delete', old.id, coalesce(p.title, old.title), coalesce(p.text, old.text),
    coalesce(p.transcript, old.transcript), coalesce(p.ocr, old.ocr), coalesce(p.description, old.description)
  FROM (SELECT old.id AS moment) o LEFT JOIN moment_prepared p ON p.moment = o.moment;
  DELETE FROM moment_prepared WHERE moment = old.id;
END;
CREATE TRIGGER moment_words_update AFTER UPDATE OF title, text, transcript, ocr, description ON moment BEGIN
  INSERT INTO moment_words (moment_words, rowid, title, text, transcript, ocr, description)
  SELECT 'delete', old.id, coalesce(p.title, old.title), coalesce(p.text, old.text),
    coalesce(p.transcript, old.transcript), coalesce(p.ocr, old.ocr), coalesce(p.description, old.description)
  FROM (SELECT old.id AS moment) o LEFT JOIN moment_prepared p ON p.moment = o.moment;
  DELETE FROM moment_prepared WHERE moment = old.id;
  INSERT INTO moment_prepared
  SELECT new.id, prepared(new.title), prepared(new.text), prepared(new.transcript), prepared(new.ocr),
    prepared(new.description)
  WHERE needs_preparing(new.title, new.text, new.transcript, new.ocr, new.description);
  INSERT INTO moment_words (rowid, title, text, transcript, ocr, description)
  SELECT id, title, text, transcript, ocr, description FROM moment_indexed WHERE id = new.id;
END;
INSERT INTO moment_words (moment_words) VALUES ('rebuild');
