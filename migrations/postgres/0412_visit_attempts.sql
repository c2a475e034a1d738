-- How many rounds of offers of a stay came to nothing; rows are built anew with it.
ALTER TABLE visits ADD COLUMN attempts BIGINT NOT NULL DEFAULT 0;
