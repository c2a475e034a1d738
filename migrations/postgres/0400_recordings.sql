-- What callers have said in mailboxes: a file each, sealed under a key that can be
-- destroyed. Beside the log and not in it, as it goes when it is taken away.
CREATE TABLE recordings (
    voicemail_id UUID PRIMARY KEY,
    subject      UUID NOT NULL,
    stored_at    BIGINT NOT NULL,
    sealed       BYTEA NOT NULL
);
