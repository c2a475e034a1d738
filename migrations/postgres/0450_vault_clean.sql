-- Whether the bytes of the keys that an erasure destroyed are out of the table's file
-- too: that is done after it, and by itself where something held the table.
ALTER TABLE vault_erasures ADD COLUMN is_clean boolean NOT NULL DEFAULT false;
