-- One row a process: what it knows, how far it has read, what it waits for.
CREATE TABLE es_processes (
    name     TEXT    PRIMARY KEY,
    version  INTEGER NOT NULL,
    position INTEGER NOT NULL,
    state    TEXT    NOT NULL                                -- JSON
) STRICT;
