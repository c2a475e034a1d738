-- Whether the bytes of the keys that an erasure destroyed are out of the file too:
-- that is done after it, and by itself where there was no room for it.
ALTER TABLE vault_erasures ADD COLUMN is_clean INTEGER NOT NULL DEFAULT 0;
