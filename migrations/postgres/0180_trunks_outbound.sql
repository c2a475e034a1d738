-- What goes out through a trunk, and what is forwarded, each as JSON.
ALTER TABLE trunks ADD COLUMN outbound TEXT NOT NULL DEFAULT '{}';
ALTER TABLE trunks ADD COLUMN forwards TEXT NOT NULL DEFAULT '[]';
