-- What callers have said in mailboxes: a file each, sealed under a key that can be
-- destroyed. Beside the log and not in it, as it goes when it is taken away.
CREATE TABLE recordings (
    voicemail_id TEXT PRIMARY KEY,
    subject      TEXT NOT NULL,
    stored_at    INTEGER NOT NULL,
    sealed       BLOB NOT NULL
) STRICT;
