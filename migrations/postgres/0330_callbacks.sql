-- Callbacks: whom, since when, what was tried. Instants are microseconds since 1970.
CREATE TABLE callbacks (
    callback_id  TEXT PRIMARY KEY,
    position     BIGINT NOT NULL,
    state        TEXT NOT NULL,
    queue_id     TEXT NOT NULL,
    subject      TEXT NOT NULL,
    from_user    TEXT,
    from_host    TEXT,
    from_name    TEXT,
    place_at     BIGINT NOT NULL,
    requested_at BIGINT NOT NULL,
    requested_in TEXT,
    not_before   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    attempts_max BIGINT NOT NULL,
    attempts     TEXT NOT NULL,
    closed_at    BIGINT,
    decided_by   TEXT
);
CREATE INDEX callbacks_by_request ON callbacks (requested_at, callback_id);
CREATE INDEX callbacks_by_subject ON callbacks (subject);
