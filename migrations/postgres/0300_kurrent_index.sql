-- Only for a log on KurrentDB: the rank of each event in $all, and what each
-- command did. Made from $all; whoever empties the three tables has them made anew.
CREATE TABLE kurrent_progress (
    name             TEXT PRIMARY KEY,
    position         BIGINT NOT NULL,
    commit_position  BIGINT NOT NULL,
    prepare_position BIGINT NOT NULL
);
CREATE TABLE kurrent_events (
    position         BIGINT PRIMARY KEY,
    commit_position  BIGINT NOT NULL,
    prepare_position BIGINT NOT NULL,
    stream           TEXT NOT NULL,
    version          BIGINT NOT NULL
);
CREATE UNIQUE INDEX kurrent_events_by_stream ON kurrent_events (stream, version);
CREATE TABLE kurrent_commands (
    command_id TEXT PRIMARY KEY,
    stream     TEXT NOT NULL,
    version    BIGINT NOT NULL,
    position   BIGINT NOT NULL,
    refusal    TEXT
);
