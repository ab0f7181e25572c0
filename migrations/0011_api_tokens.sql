-- Tokens that people make for programs, beside those of signing in, which have no name.
ALTER TABLE token ADD COLUMN name TEXT;
ALTER TABLE token ADD COLUMN scopes TEXT; -- JSON: what it may be used for
ALTER TABLE token ADD COLUMN cycles TEXT; -- JSON: the cycles it is for; none: all
