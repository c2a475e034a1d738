-- The log: every event in one total order. The first seven columns are the ones
-- of cqrs-es' stores, by name, so that its tools can read the table.
-- `metadata` is computed when somebody reads it: its parts are stored once.
CREATE TABLE events (
    global_position INTEGER PRIMARY KEY,
    aggregate_type  TEXT    NOT NULL,
    aggregate_id    TEXT    NOT NULL,                        -- the stream's whole name
    sequence        INTEGER NOT NULL CHECK (sequence > 0),
    event_type      TEXT    NOT NULL,
    event_version   TEXT    NOT NULL,
    payload         TEXT    NOT NULL,
    event_id        BLOB    NOT NULL,
    command_id      BLOB    NOT NULL,
    tenant          BLOB    NOT NULL,
    correlation_id  BLOB    NOT NULL,
    causation_id    BLOB    NOT NULL,
    actor           TEXT    NOT NULL,
    node_epoch      INTEGER NOT NULL,
    recorded_at     INTEGER NOT NULL,                        -- microseconds since 1970
    metadata        TEXT    GENERATED ALWAYS AS (json_object(
        'tenant', lower(substr(hex(tenant), 1, 8) || '-' || substr(hex(tenant), 9, 4) || '-'
            || substr(hex(tenant), 13, 4) || '-' || substr(hex(tenant), 17, 4) || '-' || substr(hex(tenant), 21)),
        'correlation_id', lower(substr(hex(correlation_id), 1, 8) || '-' || substr(hex(correlation_id), 9, 4) || '-'
            || substr(hex(correlation_id), 13, 4) || '-' || substr(hex(correlation_id), 17, 4) || '-' || substr(hex(correlation_id), 21)),
        'causation_id', lower(substr(hex(causation_id), 1, 8) || '-' || substr(hex(causation_id), 9, 4) || '-'
            || substr(hex(causation_id), 13, 4) || '-' || substr(hex(causation_id), 17, 4) || '-' || substr(hex(causation_id), 21)),
        'actor', actor,
        'node_epoch', node_epoch
    )) VIRTUAL
) STRICT;

-- A stream's name is unique over all types, so this is stronger than
-- (aggregate_type, aggregate_id, sequence).
CREATE UNIQUE INDEX events_by_stream ON events (aggregate_id, sequence);

CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events
BEGIN SELECT raise(ABORT, 'the log is append-only'); END;
CREATE TRIGGER events_are_not_removed BEFORE DELETE ON events
BEGIN SELECT raise(ABORT, 'the log is append-only'); END;

-- What each command did: a retry hears the first answer again.
CREATE TABLE es_commands (
    command_id BLOB    PRIMARY KEY,
    stream     TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    position   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
