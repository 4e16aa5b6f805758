-- Assets that were being enriched and have not been judged since: what a crash leaves here is judged first.
CREATE TABLE owed (asset TEXT PRIMARY KEY) WITHOUT ROWID;
