-- One text for both engines; README.md says which SQL that leaves. Times are Unix milliseconds
-- bound by the caller, never taken from the engine. What belongs to a cycle has its journal (the
-- cycle's id; all zeros for the registry) as leading key: cycles are independent shards.

-- The end of each journal. Locking this row is what makes one writer at a time.
CREATE TABLE journal_head (
    journal UUID   NOT NULL PRIMARY KEY,
    seq     BIGINT NOT NULL, -- of the last entry; 0 before the first
    hash    BYTEA  NOT NULL, -- of the last entry; 32 zero bytes before the first
    at      BIGINT NOT NULL  -- of the last entry
);

-- Every fact, append-only and hash-chained.
CREATE TABLE journal (
    journal    UUID   NOT NULL,
    seq        BIGINT NOT NULL, -- 1, 2, 3 … without gaps
    kind       TEXT   NOT NULL,
    id         UUID   NOT NULL,
    version    BIGINT NOT NULL, -- how many events the record has with this one
    at         BIGINT NOT NULL, -- never before the previous entry
    actor      TEXT   NOT NULL, -- an account's id, `system` or `public`
    initiator  TEXT,            -- whose command this followed from, where it did
    policy     TEXT,            -- hash of the rules in force when it was decided
    command    UUID   NOT NULL, -- all entries of one command share it
    verb       TEXT   NOT NULL,
    from_stage TEXT,            -- none where this began the record
    to_stage   TEXT   NOT NULL,
    data       TEXT   NOT NULL, -- the event, canonical JSON (RFC 8785)
    hash       BYTEA  NOT NULL, -- SHA-256(hash of the previous entry || canonical JSON of this one)
    PRIMARY KEY (journal, seq),
    CONSTRAINT journal_seq_positive CHECK (seq > 0)
);

CREATE INDEX journal_by_record ON journal (id, version);

-- What the journal says, record by record; written in the same transaction.
CREATE TABLE state (
    journal      UUID   NOT NULL,
    kind         TEXT   NOT NULL,
    id           UUID   NOT NULL,
    version      BIGINT NOT NULL,
    stage        TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    parent       UUID,
    organisation UUID,
    person       UUID,
    facet        TEXT,
    number       TEXT,
    label        TEXT,
    amount       BIGINT,
    body         TEXT   NOT NULL, -- JSON
    PRIMARY KEY (journal, kind, id),
    CONSTRAINT state_version_positive CHECK (version > 0)
);

-- One index per way to find, one per order to list. A missing value sorts first, so the sort
-- columns are COALESCEd: the engines disagree on the place of NULL.
CREATE INDEX state_by_id           ON state (id);
CREATE INDEX state_by_parent       ON state (kind, parent) WHERE parent IS NOT NULL;
CREATE INDEX state_by_organisation ON state (kind, organisation) WHERE organisation IS NOT NULL;
CREATE INDEX state_by_person       ON state (kind, person) WHERE person IS NOT NULL;
CREATE INDEX state_by_facet        ON state (journal, kind, facet) WHERE facet IS NOT NULL;
CREATE INDEX state_by_stage        ON state (journal, kind, stage, created_at, id);
CREATE INDEX state_by_created      ON state (journal, kind, created_at, id);
CREATE INDEX state_by_updated      ON state (journal, kind, updated_at, id);
CREATE INDEX state_by_label        ON state (journal, kind, (COALESCE(label, '')), id);
CREATE INDEX state_by_number       ON state (journal, kind, (COALESCE(number, '')), id);
CREATE INDEX state_by_amount       ON state (journal, kind, (COALESCE(amount, -4611686018427387904)), id);
CREATE INDEX state_everywhere      ON state (kind, created_at, id);

-- Messages that go out if and only if the entry that caused them stands.
CREATE TABLE outbox (
    journal      UUID   NOT NULL,
    id           UUID   NOT NULL, -- follows from the entry; also the receiver's idempotency key
    seq          BIGINT NOT NULL, -- of the entry that caused it
    channel      TEXT   NOT NULL,
    topic        TEXT   NOT NULL,
    account      UUID,            -- for whom; none where it is for no single person
    payload      TEXT   NOT NULL, -- JSON
    created_at   BIGINT NOT NULL,
    lease_until  BIGINT NOT NULL, -- not to be tried before
    attempts     BIGINT NOT NULL,
    delivered_at BIGINT,
    dead_at      BIGINT,          -- given up
    error        TEXT,            -- what the last attempt said
    PRIMARY KEY (journal, id)
);

CREATE INDEX outbox_due ON outbox (lease_until, id) WHERE delivered_at IS NULL AND dead_at IS NULL;

-- The answer to each first use of an idempotency key.
CREATE TABLE idempotency (
    principal    TEXT   NOT NULL,
    key          TEXT   NOT NULL,
    request_hash BYTEA  NOT NULL,
    response     TEXT   NOT NULL, -- JSON
    at           BIGINT NOT NULL,
    PRIMARY KEY (principal, key)
);

CREATE INDEX idempotency_by_age ON idempotency (at);

-- Who signs in. Names and addresses live here and not in the journal, so that erasing a person
-- does not break the chain.
CREATE TABLE credential (
    account       UUID   NOT NULL PRIMARY KEY,
    email         TEXT   NOT NULL, -- as given
    email_key     TEXT   NOT NULL, -- for comparison
    name          TEXT   NOT NULL,
    locale        TEXT   NOT NULL,
    password_hash TEXT   NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL
);

CREATE UNIQUE INDEX credential_by_email ON credential (email_key);

-- Bearer tokens, as SHA-256.
CREATE TABLE token (
    hash       BYTEA  NOT NULL PRIMARY KEY,
    account    UUID   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);

CREATE INDEX token_by_account ON token (account);
CREATE INDEX token_by_expiry ON token (expires_at);

-- Messages shown inside the product.
CREATE TABLE inbox (
    account UUID   NOT NULL,
    id      UUID   NOT NULL,
    at      BIGINT NOT NULL,
    topic   TEXT   NOT NULL,
    locale  TEXT   NOT NULL,
    title   TEXT   NOT NULL,
    text    TEXT   NOT NULL,
    subject UUID,            -- the record it is about
    read_at BIGINT,
    PRIMARY KEY (account, id)
);

CREATE INDEX inbox_by_time ON inbox (account, at, id);

-- What the installation was told once, such as whether its clock may be set.
CREATE TABLE setting (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
