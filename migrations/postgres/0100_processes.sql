-- One row a process: what it knows, how far it has read, what it waits for.
CREATE TABLE es_processes (
    name     TEXT   PRIMARY KEY,
    version  BIGINT NOT NULL,
    position BIGINT NOT NULL,
    state    TEXT   NOT NULL                                 -- JSON
);
