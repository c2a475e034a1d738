-- Data keys, one line for each key that a data subject ever had. Destroying a
-- key keeps the line, so that "destroyed" and "never made" are different answers.
CREATE TABLE vault_keys (
    subject    uuid        NOT NULL,
    number     bigint      NOT NULL CHECK (number > 0),
    data_key   bytea,                                        -- NULL once destroyed
    created_at timestamptz NOT NULL DEFAULT now(),
    erased_at  timestamptz,
    PRIMARY KEY (subject, number)
);

-- The key of the hash that names data subjects; made on first start.
CREATE TABLE vault_master (
    name  text  PRIMARY KEY,
    value bytea NOT NULL
);
