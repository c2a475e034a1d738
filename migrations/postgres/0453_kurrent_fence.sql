-- Who has opened a log on KurrentDB, by number, and what was sent by one who had lost it
-- before: events that nobody counts. Made from $all like the rest of the index.
CREATE TABLE kurrent_claims (
    number BIGINT PRIMARY KEY
);
CREATE TABLE kurrent_voids (
    stream   TEXT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (stream, revision)
);
