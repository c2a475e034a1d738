-- Run numbers of nodes: each start takes the next one. The newest of a name is
-- the one that may write.
CREATE TABLE es_nodes (
    epoch      bigint      PRIMARY KEY,
    name       text        NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX es_nodes_by_name ON es_nodes (name, epoch);
