-- What leaves the database by itself: how far each webhook has read the log, and
-- the letters that its receiver has not taken yet. The event is in the log; a
-- letter is its id, so the same event is never noted twice.
CREATE TABLE outbox_places (
    webhook      TEXT   PRIMARY KEY,
    position     BIGINT NOT NULL,
    delivered    BIGINT NOT NULL,                            -- letters that were taken
    delivered_at BIGINT                                      -- when the last one was
);
CREATE TABLE outbox_letters (
    webhook  TEXT   NOT NULL,
    event_id TEXT   NOT NULL,
    position BIGINT NOT NULL,
    stream   TEXT   NOT NULL,
    attempts BIGINT NOT NULL,
    due_at   BIGINT NOT NULL,
    is_dead  BIGINT NOT NULL,                                -- 1: given up, a person must look
    error    TEXT,                                           -- of the last attempt
    PRIMARY KEY (webhook, event_id)
);
CREATE INDEX outbox_letters_by_position ON outbox_letters (webhook, is_dead, position);
CREATE INDEX outbox_letters_by_stream ON outbox_letters (webhook, is_dead, stream, position);
