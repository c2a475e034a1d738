-- Which way a call in progress goes: those that we placed were shown as if they came in.
ALTER TABLE live_calls ADD COLUMN direction TEXT NOT NULL DEFAULT 'inbound';
