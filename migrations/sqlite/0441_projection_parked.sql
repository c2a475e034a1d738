-- Why a projection does not go on, for the nodes that do not lead and for whoever
-- looks after a restart.
ALTER TABLE es_projections ADD COLUMN parked_at INTEGER;
ALTER TABLE es_projections ADD COLUMN parked_reason TEXT;
-- Of rows that are built beside the live ones: they take their place when they are as
-- far, also after a restart.
ALTER TABLE es_projections ADD COLUMN then_switch INTEGER NOT NULL DEFAULT 0;
