-- Agents and what they are doing. Instants are microseconds since 1970.
CREATE TABLE agent_states (
    agent_id          TEXT PRIMARY KEY,
    position          INTEGER NOT NULL,
    name              TEXT NOT NULL,
    display_name      TEXT,
    queues            TEXT NOT NULL,
    ready_on_register INTEGER NOT NULL,
    config_version    INTEGER NOT NULL,
    session_number    INTEGER,
    logged_in_at      INTEGER,
    routability       TEXT NOT NULL,
    reason            TEXT,
    activity          TEXT NOT NULL,
    since             INTEGER,
    until_at          INTEGER,
    not_before_at     INTEGER,
    next_state        TEXT,
    call_id           TEXT,
    offer_id          TEXT,
    queue_id          TEXT,
    missed_count      INTEGER NOT NULL,
    devices_count     INTEGER NOT NULL
) STRICT;
CREATE INDEX agent_states_by_name ON agent_states (name, agent_id);
