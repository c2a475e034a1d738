-- Where the phones of agents are. Not rebuilt from the log: addresses are no
-- events. Lost rows come back when the phones register again.
CREATE TABLE sip_bindings (
    agent         TEXT    NOT NULL,
    contact       TEXT    NOT NULL,                          -- contact URI in its comparable form
    uri           TEXT    NOT NULL,                          -- as registered
    send_to       TEXT    NOT NULL,                          -- address and port
    over_tcp      INTEGER NOT NULL,                          -- 0 or 1
    expires_at_ms INTEGER NOT NULL,                          -- since 1970
    call_id       TEXT    NOT NULL,
    cseq          INTEGER NOT NULL,
    q_milli       INTEGER NOT NULL,
    PRIMARY KEY (agent, contact)
) STRICT;
