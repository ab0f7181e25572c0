-- What people prove beside their password that it is they who sign in.
CREATE TABLE second_factor (
    account      UUID   NOT NULL PRIMARY KEY,
    secret       BYTEA  NOT NULL, -- sealed with a key that is kept outside the database
    created_at   BIGINT NOT NULL,
    confirmed_at BIGINT,          -- in use since
    last_step    BIGINT NOT NULL  -- of the last code that was taken: none is taken twice
);

-- For when the telephone is lost; each is taken once.
CREATE TABLE recovery_code (
    account UUID   NOT NULL,
    hash    BYTEA  NOT NULL, -- SHA-256; the code itself has 80 random bits
    used_at BIGINT,
    PRIMARY KEY (account, hash)
);
