-- Calls in progress. Instants are microseconds since 1970.
CREATE TABLE live_calls (
    call_id            TEXT PRIMARY KEY,
    position           BIGINT NOT NULL,
    state              TEXT NOT NULL,
    since              BIGINT NOT NULL,
    subject            TEXT NOT NULL,
    from_user          TEXT,
    from_host          TEXT,
    from_name          TEXT,
    to_user            TEXT NOT NULL,
    trunk_id           TEXT,
    queue_id           TEXT,
    agent_id           TEXT,
    offer_id           TEXT,
    offers_count       BIGINT NOT NULL,
    received_at        BIGINT NOT NULL,
    enqueued_at        BIGINT,
    answered_at        BIGINT,
    offered_at         BIGINT,
    alerting_at        BIGINT,
    agent_connected_at BIGINT,
    caller_leg         TEXT NOT NULL,
    agent_leg          TEXT,
    held_by_caller     BIGINT NOT NULL,
    held_by_agent      BIGINT NOT NULL,
    sip_call_id        TEXT NOT NULL
);
CREATE INDEX live_calls_by_received ON live_calls (received_at, call_id);
CREATE INDEX live_calls_by_queue ON live_calls (queue_id, enqueued_at);
