-- The words of messages where a cycle has its own. No row: those that come with the product.
CREATE TABLE message_wording (
    journal    UUID   NOT NULL,
    locale     TEXT   NOT NULL,
    topic      TEXT   NOT NULL,
    title      TEXT   NOT NULL,
    text       TEXT   NOT NULL,
    changed_by UUID   NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (journal, locale, topic)
);
