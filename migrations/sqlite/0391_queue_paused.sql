-- The agents that a queue offers nothing for now: who said so, why, since when.
ALTER TABLE queue_stats ADD COLUMN paused TEXT;
