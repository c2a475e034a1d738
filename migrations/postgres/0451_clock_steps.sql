-- Events that were taken at an earlier time than the one before them: there the clock
-- was set back. In between the times only grow, so that what was taken by an instant is
-- found by halving, without an index that every append would pay for.
CREATE TABLE es_clock_steps (
    position        bigint      PRIMARY KEY,
    recorded_before timestamptz NOT NULL,                    -- of the event before it
    recorded_at     timestamptz NOT NULL
);
INSERT INTO es_clock_steps (position, recorded_before, recorded_at)
SELECT global_position, recorded_before, recorded_at
  FROM (SELECT global_position, recorded_at,
               lag(recorded_at) OVER (ORDER BY global_position) AS recorded_before
          FROM events) e
 WHERE recorded_at < recorded_before;

-- The appends of 0011, which also note that. All events of a batch are taken at one time.
CREATE OR REPLACE FUNCTION es_append(
    a_stream text[], a_type text[], a_expected bigint[], a_events bigint[], a_leader int[],
    a_change_first int[], a_change_last int[],
    c_append int[], c_command uuid[], c_leader int[], c_tenant uuid[], c_correlation uuid[],
    c_causation uuid[], c_actor text[], c_epoch bigint[], c_metadata text[], c_version bigint[],
    c_offset bigint[],
    e_change int[], e_offset bigint[], e_id uuid[], e_type text[], e_version text[], e_payload text[],
    repeats boolean,
    OUT starts bigint[], OUT actuals bigint[], OUT fenced boolean[], OUT known int[],
    OUT known_stream text[], OUT known_version bigint[], OUT known_position bigint[],
    OUT known_refusal text[]
) LANGUAGE plpgsql
-- The plans are made once, when the tables may still be empty: they must not
-- read a table that has grown since from end to end.
SET search_path = public, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
    before     bigint;
    last_taken timestamptz;
    taken      timestamptz;
    head       bigint;
    versions   bigint[];
    k_stream   text[];
    k_version  bigint[];
    k_position bigint[];
    k_refusal  text[];
    k_count    bigint;
    old_epochs bigint[];
    duplicate  int;
BEGIN
    PERFORM pg_advisory_xact_lock(731087090301);

    SELECT e.global_position, e.recorded_at INTO before, last_taken
      FROM events e ORDER BY e.global_position DESC LIMIT 1;
    before := coalesce(before, 0);
    head := before;

    SELECT array_agg(k.stream ORDER BY c.n), array_agg(k.version ORDER BY c.n),
           array_agg(k.position ORDER BY c.n), array_agg(k.refusal ORDER BY c.n), count(k.stream)
      INTO k_stream, k_version, k_position, k_refusal, k_count
      FROM unnest(c_command) WITH ORDINALITY AS c (id, n)
      LEFT JOIN es_commands k ON k.command_id = c.id;

    SELECT array_agg(coalesce((SELECT e.sequence FROM events e WHERE e.aggregate_id = a.stream
                               ORDER BY e.sequence DESC LIMIT 1), 0) ORDER BY a.n)
      INTO versions
      FROM unnest(a_stream) WITH ORDINALITY AS a (stream, n);

    -- A run that a newer one of the same name has replaced.
    SELECT array_agg(c.epoch) INTO old_epochs
      FROM (SELECT DISTINCT unnest(c_epoch) AS epoch) c
      JOIN es_nodes n ON n.epoch = c.epoch
     WHERE EXISTS (SELECT 1 FROM es_nodes m WHERE m.name = n.name AND m.epoch > n.epoch);

    starts := array_fill(NULL::bigint, ARRAY[cardinality(a_stream)]);
    actuals := starts;
    known_version := starts;
    known_position := starts;
    known := array_fill(NULL::int, ARRAY[cardinality(a_stream)]);
    known_stream := array_fill(NULL::text, ARRAY[cardinality(a_stream)]);
    known_refusal := known_stream;
    fenced := array_fill(false, ARRAY[cardinality(a_stream)]);

    FOR i IN 1 .. cardinality(a_stream) LOOP
        IF old_epochs IS NOT NULL
           AND c_epoch[a_change_first[i] : a_change_last[i]] && old_epochs THEN
            fenced[i] := true;
            CONTINUE;
        END IF;
        IF repeats OR k_count > 0 THEN
            duplicate := NULL;
            FOR c IN a_change_first[i] .. a_change_last[i] LOOP
                IF k_stream[c_leader[c]] IS NOT NULL THEN
                    duplicate := c;
                    EXIT;
                END IF;
            END LOOP;
            IF duplicate IS NOT NULL THEN
                known[i] := duplicate;
                known_stream[i] := k_stream[c_leader[duplicate]];
                known_version[i] := k_version[c_leader[duplicate]];
                known_position[i] := k_position[c_leader[duplicate]];
                known_refusal[i] := k_refusal[c_leader[duplicate]];
                CONTINUE;
            END IF;
        END IF;
        actuals[i] := versions[a_leader[i]];
        CONTINUE WHEN actuals[i] <> a_expected[i];
        starts[i] := head;
        IF repeats THEN
            FOR c IN a_change_first[i] .. a_change_last[i] LOOP
                k_stream[c_leader[c]] := a_stream[i];
                k_version[c_leader[c]] := c_version[c];
                k_position[c_leader[c]] := head + c_offset[c] + 1;
            END LOOP;
        END IF;
        versions[a_leader[i]] := a_expected[i] + a_events[i];
        head := head + a_events[i];
    END LOOP;

    IF head > before THEN
        taken := clock_timestamp();
        IF taken < last_taken THEN
            INSERT INTO es_clock_steps (position, recorded_before, recorded_at)
            VALUES (before + 1, last_taken, taken);
        END IF;

        INSERT INTO es_commands (command_id, stream, version, position)
        SELECT c.command, a_stream[c.append], c.version, starts[c.append] + c.last + 1
          FROM unnest(c_command, c_append, c_version, c_offset) AS c (command, append, version, last)
         WHERE starts[c.append] IS NOT NULL;

        INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version,
            payload, metadata, global_position, event_id, command_id, tenant, correlation_id,
            causation_id, actor, node_epoch, recorded_at)
        SELECT a_type[c_append[e.change]], a_stream[c_append[e.change]],
               a_expected[c_append[e.change]] + e.nth + 1, e.type, e.version, e.payload::json,
               c_metadata[e.change]::json, starts[c_append[e.change]] + e.nth + 1, e.id,
               c_command[e.change], c_tenant[e.change], c_correlation[e.change],
               c_causation[e.change], c_actor[e.change], c_epoch[e.change], taken
          FROM unnest(e_change, e_offset, e_id, e_type, e_version, e_payload)
               AS e (change, nth, id, type, version, payload)
         WHERE starts[c_append[e.change]] IS NOT NULL;

        PERFORM pg_notify('ringledger_log', head::text);
    END IF;
END $$;

CREATE OR REPLACE FUNCTION es_append_next(
    c_command uuid[], c_stream text[], c_version bigint[], c_last bigint[],
    e_kind text[], e_stream text[], e_sequence bigint[], e_type text[], e_version text[],
    e_payload text[], e_metadata text[], e_id uuid[], e_command uuid[], e_tenant uuid[],
    e_correlation uuid[], e_causation uuid[], e_actor text[], e_epoch bigint[], epochs bigint[]
) RETURNS bigint LANGUAGE plpgsql
SET search_path = public, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
    before     bigint;
    last_taken timestamptz;
    taken      timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(731087090301);

    IF EXISTS (SELECT 1 FROM unnest(epochs) AS c (epoch)
                 JOIN es_nodes n ON n.epoch = c.epoch
                WHERE EXISTS (SELECT 1 FROM es_nodes m
                               WHERE m.name = n.name AND m.epoch > n.epoch)) THEN
        RETURN NULL;
    END IF;

    SELECT e.global_position, e.recorded_at INTO before, last_taken
      FROM events e ORDER BY e.global_position DESC LIMIT 1;
    before := coalesce(before, 0);
    taken := clock_timestamp();
    IF taken < last_taken THEN
        INSERT INTO es_clock_steps (position, recorded_before, recorded_at)
        VALUES (before + 1, last_taken, taken);
    END IF;

    INSERT INTO es_commands (command_id, stream, version, position)
    SELECT c.command, c.stream, c.version, before + c.last
      FROM unnest(c_command, c_stream, c_version, c_last) AS c (command, stream, version, last);

    INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version,
        payload, metadata, global_position, event_id, command_id, tenant, correlation_id,
        causation_id, actor, node_epoch, recorded_at)
    SELECT e.kind, e.stream, e.sequence, e.type, e.version, e.payload::json, e.metadata::json,
           before + e.nth, e.id, e.command, e.tenant, e.correlation, e.causation, e.actor, e.epoch,
           taken
      FROM unnest(e_kind, e_stream, e_sequence, e_type, e_version, e_payload, e_metadata, e_id,
                  e_command, e_tenant, e_correlation, e_causation, e_actor, e_epoch)
           WITH ORDINALITY AS e (kind, stream, sequence, type, version, payload, metadata, id,
                                 command, tenant, correlation, causation, actor, epoch, nth);

    PERFORM pg_notify('ringledger_log', (before + cardinality(e_id))::text);
    RETURN before;
END $$;
