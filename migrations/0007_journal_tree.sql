-- The right edge of the tree over each journal's entries (RFC 6962): the hashes of the full
-- subtrees it consists of, largest first, 32 bytes each. NULL until `fundcycle migrate` has read
-- the entries that were there before this column.
ALTER TABLE journal_head ADD COLUMN edge BYTEA;

-- The full subtrees of every eighth level, so that a proof reads at most 128 rows per hash.
CREATE TABLE journal_node (
    journal UUID   NOT NULL,
    level   BIGINT NOT NULL, -- 8, 16, 24 …: over that many times two entries, as a power
    place   BIGINT NOT NULL, -- among those of its level, from 0
    hash    BYTEA  NOT NULL,
    PRIMARY KEY (journal, level, place)
);

-- What was signed of a journal, and when.
CREATE TABLE checkpoint (
    journal   UUID    NOT NULL,
    size      BIGINT  NOT NULL, -- how many entries it is about
    at        BIGINT  NOT NULL,
    published BOOLEAN NOT NULL, -- shown to everybody, or only part of a receipt
    note      TEXT    NOT NULL, -- C2SP signed note
    PRIMARY KEY (journal, size)
);
