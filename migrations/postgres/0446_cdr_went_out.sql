-- When the first INVITE of the call went out by a trunk; none of a call that only came in.
ALTER TABLE cdr ADD COLUMN went_out_at BIGINT;
CREATE INDEX cdr_by_way_out ON cdr (went_out_at, call_id) WHERE went_out_at IS NOT NULL;
