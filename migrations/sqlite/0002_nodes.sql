-- Run numbers of nodes: each start takes the next one. The newest of a name is
-- the one that may write.
CREATE TABLE es_nodes (
    epoch      INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL,
    started_at INTEGER NOT NULL                              -- microseconds since 1970
) STRICT;
