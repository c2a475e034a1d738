-- Refused calls that have no record of their own, summed up.
-- Instants are microseconds since 1970.
CREATE TABLE refusal_sums (
    refusals_id TEXT PRIMARY KEY,
    position    INTEGER NOT NULL,
    reason      TEXT NOT NULL,
    calls_count INTEGER NOT NULL,
    since_at    INTEGER NOT NULL,
    until_at    INTEGER NOT NULL,
    node_epoch  INTEGER NOT NULL
) STRICT;
CREATE INDEX refusal_sums_until ON refusal_sums (until_at, refusals_id);
