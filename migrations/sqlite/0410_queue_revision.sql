-- How much has been said of a queue; rows are built anew with it.
ALTER TABLE queue_stats ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
