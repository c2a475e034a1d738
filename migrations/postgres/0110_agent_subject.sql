-- Whose data an agent's display name is, so that it can be let go.
ALTER TABLE agent_states ADD COLUMN subject TEXT;
