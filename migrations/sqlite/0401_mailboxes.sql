-- Mailboxes and the messages in them. Instants are microseconds since 1970.
CREATE TABLE mailboxes (
    mailbox_id     TEXT PRIMARY KEY,
    position       INTEGER NOT NULL,
    name           TEXT NOT NULL,
    greeting       TEXT,
    longest_ms     INTEGER NOT NULL,
    messages_max   INTEGER NOT NULL,
    new_count      INTEGER NOT NULL,
    read_count     INTEGER NOT NULL,
    saved_count    INTEGER NOT NULL,
    expected_count INTEGER NOT NULL
) STRICT;
CREATE TABLE voicemails (
    voicemail_id TEXT PRIMARY KEY,
    position     INTEGER NOT NULL,
    mailbox_id   TEXT NOT NULL,
    call_id      TEXT NOT NULL,
    status       TEXT NOT NULL,
    subject      TEXT,
    from_user    TEXT,
    from_host    TEXT,
    from_name    TEXT,
    length_ms    INTEGER NOT NULL,
    size_bytes   INTEGER NOT NULL,
    sha256       TEXT NOT NULL,
    left_at      INTEGER NOT NULL,
    marked_at    INTEGER,
    marked_by    TEXT
) STRICT;
CREATE INDEX voicemails_by_mailbox ON voicemails (mailbox_id, left_at, voicemail_id);
CREATE INDEX voicemails_by_subject ON voicemails (subject) WHERE subject IS NOT NULL;
