-- Who sent the call on to us, and how its sound was.
ALTER TABLE cdr ADD COLUMN diverted_subject TEXT;
ALTER TABLE cdr ADD COLUMN diverted_user TEXT;
ALTER TABLE cdr ADD COLUMN diverted_host TEXT;
ALTER TABLE cdr ADD COLUMN diverted_name TEXT;
ALTER TABLE cdr ADD COLUMN diverted_reason TEXT;
ALTER TABLE cdr ADD COLUMN mos_hundredths INTEGER;
ALTER TABLE cdr ADD COLUMN loss_ppm INTEGER;
ALTER TABLE cdr ADD COLUMN jitter_us INTEGER;
ALTER TABLE cdr ADD COLUMN rtt_us INTEGER;
CREATE INDEX cdr_by_diverter ON cdr (diverted_subject) WHERE diverted_subject IS NOT NULL;
