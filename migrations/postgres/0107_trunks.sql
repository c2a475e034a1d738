-- Trunks as they are configured. Instants are microseconds since 1970.
CREATE TABLE trunks (
    trunk_id       TEXT PRIMARY KEY,
    position       BIGINT NOT NULL,
    name           TEXT NOT NULL,
    allow          TEXT NOT NULL,
    host           TEXT,
    user_name      TEXT,
    config_version BIGINT NOT NULL
);
