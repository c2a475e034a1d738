-- Legs with their segments, and since when each revision stands.
ALTER TABLE cdr ADD COLUMN ended_position INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cdr ADD COLUMN revised_position INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cdr ADD COLUMN legs TEXT NOT NULL DEFAULT '[]';
CREATE INDEX cdr_by_trunk ON cdr (trunk_id, started_at);
CREATE INDEX cdr_by_disposition ON cdr (disposition, started_at);
CREATE INDEX cdr_by_dialled ON cdr (to_user, started_at);
