-- What proves who somebody is (HA1, API tokens): never in an event.
CREATE TABLE secrets (
    kind  text NOT NULL,
    key   text NOT NULL,
    value text NOT NULL,
    PRIMARY KEY (kind, key)
);
