-- Figures that are shown and scraped, kept by triggers: to count whole tables takes seconds where there are millions
-- of rows.
-- A statement's own OR REPLACE would reach into its triggers, so that none of these inserts may ever conflict.
CREATE TABLE total (
  what TEXT NOT NULL, value TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (what, value)
) WITHOUT ROWID;
INSERT INTO total SELECT 'assets', media, count(*) FROM asset GROUP BY media;
INSERT INTO total SELECT 'bytes', '', coalesce(sum(size), 0) FROM asset;
INSERT INTO total SELECT 'sources', '', count(*) FROM source;
INSERT INTO total SELECT 'moments', kind, count(*) FROM moment GROUP BY kind;
INSERT INTO total SELECT 'vectors', field, count(*) FROM vector GROUP BY field;
INSERT INTO total SELECT 'done', enricher, count(*) FROM enrichment WHERE error IS NULL GROUP BY enricher;
INSERT INTO total SELECT 'failed', enricher, count(*) FROM enrichment WHERE error IS NOT NULL GROUP BY enricher;
CREATE TRIGGER asset_counted AFTER INSERT ON asset BEGIN
  INSERT INTO total SELECT 'assets', new.media, 0
  WHERE NOT EXISTS (SELECT 1 FROM total WHERE what = 'assets' AND value = new.media);
  UPDATE total SET count = count + 1 WHERE what = 'assets' AND value = new.media;
  UPDATE total SET count = count + new.size WHERE what = 'bytes' AND value = '';
END;
CREATE TRIGGER asset_discounted AFTER DELETE ON asset BEGIN
  UPDATE total SET count = count - 1 WHERE what = 'assets' AND value = old.media;
  UPDATE total SET count = count - old.size WHERE what = 'bytes' AND value = '';
END;
CREATE TRIGGER asset_recounted AFTER UPDATE OF media, size ON asset BEGIN
  INSERT INTO total SELECT 'assets', new.media, 0
  WHERE NOT EXISTS (SELECT 1 FROM total WHERE what = 'assets' AND value = new.media);
  UPDATE total SET count = count - 1 WHERE what = 'assets' AND value = old.media;
  UPDATE total SET count = count + 1 WHERE what = 'assets' AND value = new.media;
  UPDATE total SET count = count + new.size - old.size WHERE what = 'bytes' AND value = '';
END;
CREATE TRIGGER source_counted AFTER INSERT ON source BEGIN
  UPDATE total SET count = count + 1 WHERE what = 'sources' AND value = '';
END;
CREATE TRIGGER source_discounted AFTER DELETE ON source BEGIN
  UPDATE total SET count = count - 1 WHERE what = 'sources' AND value = '';
END;
CREATE TRIGGER moment_counted AFTER INSERT ON moment BEGIN
  INSERT INTO total SELECT 'moments', new.kind, 0
  WHERE NOT EXISTS (SELECT 1 FROM total WHERE what = 'moments' AND value = new.kind);
  UPDATE total SET count = count + 1 WHERE what = 'moments' AND value = new.kind;
END;
CREATE TRIGGER moment_discounted AFTER DELETE ON moment BEGIN
  UPDATE total SET count = count - 1 WHERE what = 'moments' AND value = old.kind;
END;
CREATE TRIGGER vector_counted AFTER INSERT ON vector BEGIN
  INSERT INTO total SELECT 'vectors', new.field, 0
  WHERE NOT EXISTS (SELECT 1 FROM total WHERE what = 'vectors' AND value = new.field);
  UPDATE total SET count = count + 1 WHERE what = 'vectors' AND value = new.field;
END;
CREATE TRIGGER vector_discounted AFTER DELETE ON vector BEGIN
  UPDATE total SET count = count - 1 WHERE what = 'vectors' AND value = old.field;
END;
CREATE TRIGGER enrichment_counted AFTER INSERT ON enrichment BEGIN
  INSERT INTO total SELECT iif(new.error IS NULL, 'done', 'failed'), new.enricher, 0
  WHERE NOT EXISTS (SELECT 1 FROM total WHERE what = iif(new.error IS NULL, 'done', 'failed') AND value = new.enricher);
  UPDATE total SET count = count + 1 WHERE what = iif(new.error IS NULL, 'done', 'failed') AND value = new.enricher;
END;
CREATE TRIGGER enrichment_discounted AFTER DELETE ON enrichment BEGIN
  UPDATE total SET count = count - 1 WHERE what = iif(old.error IS NULL, 'done', 'failed') AND value = old.enricher;
END;
