-- What was planned for agents: a row for each time that a schedule was set, append-only;
-- later ones cover earlier ones. Instants are microseconds since 1970.
CREATE TABLE schedules (
    entry    TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    agent_id TEXT NOT NULL,
    number   INTEGER NOT NULL,
    from_at  INTEGER NOT NULL,
    to_at    INTEGER NOT NULL,
    segments TEXT NOT NULL
) STRICT;
CREATE INDEX schedules_agent ON schedules (agent_id, from_at, to_at, number);
