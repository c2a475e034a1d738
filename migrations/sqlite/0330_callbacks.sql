-- Callbacks: whom, since when, what was tried. Instants are microseconds since 1970.
CREATE TABLE callbacks (
    callback_id  TEXT PRIMARY KEY,
    position     INTEGER NOT NULL,
    state        TEXT NOT NULL,
    queue_id     TEXT NOT NULL,
    subject      TEXT NOT NULL,
    from_user    TEXT,
    from_host    TEXT,
    from_name    TEXT,
    place_at     INTEGER NOT NULL,
    requested_at INTEGER NOT NULL,
    requested_in TEXT,
    not_before   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    attempts_max INTEGER NOT NULL,
    attempts     TEXT NOT NULL,
    closed_at    INTEGER,
    decided_by   TEXT
) STRICT;
CREATE INDEX callbacks_by_request ON callbacks (requested_at, callback_id);
CREATE INDEX callbacks_by_subject ON callbacks (subject);
