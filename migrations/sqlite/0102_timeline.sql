-- Everything that happened, one row an event, in order. Added to, never changed. Instants are microseconds since 1970.
CREATE TABLE timeline (
    position    INTEGER PRIMARY KEY,
    event_id    TEXT NOT NULL,
    category    TEXT NOT NULL,
    version     INTEGER NOT NULL,
    event_type  TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    call_id     TEXT,
    agent_id    TEXT,
    queue_id    TEXT,
    payload     TEXT NOT NULL
) STRICT;
CREATE INDEX timeline_by_call ON timeline (call_id, position);
CREATE INDEX timeline_by_agent ON timeline (agent_id, position);
