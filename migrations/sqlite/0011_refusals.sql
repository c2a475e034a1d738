-- A command that was refused is remembered like one that had an effect: it
-- hears the same answer again, and can never have an effect later. Its position
-- is 0 and this column says why: {"code","message","at"}.
ALTER TABLE es_commands ADD COLUMN refusal TEXT;
