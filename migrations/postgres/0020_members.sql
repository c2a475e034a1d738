-- Runs of nodes that share this log. A run whose lease is over may be fenced by
-- another, which takes the next run number of its name: the log refuses the
-- older run from that commit on.
CREATE TABLE es_members (
    epoch       bigint      PRIMARY KEY REFERENCES es_nodes (epoch),
    name        text        NOT NULL,
    sip         text        NOT NULL DEFAULT '',            -- address of its SIP for other nodes
    http        text        NOT NULL DEFAULT '',
    started_at  bigint      NOT NULL,                        -- microseconds since 1970, its own clock
    beat_at     bigint      NOT NULL,                        -- the same: where its calls are taken to have ended
    lease_until timestamptz NOT NULL,                        -- by the clock of this database
    ended       text,                                        -- NULL: it may act; left, fenced, replaced
    ended_at    timestamptz
);
CREATE INDEX es_members_not_over ON es_members (epoch) WHERE ended IS NULL;

-- Who runs the processes and the read models. The token grows with every change
-- of hands.
CREATE TABLE es_leaders (
    role     text        PRIMARY KEY,
    epoch    bigint      NOT NULL,
    token    bigint      NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
