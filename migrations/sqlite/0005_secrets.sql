-- What proves who somebody is (HA1, API tokens): never in an event.
CREATE TABLE secrets (
    kind  TEXT NOT NULL,
    key   TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;
