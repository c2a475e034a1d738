-- How long each run may be silent: the others judge it by the time that passes for
-- them, not by a clock that can be set.
ALTER TABLE es_members ADD COLUMN lease_ms bigint NOT NULL DEFAULT 5000;
