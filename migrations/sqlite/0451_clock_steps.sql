-- Events that were taken at an earlier time than the one before them: there the clock
-- was set back. In between the times only grow, so that what was taken by an instant is
-- found by halving, without an index that every append would pay for.
CREATE TABLE es_clock_steps (
    position        INTEGER PRIMARY KEY,
    recorded_before INTEGER NOT NULL,                        -- of the event before it
    recorded_at     INTEGER NOT NULL
) STRICT;
INSERT INTO es_clock_steps (position, recorded_before, recorded_at)
SELECT global_position, recorded_before, recorded_at
  FROM (SELECT global_position, recorded_at,
               lag(recorded_at) OVER (ORDER BY global_position) AS recorded_before
          FROM events)
 WHERE recorded_at < recorded_before;
