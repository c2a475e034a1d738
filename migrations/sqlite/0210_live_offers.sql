-- The offers of a call that are live, as a JSON list, the first of them first:
-- several where phones ring side by side.
ALTER TABLE live_calls ADD COLUMN ringing TEXT NOT NULL DEFAULT '[]';
-- Its stay in the queue.
ALTER TABLE live_calls ADD COLUMN visit_id TEXT;
