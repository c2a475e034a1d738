-- Whose the call was, and how its sound travelled on each side.
ALTER TABLE cdr ADD COLUMN tenant_id TEXT NOT NULL DEFAULT '00000000-0000-8000-8000-000000000001';
ALTER TABLE cdr ADD COLUMN codec_in TEXT;
ALTER TABLE cdr ADD COLUMN codec_out TEXT;
ALTER TABLE cdr ADD COLUMN device TEXT;
