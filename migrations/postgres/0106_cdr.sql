-- Records of ended calls; those of calls in progress grow in cdr_open. Instants are microseconds since 1970.
CREATE TABLE cdr_open (
    call_id  TEXT PRIMARY KEY,
    position BIGINT NOT NULL,
    record   TEXT NOT NULL
);
CREATE TABLE cdr (
    call_id              TEXT PRIMARY KEY,
    position             BIGINT NOT NULL,
    event_position_first BIGINT NOT NULL,
    revision             BIGINT NOT NULL,
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
    started_at           BIGINT NOT NULL,
    enqueued_at          BIGINT,
    alerting_at          BIGINT,
    answered_at          BIGINT,
    agent_connected_at   BIGINT,
    offers_count         BIGINT NOT NULL,
    ring_ms              BIGINT NOT NULL,
    hold_ms              BIGINT NOT NULL,
    wrap_up_ms           BIGINT NOT NULL,
    late_facts_count     BIGINT NOT NULL,
    superseded           TEXT NOT NULL,
    wrap_up_started_at   BIGINT,
    ended_at             BIGINT NOT NULL,
    disposition          TEXT NOT NULL,
    result               TEXT NOT NULL,
    reason               TEXT NOT NULL,
    hangup_by            TEXT NOT NULL,
    sip_status           BIGINT,
    q850_cause           BIGINT,
    reason_header        TEXT,
    incomplete           BIGINT NOT NULL,
    setup_ms             BIGINT,
    duration_ms          BIGINT NOT NULL,
    billable_ms          BIGINT NOT NULL,
    wait_ms              BIGINT NOT NULL,
    talk_ms              BIGINT NOT NULL
);
CREATE INDEX cdr_by_start ON cdr (started_at, call_id);
CREATE INDEX cdr_by_subject ON cdr (subject, started_at);
CREATE INDEX cdr_by_queue ON cdr (queue_id, started_at);
CREATE INDEX cdr_by_agent ON cdr (agent_id, started_at);
