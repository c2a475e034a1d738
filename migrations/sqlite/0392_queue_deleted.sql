-- Who has taken a queue away, why and when.
ALTER TABLE queue_stats ADD COLUMN deleted TEXT;
