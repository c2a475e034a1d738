-- Refused calls that have no record of their own, summed up.
-- Instants are microseconds since 1970.
CREATE TABLE refusal_sums (
    refusals_id TEXT PRIMARY KEY,
    position    BIGINT NOT NULL,
    reason      TEXT NOT NULL,
    calls_count BIGINT NOT NULL,
    since_at    BIGINT NOT NULL,
    until_at    BIGINT NOT NULL,
    node_epoch  BIGINT NOT NULL
);
CREATE INDEX refusal_sums_until ON refusal_sums (until_at, refusals_id);
