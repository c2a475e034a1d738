-- Who has opened a log on KurrentDB, by number, and what was sent by one who had lost it
-- before: events that nobody counts. Made from $all like the rest of the index.
CREATE TABLE kurrent_claims (
    number INTEGER PRIMARY KEY
) STRICT;
CREATE TABLE kurrent_voids (
    stream   TEXT NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (stream, revision)
) STRICT;
