-- Reports count contacts in the interval in which their call ended.
CREATE INDEX cdr_by_end ON cdr (ended_at);
