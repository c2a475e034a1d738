-- How many of a hundred calls were to be answered in time: as the queue said when this one
-- came. It was 80 for all before it could be said.
ALTER TABLE visits ADD COLUMN target_percent INTEGER NOT NULL DEFAULT 80;
