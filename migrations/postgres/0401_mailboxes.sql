-- Mailboxes and the messages in them. Instants are microseconds since 1970.
CREATE TABLE mailboxes (
    mailbox_id     TEXT PRIMARY KEY,
    position       BIGINT NOT NULL,
    name           TEXT NOT NULL,
    greeting       TEXT,
    longest_ms     BIGINT NOT NULL,
    messages_max   BIGINT NOT NULL,
    new_count      BIGINT NOT NULL,
    read_count     BIGINT NOT NULL,
    saved_count    BIGINT NOT NULL,
    expected_count BIGINT NOT NULL
);
CREATE TABLE voicemails (
    voicemail_id TEXT PRIMARY KEY,
    position     BIGINT NOT NULL,
    mailbox_id   TEXT NOT NULL,
    call_id      TEXT NOT NULL,
    status       TEXT NOT NULL,
    subject      TEXT,
    from_user    TEXT,
    from_host    TEXT,
    from_name    TEXT,
    length_ms    BIGINT NOT NULL,
    size_bytes   BIGINT NOT NULL,
    sha256       TEXT NOT NULL,
    left_at      BIGINT NOT NULL,
    marked_at    BIGINT,
    marked_by    TEXT
);
CREATE INDEX voicemails_by_mailbox ON voicemails (mailbox_id, left_at, voicemail_id);
CREATE INDEX voicemails_by_subject ON voicemails (subject) WHERE subject IS NOT NULL;
