-- States of long streams as of a version, so that they are not read from their
-- first event. A cache: losing it costs time, and nothing else.
CREATE TABLE es_snapshots (
    stream   TEXT    PRIMARY KEY,
    shape    INTEGER NOT NULL,                               -- version of the state's form
    version  INTEGER NOT NULL,                               -- of the stream
    event_id TEXT    NOT NULL,                               -- of the event with that version
    state    TEXT    NOT NULL                                -- JSON
) STRICT;
