-- The addresses that take no letters. No row, or another address than the person has now: it takes them.
CREATE TABLE failing_address (
    account UUID   NOT NULL PRIMARY KEY,
    address TEXT   NOT NULL, -- as it is compared
    since   BIGINT NOT NULL,
    letter  UUID   NOT NULL, -- the one that came back
    because TEXT   NOT NULL  -- what the server said
);
