-- What people note about a call: tags, each between commas, and a text of their own.
ALTER TABLE live_calls ADD COLUMN tags TEXT NOT NULL DEFAULT '';
ALTER TABLE live_calls ADD COLUMN user_field_subject TEXT;
ALTER TABLE live_calls ADD COLUMN user_field_position INTEGER;
ALTER TABLE live_calls ADD COLUMN user_field TEXT;
ALTER TABLE cdr ADD COLUMN tags TEXT NOT NULL DEFAULT '';
ALTER TABLE cdr ADD COLUMN user_field_subject TEXT;
ALTER TABLE cdr ADD COLUMN user_field_position INTEGER;
ALTER TABLE cdr ADD COLUMN user_field TEXT;
CREATE INDEX cdr_by_user_field ON cdr (user_field_subject) WHERE user_field_subject IS NOT NULL;
