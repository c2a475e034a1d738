-- By which a stay is measured: as its queue said when the call came.
ALTER TABLE visits ADD COLUMN threshold_ms INTEGER;
ALTER TABLE visits ADD COLUMN short_abandon_ms INTEGER;
