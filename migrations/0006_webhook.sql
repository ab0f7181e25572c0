-- Receivers of facts outside the product. Not records: their secrets may not stand in a journal.
CREATE TABLE webhook (
    id               UUID   NOT NULL PRIMARY KEY,
    journal          UUID,            -- the cycle whose facts it gets; none: all, the registry's too
    url              TEXT   NOT NULL,
    description      TEXT   NOT NULL,
    types            TEXT   NOT NULL, -- JSON: the facts it gets, as kind.verb
    secret           BYTEA  NOT NULL,
    old_secret       BYTEA,           -- signs too until then, while a new one is taken into use
    old_secret_until BIGINT,
    created_by       UUID   NOT NULL,
    created_at       BIGINT NOT NULL,
    failing_since    BIGINT,
    disabled_at      BIGINT,
    disabled_because TEXT
);

-- Up to where the facts of a journal are queued for a webhook.
CREATE TABLE webhook_cursor (
    webhook UUID   NOT NULL,
    journal UUID   NOT NULL,
    seq     BIGINT NOT NULL,
    PRIMARY KEY (webhook, journal)
);
