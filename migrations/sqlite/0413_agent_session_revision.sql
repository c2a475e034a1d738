-- How much has been said of an agent's logins; rows are built anew with it.
ALTER TABLE agent_states ADD COLUMN session_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE agent_states ADD COLUMN session_revision INTEGER NOT NULL DEFAULT 0;
