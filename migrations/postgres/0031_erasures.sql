-- People who were forgotten, one row each, and up to where in the record the
-- files of the read models are clean of them. Instants are microseconds since 1970.
CREATE TABLE erasures (
    subject        TEXT PRIMARY KEY,
    position       BIGINT NOT NULL,
    keys_through   BIGINT NOT NULL,
    reason         TEXT NOT NULL,
    erased_at      BIGINT NOT NULL,
    erasures_count BIGINT NOT NULL
);
CREATE INDEX erasures_by_position ON erasures (position, subject);
CREATE TABLE es_scrubs (
    name     TEXT PRIMARY KEY,
    position BIGINT NOT NULL
);
