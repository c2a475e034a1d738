-- The message that a caller left, or was to leave.
ALTER TABLE cdr ADD COLUMN mailbox_id TEXT;
ALTER TABLE cdr ADD COLUMN voicemail_id TEXT;
ALTER TABLE cdr ADD COLUMN voicemail_outcome TEXT;
ALTER TABLE cdr ADD COLUMN voicemail_ms INTEGER;
ALTER TABLE cdr ADD COLUMN voicemail_position INTEGER NOT NULL DEFAULT 0;
