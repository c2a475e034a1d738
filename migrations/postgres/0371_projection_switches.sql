-- How often the rows that readers see were replaced by others: a node that stands by
-- tells its subscribers to read again, also where version and position are the same.
ALTER TABLE es_projections ADD COLUMN switches BIGINT NOT NULL DEFAULT 0;
