-- Only for a log on KurrentDB: the rank of each event in $all, and what each
-- command did. Made from $all; whoever empties the three tables has them made anew.
CREATE TABLE kurrent_progress (
    name             TEXT PRIMARY KEY,
    position         INTEGER NOT NULL,
    commit_position  INTEGER NOT NULL,
    prepare_position INTEGER NOT NULL
) STRICT;
CREATE TABLE kurrent_events (
    position         INTEGER PRIMARY KEY,
    commit_position  INTEGER NOT NULL,
    prepare_position INTEGER NOT NULL,
    stream           TEXT NOT NULL,
    version          INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX kurrent_events_by_stream ON kurrent_events (stream, version);
CREATE TABLE kurrent_commands (
    command_id TEXT PRIMARY KEY,
    stream     TEXT NOT NULL,
    version    INTEGER NOT NULL,
    position   INTEGER NOT NULL,
    refusal    TEXT
) STRICT;
