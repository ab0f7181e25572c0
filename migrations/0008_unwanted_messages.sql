-- The messages that a person does not want on a channel. No row: they want them.
CREATE TABLE unwanted (
    account  UUID NOT NULL,
    channel  TEXT NOT NULL,
    messages TEXT NOT NULL, -- which group of them
    PRIMARY KEY (account, channel, messages)
);
