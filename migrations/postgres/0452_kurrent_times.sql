-- When KurrentDB took each event, and which it took at an earlier time than the one
-- before. The index is made anew from $all with it.
DELETE FROM kurrent_progress;
DELETE FROM kurrent_events;
DELETE FROM kurrent_commands;
ALTER TABLE kurrent_events ADD COLUMN recorded_at BIGINT NOT NULL DEFAULT 0;
CREATE TABLE kurrent_steps (
    position        BIGINT PRIMARY KEY,
    recorded_before BIGINT NOT NULL,
    recorded_at     BIGINT NOT NULL
);
