-- Which node a phone registered at, and whether only that one can reach it: over
-- its connection, or through its NAT. A binding without a row here is of a store
-- that one node has for itself.
CREATE TABLE sip_binding_nodes (
    agent      text    NOT NULL,
    contact    text    NOT NULL,
    node       text    NOT NULL,
    flow_bound bigint NOT NULL,                                  -- 0 or 1
    PRIMARY KEY (agent, contact)
);
