-- On SQLite this step takes a computed column out of the table. Here metadata is
-- stored, as postgres-es expects it.
SELECT 1;
