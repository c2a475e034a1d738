-- Stays in queues, one row each: reports are counted from it. Instants are
-- microseconds since 1970.
CREATE TABLE visits (
    visit_id     TEXT PRIMARY KEY,
    position     BIGINT NOT NULL,
    queue_id     TEXT NOT NULL,
    call_id      TEXT NOT NULL,
    opened_at    BIGINT NOT NULL,
    enqueued_at  BIGINT NOT NULL,
    place        BIGINT NOT NULL,
    offers_count BIGINT NOT NULL,
    agent_id     TEXT,
    result       TEXT,
    closed_at    BIGINT,
    wait_ms      BIGINT
);
CREATE INDEX visits_opened ON visits (queue_id, opened_at);
CREATE INDEX visits_closed ON visits (queue_id, closed_at);
CREATE INDEX visits_result ON visits (result, closed_at, visit_id);
CREATE INDEX visits_call ON visits (call_id);
