-- Calls in progress. Instants are microseconds since 1970.
CREATE TABLE live_calls (
    call_id            TEXT PRIMARY KEY,
    position           INTEGER NOT NULL,
    state              TEXT NOT NULL,
    since              INTEGER NOT NULL,
    subject            TEXT NOT NULL,
    from_user          TEXT,
    from_host          TEXT,
    from_name          TEXT,
    to_user            TEXT NOT NULL,
    trunk_id           TEXT,
    queue_id           TEXT,
    agent_id           TEXT,
    offer_id           TEXT,
    offers_count       INTEGER NOT NULL,
    received_at        INTEGER NOT NULL,
    enqueued_at        INTEGER,
    answered_at        INTEGER,
    offered_at         INTEGER,
    alerting_at        INTEGER,
    agent_connected_at INTEGER,
    caller_leg         TEXT NOT NULL,
    agent_leg          TEXT,
    held_by_caller     INTEGER NOT NULL,
    held_by_agent      INTEGER NOT NULL,
    sip_call_id        TEXT NOT NULL
) STRICT;
CREATE INDEX live_calls_by_received ON live_calls (received_at, call_id);
CREATE INDEX live_calls_by_queue ON live_calls (queue_id, enqueued_at);
