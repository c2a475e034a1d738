-- How far each read model is, and the version of its rows.
CREATE TABLE es_projections (
    name     TEXT   PRIMARY KEY,
    version  BIGINT NOT NULL,
    position BIGINT NOT NULL
);
