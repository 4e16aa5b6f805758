-- What assets are listed by beside their date and size. `name` and `seconds` are worked out by the program
-- (`browsing.py`): `arrange_new` does so for the assets of a store that comes here.
-- Each index ends with the id that breaks ties, so that a page is read from where the last one ended.
ALTER TABLE asset ADD COLUMN name TEXT;
ALTER TABLE asset ADD COLUMN seconds REAL;
DROP INDEX asset_captured;
CREATE INDEX asset_by_date ON asset (captured, hash);
CREATE INDEX asset_by_name ON asset (name, hash);
CREATE INDEX asset_by_length ON asset (seconds, hash);
CREATE INDEX asset_by_size ON asset (size, hash);
