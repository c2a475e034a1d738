-- States of long streams as of a version, so that they are not read from their
-- first event. A cache: losing it costs time, and nothing else.
CREATE TABLE es_snapshots (
    stream   text   PRIMARY KEY,
    shape    bigint NOT NULL,                                -- version of the state's form
    version  bigint NOT NULL,                                -- of the stream
    event_id text   NOT NULL,                                -- of the event with that version
    state    text   NOT NULL                                 -- JSON
);
