-- Records of ended calls; those of calls in progress grow in cdr_open. Instants are microseconds since 1970.
CREATE TABLE cdr_open (
    call_id  TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    record   TEXT NOT NULL
) STRICT;
CREATE TABLE cdr (
    call_id              TEXT PRIMARY KEY,
    position             INTEGER NOT NULL,
    event_position_first INTEGER NOT NULL,
    revision             INTEGER NOT NULL,
    direction            TEXT NOT NULL,
    subject              TEXT NOT NULL,
    from_user            TEXT,
    from_host            TEXT,
    from_name            TEXT,
    to_user              TEXT NOT NULL,
    trunk_id             TEXT,
    queue_id             TEXT,
    agent_id             TEXT,
    offer_id             TEXT,
    caller_leg           TEXT NOT NULL,
    sip_call_id          TEXT NOT NULL,
    started_at           INTEGER NOT NULL,
    enqueued_at          INTEGER,
    alerting_at          INTEGER,
    answered_at          INTEGER,
    agent_connected_at   INTEGER,
    offers_count         INTEGER NOT NULL,
    ring_ms              INTEGER NOT NULL,
    hold_ms              INTEGER NOT NULL,
    wrap_up_ms           INTEGER NOT NULL,
    late_facts_count     INTEGER NOT NULL,
    superseded           TEXT NOT NULL,
    wrap_up_started_at   INTEGER,
    ended_at             INTEGER NOT NULL,
    disposition          TEXT NOT NULL,
    result               TEXT NOT NULL,
    reason               TEXT NOT NULL,
    hangup_by            TEXT NOT NULL,
    sip_status           INTEGER,
    q850_cause           INTEGER,
    reason_header        TEXT,
    incomplete           INTEGER NOT NULL,
    setup_ms             INTEGER,
    duration_ms          INTEGER NOT NULL,
    billable_ms          INTEGER NOT NULL,
    wait_ms              INTEGER NOT NULL,
    talk_ms              INTEGER NOT NULL
) STRICT;
CREATE INDEX cdr_by_start ON cdr (started_at, call_id);
CREATE INDEX cdr_by_subject ON cdr (subject, started_at);
CREATE INDEX cdr_by_queue ON cdr (queue_id, started_at);
CREATE INDEX cdr_by_agent ON cdr (agent_id, started_at);
