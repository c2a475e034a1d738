-- Boards of the past, one every so many events, with everything personal sealed: a cache that can be deleted.
CREATE TABLE board_snapshots (
    position INTEGER PRIMARY KEY,
    slot     INTEGER NOT NULL,
    rules    TEXT NOT NULL,
    board    TEXT NOT NULL
) STRICT;
CREATE INDEX timeline_by_type ON timeline (event_type, position);
