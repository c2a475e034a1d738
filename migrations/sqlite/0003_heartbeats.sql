-- When each node was last alive, written about once a second: where a call that
-- a crash has cut is taken to have ended.
CREATE TABLE node_heartbeats (
    node_epoch INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL                              -- microseconds since 1970
) STRICT;
