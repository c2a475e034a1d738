-- Changes of agents' states, append-only. Instants are microseconds since 1970.
CREATE TABLE agent_log (
    position       INTEGER PRIMARY KEY,
    agent_id       TEXT NOT NULL,
    session_number INTEGER NOT NULL,
    since_at       INTEGER NOT NULL,
    state          TEXT NOT NULL,
    reason         TEXT,
    released       TEXT,
    offer_id       TEXT,
    call_id        TEXT,
    queue_id       TEXT
) STRICT;
CREATE INDEX agent_log_agent ON agent_log (agent_id, since_at, position);
