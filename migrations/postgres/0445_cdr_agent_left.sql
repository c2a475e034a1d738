-- When somebody took the call from the agent who had answered it; none of any other call.
ALTER TABLE cdr ADD COLUMN agent_left_at BIGINT;
