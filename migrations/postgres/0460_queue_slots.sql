-- What happens in a queue that no stay tells, by quarter of an hour: calls that were not
-- let in, and offers that came to nothing. Instants are microseconds since 1970.
CREATE TABLE queue_slots (
    slot_id        TEXT PRIMARY KEY,
    position       BIGINT NOT NULL,
    queue_id       TEXT NOT NULL,
    start_at       BIGINT NOT NULL,
    full_count     BIGINT NOT NULL,
    closed_count   BIGINT NOT NULL,
    empty_count    BIGINT NOT NULL,
    returned_count BIGINT NOT NULL
);
CREATE INDEX queue_slots_start ON queue_slots (queue_id, start_at);
