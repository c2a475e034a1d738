-- How long callers had waited who left within the short abandon, together.
ALTER TABLE queue_stats ADD COLUMN short_abandoned_wait_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE queue_stats ADD COLUMN day_short_abandoned_wait_ms BIGINT NOT NULL DEFAULT 0;
