-- Who was there for which queue when: reports count the staff of a queue from it.
-- Instants are microseconds since 1970.
CREATE TABLE logins (
    entry    TEXT PRIMARY KEY,
    position BIGINT NOT NULL,
    agent_id TEXT NOT NULL,
    number   BIGINT NOT NULL,
    since_at BIGINT NOT NULL,
    until_at BIGINT
);
CREATE INDEX logins_until ON logins (until_at);
CREATE TABLE served_queues (
    entry    TEXT PRIMARY KEY,
    position BIGINT NOT NULL,
    agent_id TEXT NOT NULL,
    number   BIGINT NOT NULL,
    since_at BIGINT NOT NULL,
    queues   TEXT NOT NULL
);
