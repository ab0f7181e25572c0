-- Who tried in vain to sign in, and how often. Rows are of hashes: neither an address that somebody
-- typed nor the one they typed it from stands here.
CREATE TABLE sign_in_try (
    who          BYTEA  NOT NULL PRIMARY KEY, -- SHA-256 of what is counted
    failures     BIGINT NOT NULL,
    at           BIGINT NOT NULL,             -- of the last try
    shut_until   BIGINT NOT NULL,             -- no try is looked at before
    succeeded_at BIGINT                       -- somebody signed in to this account from this network
);

CREATE INDEX sign_in_try_by_age ON sign_in_try (at);
