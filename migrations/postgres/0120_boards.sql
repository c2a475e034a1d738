-- Boards of the past, one every so many events, with everything personal sealed: a cache that can be deleted.
CREATE TABLE board_snapshots (
    position BIGINT PRIMARY KEY,
    slot     BIGINT NOT NULL,
    rules    TEXT   NOT NULL,
    board    TEXT   NOT NULL
);
CREATE INDEX timeline_by_type ON timeline (event_type, position);
