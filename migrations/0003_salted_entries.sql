-- What the commitments to the single values of an entry are salted with: 32 random bytes. From here
-- on `hash` is SHA-256(hash of the previous entry || hash of the salted commitments of this one).
ALTER TABLE journal ADD COLUMN salt BYTEA NOT NULL DEFAULT '';
