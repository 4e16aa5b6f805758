-- The first stores of all have this index without the moment, and read a row of the table for each label instead.
DROP INDEX label_value;
CREATE INDEX label_value ON label (kind, value, score, moment);
