-- What happens in a queue that no stay tells, by quarter of an hour: calls that were not
-- let in, and offers that came to nothing. Instants are microseconds since 1970.
CREATE TABLE queue_slots (
    slot_id        TEXT PRIMARY KEY,
    position       INTEGER NOT NULL,
    queue_id       TEXT NOT NULL,
    start_at       INTEGER NOT NULL,
    full_count     INTEGER NOT NULL,
    closed_count   INTEGER NOT NULL,
    empty_count    INTEGER NOT NULL,
    returned_count INTEGER NOT NULL
) STRICT;
CREATE INDEX queue_slots_start ON queue_slots (queue_id, start_at);
