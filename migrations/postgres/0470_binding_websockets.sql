-- Whether a phone registered over a WebSocket (0 or 1). over_tcp is 1 then, too: it
-- has a connection, and says that to a node which knows no WebSockets yet.
ALTER TABLE sip_bindings ADD COLUMN over_ws bigint NOT NULL DEFAULT 0;
