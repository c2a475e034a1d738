-- Who is to ring somebody back, and for how long that one alone is asked.
ALTER TABLE callbacks ADD COLUMN wanted TEXT;
