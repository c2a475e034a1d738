-- The message that a caller left, or was to leave.
ALTER TABLE cdr ADD COLUMN mailbox_id TEXT;
ALTER TABLE cdr ADD COLUMN voicemail_id TEXT;
ALTER TABLE cdr ADD COLUMN voicemail_outcome TEXT;
ALTER TABLE cdr ADD COLUMN voicemail_ms BIGINT;
ALTER TABLE cdr ADD COLUMN voicemail_position BIGINT NOT NULL DEFAULT 0;
