-- How much has been said of an agent's logins; rows are built anew with it.
ALTER TABLE agent_states ADD COLUMN session_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE agent_states ADD COLUMN session_revision BIGINT NOT NULL DEFAULT 0;
