-- What a person has said of a queue's doors: open or closed, by whom, why, since when.
ALTER TABLE queue_stats ADD COLUMN by_hand TEXT;
