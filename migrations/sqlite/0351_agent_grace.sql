-- How long an agent's last phone may be gone, and why the agent is left alone; rows are
-- built anew with them.
ALTER TABLE agent_states ADD COLUMN registration_grace_ms INTEGER NOT NULL DEFAULT 10000;
ALTER TABLE agent_states ADD COLUMN left_alone TEXT;
