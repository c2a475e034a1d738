-- How often an agent has sent the call into another queue: its contacts are on its legs.
ALTER TABLE cdr ADD COLUMN transfers_count BIGINT NOT NULL DEFAULT 0;
CREATE INDEX cdr_transferred ON cdr (ended_at) WHERE transfers_count > 0;
