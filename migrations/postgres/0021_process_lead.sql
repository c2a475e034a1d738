-- Under which fencing token the rows of processes were saved last: a node that
-- was replaced can not save over its successor.
CREATE TABLE process_lead (
    id    BIGINT PRIMARY KEY CHECK (id = 1),
    token BIGINT NOT NULL
);
INSERT INTO process_lead (id, token) VALUES (1, 0);
