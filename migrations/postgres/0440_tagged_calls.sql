-- Calls that have tags are few: they are looked through without the others.
CREATE INDEX cdr_by_tags ON cdr (started_at, call_id) WHERE tags <> '';
