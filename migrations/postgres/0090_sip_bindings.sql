-- Where the phones of agents are. Not rebuilt from the log: addresses are no
-- events. Lost rows come back when the phones register again.
CREATE TABLE sip_bindings (
    agent         text   NOT NULL,
    contact       text   NOT NULL,                           -- contact URI in its comparable form
    uri           text   NOT NULL,                           -- as registered
    send_to       text   NOT NULL,                           -- address and port
    over_tcp      bigint NOT NULL,                           -- 0 or 1
    expires_at_ms bigint NOT NULL,                           -- since 1970
    call_id       text   NOT NULL,
    cseq          bigint NOT NULL,
    q_milli       bigint NOT NULL,
    PRIMARY KEY (agent, contact)
);
