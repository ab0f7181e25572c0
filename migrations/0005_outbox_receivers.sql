-- Whom a message is for may be an account or a webhook; how often each is tried is limited by counting.
DROP INDEX outbox_due;
ALTER TABLE outbox RENAME COLUMN account TO receiver;
ALTER TABLE outbox ADD COLUMN tried_at BIGINT;     -- when it was last leased
ALTER TABLE outbox ADD COLUMN cancelled_at BIGINT; -- nobody needs it any more

CREATE INDEX outbox_due ON outbox (channel, lease_until, id)
    WHERE delivered_at IS NULL AND dead_at IS NULL AND cancelled_at IS NULL;
CREATE INDEX outbox_by_receiver ON outbox (receiver, channel, tried_at) WHERE receiver IS NOT NULL;
