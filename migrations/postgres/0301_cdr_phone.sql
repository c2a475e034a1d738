-- What the caller's phone said it is, which run of which node had the call, and
-- the codec.
ALTER TABLE cdr ADD COLUMN user_agent TEXT;
ALTER TABLE cdr ADD COLUMN node_epoch BIGINT NOT NULL DEFAULT 0;
ALTER TABLE cdr ADD COLUMN codec TEXT;
