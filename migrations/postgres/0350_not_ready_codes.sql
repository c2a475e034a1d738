-- Why an agent is not ready, in a word of the settings, with what they said of it.
ALTER TABLE agent_states ADD COLUMN code TEXT;
ALTER TABLE agent_states ADD COLUMN next_code TEXT;
ALTER TABLE agent_log ADD COLUMN code TEXT;
