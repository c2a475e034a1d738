-- Erasures that were carried out on these keys, each with the place in the
-- record that asks for it. It is kept beside the keys and backed up with them:
-- keys that come back from a backup say by it which erasures they have missed.
CREATE TABLE vault_erasures (
    position     bigint PRIMARY KEY,
    subject      uuid   NOT NULL,
    keys_through bigint NOT NULL
);
