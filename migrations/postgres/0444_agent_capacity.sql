-- How many calls an agent may have at once, all that it does, and what goes on beside a
-- change of its state; rows are built anew with them.
ALTER TABLE agent_states ADD COLUMN capacity BIGINT NOT NULL DEFAULT 1;
ALTER TABLE agent_states ADD COLUMN engagements TEXT NOT NULL DEFAULT '[]';
ALTER TABLE agent_log ADD COLUMN still TEXT;
