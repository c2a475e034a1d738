-- Which open visits of a queue are with an agent, as a JSON list of their ids: matched_count is their number.
ALTER TABLE queue_stats ADD COLUMN matched TEXT NOT NULL DEFAULT '[]';
