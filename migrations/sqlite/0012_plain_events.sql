-- SQLite computes a generated column at every insert, also a virtual one: that
-- cost more than the insert itself. The view has the seven columns of cqrs-es'
-- stores, by name, for its tools.
ALTER TABLE events DROP COLUMN metadata;
CREATE VIEW cqrs_events AS
SELECT aggregate_type, aggregate_id, sequence, event_type, event_version, payload,
       json_object(
           'tenant', lower(substr(hex(tenant), 1, 8) || '-' || substr(hex(tenant), 9, 4) || '-'
               || substr(hex(tenant), 13, 4) || '-' || substr(hex(tenant), 17, 4) || '-'
               || substr(hex(tenant), 21)),
           'correlation_id', lower(substr(hex(correlation_id), 1, 8) || '-'
               || substr(hex(correlation_id), 9, 4) || '-' || substr(hex(correlation_id), 13, 4)
               || '-' || substr(hex(correlation_id), 17, 4) || '-'
               || substr(hex(correlation_id), 21)),
           'causation_id', lower(substr(hex(causation_id), 1, 8) || '-'
               || substr(hex(causation_id), 9, 4) || '-' || substr(hex(causation_id), 13, 4) || '-'
               || substr(hex(causation_id), 17, 4) || '-' || substr(hex(causation_id), 21)),
           'actor', actor,
           'node_epoch', node_epoch
       ) AS metadata,
       global_position
  FROM events;
