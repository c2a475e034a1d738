-- Agents and what they are doing. Instants are microseconds since 1970.
CREATE TABLE agent_states (
    agent_id          TEXT PRIMARY KEY,
    position          BIGINT NOT NULL,
    name              TEXT COLLATE "C" NOT NULL,
    display_name      TEXT,
    queues            TEXT NOT NULL,
    ready_on_register BIGINT NOT NULL,
    config_version    BIGINT NOT NULL,
    session_number    BIGINT,
    logged_in_at      BIGINT,
    routability       TEXT NOT NULL,
    reason            TEXT,
    activity          TEXT NOT NULL,
    since             BIGINT,
    until_at          BIGINT,
    not_before_at     BIGINT,
    next_state        TEXT,
    call_id           TEXT,
    offer_id          TEXT,
    queue_id          TEXT,
    missed_count      BIGINT NOT NULL,
    devices_count     BIGINT NOT NULL
);
CREATE INDEX agent_states_by_name ON agent_states (name, agent_id);
