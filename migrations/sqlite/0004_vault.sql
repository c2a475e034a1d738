-- Data keys, one line for each key that a data subject ever had. Destroying a
-- key keeps the line, so that "destroyed" and "never made" are different answers.
CREATE TABLE vault_keys (
    subject    BLOB    NOT NULL,
    number     INTEGER NOT NULL CHECK (number > 0),
    data_key   BLOB,                                         -- NULL once destroyed
    created_at INTEGER NOT NULL,                             -- microseconds since 1970
    erased_at  INTEGER,
    PRIMARY KEY (subject, number)
) STRICT, WITHOUT ROWID;

-- The key of the hash that names data subjects; made on first start.
CREATE TABLE vault_master (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
