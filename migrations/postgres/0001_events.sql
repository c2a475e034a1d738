-- The log: every event in one total order. The first seven columns are the ones
-- of postgres-es, by name and type, so that its repository can read the table.
CREATE TABLE events (
    aggregate_type  text        NOT NULL,
    aggregate_id    text        NOT NULL,                    -- the stream's whole name
    sequence        bigint      NOT NULL CHECK (sequence > 0),
    event_type      text        NOT NULL,
    event_version   text        NOT NULL,
    payload         json        NOT NULL,
    metadata        json        NOT NULL,
    global_position bigint      PRIMARY KEY,
    event_id        uuid        NOT NULL,
    command_id      uuid        NOT NULL,
    tenant          uuid        NOT NULL,
    correlation_id  uuid        NOT NULL,
    causation_id    uuid        NOT NULL,
    actor           text        NOT NULL,
    node_epoch      bigint      NOT NULL,
    recorded_at     timestamptz NOT NULL,
    -- A stream's name is unique over all types, so this is stronger than
    -- (aggregate_type, aggregate_id, sequence).
    CONSTRAINT events_by_stream UNIQUE (aggregate_id, sequence)
);

CREATE FUNCTION es_refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the log is append-only'; END $$;
CREATE TRIGGER events_are_not_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION es_refuse_change();

-- What each command did: a retry hears the first answer again.
CREATE TABLE es_commands (
    command_id uuid   PRIMARY KEY,
    stream     text   NOT NULL,
    version    bigint NOT NULL,
    position   bigint NOT NULL
);
