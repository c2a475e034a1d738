-- What agents are good at, and where they stand in queues, as JSON lists.
ALTER TABLE agent_states ADD COLUMN skills TEXT NOT NULL DEFAULT '[]';
ALTER TABLE agent_states ADD COLUMN places TEXT NOT NULL DEFAULT '[]';
