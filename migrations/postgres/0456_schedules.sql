-- What was planned for agents: a row for each time that a schedule was set, append-only;
-- later ones cover earlier ones. Instants are microseconds since 1970.
CREATE TABLE schedules (
    entry    TEXT PRIMARY KEY,
    position BIGINT NOT NULL,
    agent_id TEXT NOT NULL,
    number   BIGINT NOT NULL,
    from_at  BIGINT NOT NULL,
    to_at    BIGINT NOT NULL,
    segments TEXT NOT NULL
);
CREATE INDEX schedules_agent ON schedules (agent_id, from_at, to_at, number);
