-- The stay that a call came from, and its own priority.
ALTER TABLE visits ADD COLUMN previous_visit_id TEXT;
ALTER TABLE visits ADD COLUMN priority BIGINT;
