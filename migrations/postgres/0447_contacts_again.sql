-- Whether somebody who had a contact came again to the same queue.
CREATE INDEX cdr_contacts ON cdr (subject, queue_id, started_at) WHERE agent_connected_at IS NOT NULL;
CREATE INDEX live_calls_by_subject ON live_calls (subject);
