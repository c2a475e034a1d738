PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE schema_migrations (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL) STRICT;
INSERT INTO schema_migrations VALUES(3,'0003_heartbeats','2026-11-27 22:58:44');
INSERT INTO schema_migrations VALUES(90,'0090_sip_bindings','2026-11-27 22:58:44');
INSERT INTO schema_migrations VALUES(100,'0100_processes','2026-11-27 22:58:44');
INSERT INTO schema_migrations VALUES(101,'0101_projections','2026-11-27 22:58:44');
INSERT INTO schema_migrations VALUES(102,'0102_timeline','2026-11-27 22:58:44');
INSERT INTO schema_migrations VALUES(103,'0103_live_calls','2026-11-27 22:58:44');
INSERT INTO schema_migrations VALUES(104,'0104_agent_states','2026-11-27 22:58:44');
INSERT INTO schema_migrations VALUES(105,'0105_queue_stats','2026-11-27 22:58:44');
INSERT INTO schema_migrations VALUES(106,'0106_cdr','2026-11-27 22:58:44');
INSERT INTO schema_migrations VALUES(107,'0107_trunks','2026-11-27 22:58:44');
INSERT INTO schema_migrations VALUES(108,'0108_queue_matched','2026-11-27 22:58:44');
CREATE TABLE node_heartbeats (
    node_epoch INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL                              -- microseconds since 1970
) STRICT;
INSERT INTO node_heartbeats VALUES(1,1795820330537809);
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
CREATE TABLE es_processes (
    name     TEXT    PRIMARY KEY,
    version  INTEGER NOT NULL,
    position INTEGER NOT NULL,
    state    TEXT    NOT NULL                                -- JSON
) STRICT;
INSERT INTO es_processes VALUES('registration',2,92,'{"state":{"agents":{"35df411c-933d-52aa-86f9-45b1032e2b75":{"ready_on_register":true,"bindings":["ac074b20-05b7-5e26-a1d2-8904b9131e7a"],"last_session":1,"logged_in":true,"login_asked":false},"ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf":{"ready_on_register":true,"bindings":["e9eada88-48e1-55ae-b73b-8d874a69dee8"],"last_session":1,"logged_in":true,"login_asked":false}}},"outstanding":[]}');
INSERT INTO es_processes VALUES('recovery',1,92,'{"state":{"live":[]},"outstanding":[]}');
INSERT INTO es_processes VALUES('enqueue',2,92,'{"state":{"queues":{"01985374-d779-593f-8bcd-10eb33321850":[1,{"strategy":"longest_idle","ring_timeout_ms":10000,"wrap_up_ms":1000,"answer_mode":"immediate","max_wait_ms":0,"capacity":100,"service_level_threshold_ms":5000,"numbers":[]}]},"due":[],"due_of":{},"opening":{}},"outstanding":[]}');
INSERT INTO es_processes VALUES('routing',1,92,'{"state":{"board":{"visits":{},"agents":{"35df411c-933d-52aa-86f9-45b1032e2b75":{"session":{"agent":"35df411c-933d-52aa-86f9-45b1032e2b75","number":1},"seen_version":18,"activity":"Engaged","idle_since":"2026-11-27T22:58:49.026309Z","not_before":null,"queues":["01985374-d779-593f-8bcd-10eb33321850"],"wish":null},"ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf":{"session":{"agent":"ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf","number":1},"seen_version":14,"activity":"Free","idle_since":"2026-11-27T22:58:49.034583Z","not_before":null,"queues":["01985374-d779-593f-8bcd-10eb33321850"],"wish":null}},"wishes":{},"lines":{"01985374-d779-593f-8bcd-10eb33321850":[]},"free":{"01985374-d779-593f-8bcd-10eb33321850":[["2026-11-27T22:58:49.034583Z","ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf"]]},"staffed":{"01985374-d779-593f-8bcd-10eb33321850":["35df411c-933d-52aa-86f9-45b1032e2b75","ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf"]},"changed":[],"pauses":[]}},"outstanding":[]}');
INSERT INTO es_processes VALUES('offer',2,92,'{"state":{"live":{},"due":[]},"outstanding":[]}');
INSERT INTO es_processes VALUES('wrap_up',1,92,'{"state":{"due":[["2026-11-27T22:58:50.702971Z","35df411c-933d-52aa-86f9-45b1032e2b75","01a21f3b-8ac4-7003-b467-08e4db778c0f"]],"running":{"35df411c-933d-52aa-86f9-45b1032e2b75":[1,"01a21f3b-8ac4-7003-b467-08e4db778c0f","2026-11-27T22:58:50.702971Z"]}},"outstanding":[]}');
CREATE TABLE es_projections (
    name     TEXT   PRIMARY KEY,
    version  INTEGER NOT NULL,
    position INTEGER NOT NULL
) STRICT;
INSERT INTO es_projections VALUES('timeline',1,96);
INSERT INTO es_projections VALUES('live_calls',1,96);
INSERT INTO es_projections VALUES('agent_states',1,96);
INSERT INTO es_projections VALUES('queue_stats',2,96);
INSERT INTO es_projections VALUES('cdr',1,96);
INSERT INTO es_projections VALUES('trunks',1,96);
CREATE TABLE timeline (
    position    INTEGER PRIMARY KEY,
    event_id    TEXT NOT NULL,
    category    TEXT NOT NULL,
    version     INTEGER NOT NULL,
    event_type  TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    call_id     TEXT,
    agent_id    TEXT,
    queue_id    TEXT,
    payload     TEXT NOT NULL
) STRICT;
INSERT INTO timeline VALUES(1,'01a21f3b-8522-7001-b810-9b8ab2d50d91','queue',1,'queue_created',1795820324130120,NULL,NULL,'01985374-d779-593f-8bcd-10eb33321850','{"config":{"answer_mode":"immediate","capacity":100,"max_wait_ms":0,"numbers":[],"ring_timeout_ms":10000,"service_level_threshold_ms":5000,"strategy":"longest_idle","wrap_up_ms":1000},"name":"support"}');
INSERT INTO timeline VALUES(2,'01a21f3b-853d-7001-a764-d1ca5972ece8','agent',1,'agent_created',1795820324157777,NULL,'35df411c-933d-52aa-86f9-45b1032e2b75',NULL,'{"config":{"queues":["01985374-d779-593f-8bcd-10eb33321850"],"ready_on_register":true},"name":"anna"}');
INSERT INTO timeline VALUES(3,'01a21f3b-854d-7001-8c82-8e5b3b6ddf0d','agent',1,'agent_created',1795820324173765,NULL,'ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf',NULL,'{"config":{"queues":["01985374-d779-593f-8bcd-10eb33321850"],"ready_on_register":true},"name":"ben"}');
INSERT INTO timeline VALUES(4,'01a21f3b-8a95-7001-91d4-b690d40482c8','device',1,'device_registered',1795820325525953,NULL,'35df411c-933d-52aa-86f9-45b1032e2b75',NULL,'{"agent":"35df411c-933d-52aa-86f9-45b1032e2b75","binding":"ac074b20-05b7-5e26-a1d2-8904b9131e7a","transport":"udp"}');
INSERT INTO timeline VALUES(5,'01a21f3b-8a98-7000-9522-e21a1ec880e3','agentsession',1,'agent_logged_in',1795820325528286,NULL,'35df411c-933d-52aa-86f9-45b1032e2b75',NULL,'{"session":{"agent":"35df411c-933d-52aa-86f9-45b1032e2b75","number":1}}');
INSERT INTO timeline VALUES(6,'01a21f3b-8a98-7001-958b-0a7b7b843d2c','agentsession',2,'agent_became_ready',1795820325528286,NULL,'35df411c-933d-52aa-86f9-45b1032e2b75',NULL,'{}');
INSERT INTO timeline VALUES(7,'01a21f3b-8a9b-7001-8613-e5729bb4b170','device',1,'device_registered',1795820325531699,NULL,'ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf',NULL,'{"agent":"ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf","binding":"e9eada88-48e1-55ae-b73b-8d874a69dee8","transport":"udp"}');
INSERT INTO timeline VALUES(8,'01a21f3b-8a9d-7000-9c24-bdf21de2bb6e','agentsession',1,'agent_logged_in',1795820325533910,NULL,'ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf',NULL,'{"session":{"agent":"ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf","number":1}}');
INSERT INTO timeline VALUES(9,'01a21f3b-8a9d-7001-91f5-dd0ddf09572c','agentsession',2,'agent_became_ready',1795820325533910,NULL,'ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf',NULL,'{}');
INSERT INTO timeline VALUES(10,'01a21f3b-8ac9-7001-b306-cb7aef15b2ce','call',1,'call_received',1795820325577080,'01a21f3b-8ac1-7000-b39b-60a9ce3e1d2c',NULL,NULL,'{"leg":"01a21f3b-8ac1-7001-a23b-5bd70ad8d22f","sip_call_id":"37b689af6b8f2643","to":"support"}');
INSERT INTO timeline VALUES(11,'01a21f3b-8ac9-7002-9646-8e20369cac21','call',2,'call_routed',1795820325577080,'01a21f3b-8ac1-7000-b39b-60a9ce3e1d2c',NULL,'01985374-d779-593f-8bcd-10eb33321850','{"config_version":1,"queue":"01985374-d779-593f-8bcd-10eb33321850"}');
INSERT INTO timeline VALUES(12,'01a21f3b-8ac9-7003-8d74-88215d168db2','call',3,'call_enqueued',1795820325577080,'01a21f3b-8ac1-7000-b39b-60a9ce3e1d2c',NULL,'01985374-d779-593f-8bcd-10eb33321850','{"answer_mode":"immediate","config_version":1,"queue":"01985374-d779-593f-8bcd-10eb33321850","visit":"01a21f3b-8ac1-7002-81d0-6f5905453707"}');
INSERT INTO timeline VALUES(13,'01a21f3b-8ade-7002-8ad1-ec7c2cb373a6','call',1,'call_received',1795820325598107,'01a21f3b-8ac3-7003-b42a-39586a917e3d',NULL,NULL,'{"leg":"01a21f3b-8ac3-7004-8f13-8eedfda0c948","sip_call_id":"b8c0362d5ba8769a","to":"support"}');
INSERT INTO timeline VALUES(14,'01a21f3b-8ade-7003-a431-1eb2cfe2e320','call',2,'call_routed',1795820325598107,'01a21f3b-8ac3-7003-b42a-39586a917e3d',NULL,'01985374-d779-593f-8bcd-10eb33321850','{"config_version":1,"queue":"01985374-d779-593f-8bcd-10eb33321850"}');
INSERT INTO timeline VALUES(15,'01a21f3b-8ade-7004-adb4-6d3f273efddd','call',3,'call_enqueued',1795820325598107,'01a21f3b-8ac3-7003-b42a-39586a917e3d',NULL,'01985374-d779-593f-8bcd-10eb33321850','{"answer_mode":"immediate","config_version":1,"queue":"01985374-d779-593f-8bcd-10eb33321850","visit":"01a21f3b-8ac3-7005-9f6a-1075d40737f6"}');
INSERT INTO timeline VALUES(16,'01a21f3b-8adf-7001-89ac-77a9717892a5','call',1,'call_received',1795820325599408,'01a21f3b-8ac4-7000-a067-54d63b458ed7',NULL,NULL,'{"leg":"01a21f3b-8ac4-7001-9716-2a088f313b8b","sip_call_id":"6dfcfbf2b635a96e","to":"support"}');
INSERT INTO timeline VALUES(17,'01a21f3b-8adf-7002-9fe1-223639cf0130','call',2,'call_routed',1795820325599408,'01a21f3b-8ac4-7000-a067-54d63b458ed7',NULL,'01985374-d779-593f-8bcd-10eb33321850','{"config_version":1,"queue":"01985374-d779-593f-8bcd-10eb33321850"}');
INSERT INTO timeline VALUES(18,'01a21f3b-8adf-7003-803c-d230961606e5','call',3,'call_enqueued',1795820325599408,'01a21f3b-8ac4-7000-a067-54d63b458ed7',NULL,'01985374-d779-593f-8bcd-10eb33321850','{"answer_mode":"immediate","config_version":1,"queue":"01985374-d779-593f-8bcd-10eb33321850","visit":"01a21f3b-8ac4-7002-afdb-6fa850d08e6d"}');
INSERT INTO timeline VALUES(19,'01a21f3b-8ade-7000-8b57-d87a89fcbbc3','call',1,'call_received',1795820325598913,'01a21f3b-8ac3-7000-a9fb-459d6764f2d0',NULL,NULL,'{"leg":"01a21f3b-8ac3-7001-9e37-a09ffcb8c931","sip_call_id":"8aaf383df351b690","to":"support"}');
INSERT INTO timeline VALUES(20,'01a21f3b-8ade-7001-aaf6-74b90c8095f4','call',2,'call_routed',1795820325598913,'01a21f3b-8ac3-7000-a9fb-459d6764f2d0',NULL,'01985374-d779-593f-8bcd-10eb33321850','{"config_version":1,"queue":"01985374-d779-593f-8bcd-10eb33321850"}');
INSERT INTO timeline VALUES(21,'01a21f3b-8ade-7002-85fd-7f95b9cdfcb4','call',3,'call_enqueued',1795820325598913,'01a21f3b-8ac3-7000-a9fb-459d6764f2d0',NULL,'01985374-d779-593f-8bcd-10eb33321850','{"answer_mode":"immediate","config_version":1,"queue":"01985374-d779-593f-8bcd-10eb33321850","visit":"01a21f3b-8ac3-7002-abff-cbe2ae61e8f8"}');
INSERT INTO timeline VALUES(22,'01a21f3b-8adf-7000-bc09-3946c466a157','call',1,'call_received',1795820325599753,'01a21f3b-8ac4-7003-b467-08e4db778c0f',NULL,NULL,'{"leg":"01a21f3b-8ac4-7004-af56-874189e8904a","sip_call_id":"67186ca6baa518e8","to":"support"}');
INSERT INTO timeline VALUES(23,'01a21f3b-8adf-7001-b611-ad5103b4f62c','call',2,'call_routed',1795820325599753,'01a21f3b-8ac4-7003-b467-08e4db778c0f',NULL,'01985374-d779-593f-8bcd-10eb33321850','{"config_version":1,"queue":"01985374-d779-593f-8bcd-10eb33321850"}');
INSERT INTO timeline VALUES(24,'01a21f3b-8adf-7002-b1a8-4132a0db72e0','call',3,'call_enqueued',1795820325599753,'01a21f3b-8ac4-7003-b467-08e4db778c0f',NULL,'01985374-d779-593f-8bcd-10eb33321850','{"answer_mode":"immediate","config_version":1,"queue":"01985374-d779-593f-8bcd-10eb33321850","visit":"01a21f3b-8ac4-7005-b5ba-4957641117c6"}');
INSERT INTO timeline VALUES(25,'01a21f3b-8ae0-7000-bbf2-9422ce8348c3','line',1,'visit_opened',1795820325600239,'01a21f3b-8ac1-7000-b39b-60a9ce3e1d2c',NULL,'01985374-d779-593f-8bcd-10eb33321850','{"call":"01a21f3b-8ac1-7000-b39b-60a9ce3e1d2c","enqueued_at":"2026-11-27T22:58:45.577080Z","policy":{"answer_mode":"immediate","config_version":1,"max_wait_ms":0,"ring_timeout_ms":10000,"wrap_up_ms":1000},"position":1,"visit":"01a21f3b-8ac1-7002-81d0-6f5905453707"}');
INSERT INTO timeline VALUES(26,'01a21f3b-8aeb-7000-95bc-d4a2c37331f8','line',2,'visit_opened',1795820325611247,'01a21f3b-8ac3-7003-b42a-39586a917e3d',NULL,'01985374-d779-593f-8bcd-10eb33321850','{"call":"01a21f3b-8ac3-7003-b42a-39586a917e3d","enqueued_at":"2026-11-27T22:58:45.598107Z","policy":{"answer_mode":"immediate","config_version":1,"max_wait_ms":0,"ring_timeout_ms":10000,"wrap_up_ms":1000},"position":2,"visit":"01a21f3b-8ac3-7005-9f6a-1075d40737f6"}');
INSERT INTO timeline VALUES(27,'01a21f3b-8af3-7000-9abd-940b63742480','call',4,'call_answered',1795820325619247,'01a21f3b-8ac1-7000-b39b-60a9ce3e1d2c',NULL,NULL,'{}');
INSERT INTO timeline VALUES(28,'01a21f3b-8af2-7000-9549-918143af68ee','agentsession',3,'agent_reserved',1795820325618751,'01a21f3b-8ac1-7000-b39b-60a9ce3e1d2c','35df411c-933d-52aa-86f9-45b1032e2b75','01985374-d779-593f-8bcd-10eb33321850','{"call":"01a21f3b-8ac1-7000-b39b-60a9ce3e1d2c","offer":"01a21f3b-8ae0-8438-b577-58fc51868784","queue":"01985374-d779-593f-8bcd-10eb33321850","until":"2026-11-27T22:59:00.600239Z","visit":"01a21f3b-8ac1-7002-81d0-6f5905453707","wrap_up_ms":1000}');
INSERT INTO timeline VALUES(29,'01a21f3b-8af3-7000-9fca-2c024e557561','line',3,'visit_opened',1795820325619159,'01a21f3b-8ac4-7000-a067-54d63b458ed7',NULL,'01985374-d779-593f-8bcd-10eb33321850','{"call":"01a21f3b-8ac4-7000-a067-54d63b458ed7","enqueued_at":"2026-11-27T22:58:45.599408Z","policy":{"answer_mode":"immediate","config_version":1,"max_wait_ms":0,"ring_timeout_ms":10000,"wrap_up_ms":1000},"position":3,"visit":"01a21f3b-8ac4-7002-afdb-6fa850d08e6d"}');
INSERT INTO timeline VALUES(30,'01a21f3b-8af3-7001-ae94-e4cb96a1fa1e','line',4,'visit_opened',1795820325619204,'01a21f3b-8ac3-7000-a9fb-459d6764f2d0',NULL,'01985374-d779-593f-8bcd-10eb33321850','{"call":"01a21f3b-8ac3-7000-a9fb-459d6764f2d0","enqueued_at":"2026-11-27T22:58:45.598913Z","policy":{"answer_mode":"immediate","config_version":1,"max_wait_ms":0,"ring_timeout_ms":10000,"wrap_up_ms":1000},"position":4,"visit":"01a21f3b-8ac3-7002-abff-cbe2ae61e8f8"}');
INSERT INTO timeline VALUES(31,'01a21f3b-8af3-7002-9746-1b98ace3f120','line',5,'visit_opened',1795820325619231,'01a21f3b-8ac4-7003-b467-08e4db778c0f',NULL,'01985374-d779-593f-8bcd-10eb33321850','{"call":"01a21f3b-8ac4-7003-b467-08e4db778c0f","enqueued_at":"2026-11-27T22:58:45.599753Z","policy":{"answer_mode":"immediate","config_version":1,"max_wait_ms":0,"ring_timeout_ms":10000,"wrap_up_ms":1000},"position":5,"visit":"01a21f3b-8ac4-7005-b5ba-4957641117c6"}');
INSERT INTO timeline VALUES(32,'01a21f3b-8af7-7000-bc17-facda2c1a393','call',4,'call_answered',1795820325623336,'01a21f3b-8ac3-7003-b42a-39586a917e3d',NULL,NULL,'{}');
INSERT INTO timeline VALUES(33,'01a21f3b-8af7-7001-a6c4-0c2e279b2e1c','agentsession',3,'agent_reserved',1795820325623181,'01a21f3b-8ac3-7003-b42a-39586a917e3d','ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf','01985374-d779-593f-8bcd-10eb33321850','{"call":"01a21f3b-8ac3-7003-b42a-39586a917e3d","offer":"01a21f3b-8aeb-8e9f-8e1e-f5ce52b49889","queue":"01985374-d779-593f-8bcd-10eb33321850","until":"2026-11-27T22:59:00.611247Z","visit":"01a21f3b-8ac3-7005-9f6a-1075d40737f6","wrap_up_ms":1000}');
INSERT INTO timeline VALUES(34,'01a21f3b-8afb-7000-ae28-0b463ff273ab','call',5,'offer_started',1795820325627009,'01a21f3b-8ac1-7000-b39b-60a9ce3e1d2c','35df411c-933d-52aa-86f9-45b1032e2b75',NULL,'{"leg":"01a21f3b-8af2-883f-a3ee-1e6150d68876","offer":"01a21f3b-8ae0-8438-b577-58fc51868784","session":{"agent":"35df411c-933d-52aa-86f9-45b1032e2b75","number":1},"until":"2026-11-27T22:58:55.600239Z","visit":"01a21f3b-8ac1-7002-81d0-6f5905453707"}');
INSERT INTO timeline VALUES(35,'01a21f3b-8b05-7000-97ee-3fc32ae20c94','call',4,'call_answered',1795820325637626,'01a21f3b-8ac4-7000-a067-54d63b458ed7',NULL,NULL,'{}');
INSERT INTO timeline VALUES(36,'01a21f3b-8b05-7001-aaad-9ef36dda9776','call',4,'call_answered',1795820325637681,'01a21f3b-8ac3-7000-a9fb-459d6764f2d0',NULL,NULL,'{}');
INSERT INTO timeline VALUES(37,'01a21f3b-8b05-7002-ab45-190fe07cc3d4','call',4,'call_answered',1795820325637701,'01a21f3b-8ac4-7003-b467-08e4db778c0f',NULL,NULL,'{}');
INSERT INTO timeline VALUES(38,'01a21f3b-8afb-7000-90e2-01389ac3d706','line',6,'visit_matched',1795820325627051,'01a21f3b-8ac1-7000-b39b-60a9ce3e1d2c','35df411c-933d-52aa-86f9-45b1032e2b75','01985374-d779-593f-8bcd-10eb33321850','{"call":"01a21f3b-8ac1-7000-b39b-60a9ce3e1d2c","offer":"01a21f3b-8ae0-8438-b577-58fc51868784","session":{"agent":"35df411c-933d-52aa-86f9-45b1032e2b75","number":1},"visit":"01a21f3b-8ac1-7002-81d0-6f5905453707"}');
INSERT INTO timeline VALUES(39,'01a21f3b-8b05-7000-8f87-8432cd958a65','line',7,'visit_matched',1795820325637919,'01a21f3b-8ac3-7003-b42a-39586a917e3d','ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf','01985374-d779-593f-8bcd-10eb33321850','{"call":"01a21f3b-8ac3-7003-b42a-39586a917e3d","offer":"01a21f3b-8aeb-8e9f-8e1e-f5ce52b49889","session":{"agent":"ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf","number":1},"visit":"01a21f3b-8ac3-7005-9f6a-1075d40737f6"}');
INSERT INTO timeline VALUES(40,'01a21f3b-8b05-7001-8f55-7d2d1b8604ba','call',5,'offer_started',1795820325637863,'01a21f3b-8ac3-7003-b42a-39586a917e3d','ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf',NULL,'{"leg":"01a21f3b-8af7-8c31-b631-638356bbb362","offer":"01a21f3b-8aeb-8e9f-8e1e-f5ce52b49889","session":{"agent":"ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf","number":1},"until":"2026-11-27T22:58:55.611247Z","visit":"01a21f3b-8ac3-7005-9f6a-1075d40737f6"}');
INSERT INTO timeline VALUES(41,'01a21f3b-8b19-7001-adb4-2baa66bae171','call',6,'leg_alerting',1795820325657119,'01a21f3b-8ac1-7000-b39b-60a9ce3e1d2c','35df411c-933d-52aa-86f9-45b1032e2b75',NULL,'{"leg":"01a21f3b-8af2-883f-a3ee-1e6150d68876","offer":"01a21f3b-8ae0-8438-b577-58fc51868784","session":{"agent":"35df411c-933d-52aa-86f9-45b1032e2b75","number":1}}');
INSERT INTO timeline VALUES(42,'01a21f3b-8b26-7001-8fe7-c81e97c1f6f1','call',6,'leg_alerting',1795820325670343,'01a21f3b-8ac3-7003-b42a-39586a917e3d','ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf',NULL,'{"leg":"01a21f3b-8af7-8c31-b631-638356bbb362","offer":"01a21f3b-8aeb-8e9f-8e1e-f5ce52b49889","session":{"agent":"ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf","number":1}}');
INSERT INTO timeline VALUES(43,'01a21f3b-8c46-7001-bb48-617df087f53f','call',7,'agent_connected',1795820325958780,'01a21f3b-8ac1-7000-b39b-60a9ce3e1d2c','35df411c-933d-52aa-86f9-45b1032e2b75',NULL,'{"leg":"01a21f3b-8af2-883f-a3ee-1e6150d68876","offer":"01a21f3b-8ae0-8438-b577-58fc51868784","session":{"agent":"35df411c-933d-52aa-86f9-45b1032e2b75","number":1},"visit":"01a21f3b-8ac1-7002-81d0-6f5905453707"}');
INSERT INTO timeline VALUES(44,'01a21f3b-8c49-7000-a121-942add9140a2','line',8,'visit_closed',1795820325961918,'01a21f3b-8ac1-7000-b39b-60a9ce3e1d2c',NULL,'01985374-d779-593f-8bcd-10eb33321850','{"call":"01a21f3b-8ac1-7000-b39b-60a9ce3e1d2c","closed_at":"2026-11-27T22:58:45.958780Z","result":"answered","visit":"01a21f3b-8ac1-7002-81d0-6f5905453707","wait_ms":381}');
INSERT INTO timeline VALUES(45,'01a21f3b-8c49-7001-ae18-79afb5e609f0','agentsession',4,'agent_connected_to_contact',1795820325961968,'01a21f3b-8ac1-7000-b39b-60a9ce3e1d2c','35df411c-933d-52aa-86f9-45b1032e2b75','01985374-d779-593f-8bcd-10eb33321850','{"call":"01a21f3b-8ac1-7000-b39b-60a9ce3e1d2c","offer":"01a21f3b-8ae0-8438-b577-58fc51868784","queue":"01985374-d779-593f-8bcd-10eb33321850"}');
INSERT INTO timeline VALUES(46,'01a21f3b-8c5a-7001-8099-901ab3f0549f','call',7,'agent_connected',1795820325978189,'01a21f3b-8ac3-7003-b42a-39586a917e3d','ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf',NULL,'{"leg":"01a21f3b-8af7-8c31-b631-638356bbb362","offer":"01a21f3b-8aeb-8e9f-8e1e-f5ce52b49889","session":{"agent":"ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf","number":1},"visit":"01a21f3b-8ac3-7005-9f6a-1075d40737f6"}');
INSERT INTO timeline VALUES(47,'01a21f3b-8c62-7000-a97a-01f608119c41','line',9,'visit_closed',1795820325986730,'01a21f3b-8ac3-7003-b42a-39586a917e3d',NULL,'01985374-d779-593f-8bcd-10eb33321850','{"call":"01a21f3b-8ac3-7003-b42a-39586a917e3d","closed_at":"2026-11-27T22:58:45.978189Z","result":"answered","visit":"01a21f3b-8ac3-7005-9f6a-1075d40737f6","wait_ms":380}');
INSERT INTO timeline VALUES(48,'01a21f3b-8c62-7001-b300-9534ad32ebab','agentsession',4,'agent_connected_to_contact',1795820325986780,'01a21f3b-8ac3-7003-b42a-39586a917e3d','ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf','01985374-d779-593f-8bcd-10eb33321850','{"call":"01a21f3b-8ac3-7003-b42a-39586a917e3d","offer":"01a21f3b-8aeb-8e9f-8e1e-f5ce52b49889","queue":"01985374-d779-593f-8bcd-10eb33321850"}');
INSERT INTO timeline VALUES(49,'01a21f3b-8d9e-7001-9a9b-3c5ba917feaa','call',8,'call_ended',1795820326302481,'01a21f3b-8ac1-7000-b39b-60a9ce3e1d2c','35df411c-933d-52aa-86f9-45b1032e2b75','01985374-d779-593f-8bcd-10eb33321850','{"cause":{"by":"caller","q850":16,"reason":"hangup","result":"success"},"disposition":"ANSWERED","ended_at":"2026-11-27T22:58:46.302481Z","offer":"01a21f3b-8ae0-8438-b577-58fc51868784","queue":"01985374-d779-593f-8bcd-10eb33321850","session":{"agent":"35df411c-933d-52aa-86f9-45b1032e2b75","number":1},"visit":"01a21f3b-8ac1-7002-81d0-6f5905453707"}');
INSERT INTO timeline VALUES(50,'01a21f3b-8dc0-7001-8f42-9551df05003d','call',8,'call_ended',1795820326336432,'01a21f3b-8ac3-7003-b42a-39586a917e3d','ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf','01985374-d779-593f-8bcd-10eb33321850','{"cause":{"by":"caller","q850":16,"reason":"hangup","result":"success"},"disposition":"ANSWERED","ended_at":"2026-11-27T22:58:46.336432Z","offer":"01a21f3b-8aeb-8e9f-8e1e-f5ce52b49889","queue":"01985374-d779-593f-8bcd-10eb33321850","session":{"agent":"ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf","number":1},"visit":"01a21f3b-8ac3-7005-9f6a-1075d40737f6"}');
INSERT INTO timeline VALUES(51,'01a21f3b-8dce-7000-be85-758ef12c5b09','agentsession',5,'agent_contact_ended',1795820326350333,'01a21f3b-8ac1-7000-b39b-60a9ce3e1d2c','35df411c-933d-52aa-86f9-45b1032e2b75',NULL,'{"call":"01a21f3b-8ac1-7000-b39b-60a9ce3e1d2c"}');
INSERT INTO timeline VALUES(52,'01a21f3b-8dce-7001-a24e-95d1bc5dd8cd','agentsession',6,'wrap_up_started',1795820326350333,'01a21f3b-8ac1-7000-b39b-60a9ce3e1d2c','35df411c-933d-52aa-86f9-45b1032e2b75',NULL,'{"call":"01a21f3b-8ac1-7000-b39b-60a9ce3e1d2c","until":"2026-11-27T22:58:47.350333Z"}');
INSERT INTO timeline VALUES(53,'01a21f3b-8dd9-7000-b855-0cbc8ad8c173','agentsession',5,'agent_contact_ended',1795820326361638,'01a21f3b-8ac3-7003-b42a-39586a917e3d','ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf',NULL,'{"call":"01a21f3b-8ac3-7003-b42a-39586a917e3d"}');
INSERT INTO timeline VALUES(54,'01a21f3b-8dd9-7001-ae92-72936039c16f','agentsession',6,'wrap_up_started',1795820326361638,'01a21f3b-8ac3-7003-b42a-39586a917e3d','ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf',NULL,'{"call":"01a21f3b-8ac3-7003-b42a-39586a917e3d","until":"2026-11-27T22:58:47.361638Z"}');
INSERT INTO timeline VALUES(55,'01a21f3b-91b7-7000-848b-ec23451678b2','agentsession',7,'wrap_up_ended',1795820327351392,'01a21f3b-8ac1-7000-b39b-60a9ce3e1d2c','35df411c-933d-52aa-86f9-45b1032e2b75',NULL,'{"by":"timer","call":"01a21f3b-8ac1-7000-b39b-60a9ce3e1d2c"}');
INSERT INTO timeline VALUES(56,'01a21f3b-91b7-7001-b93e-56b5b2fff587','agentsession',8,'agent_became_ready',1795820327351392,NULL,'35df411c-933d-52aa-86f9-45b1032e2b75',NULL,'{}');
INSERT INTO timeline VALUES(57,'01a21f3b-91be-7000-80c7-39c98e11eece','agentsession',9,'agent_reserved',1795820327358974,'01a21f3b-8ac3-7000-a9fb-459d6764f2d0','35df411c-933d-52aa-86f9-45b1032e2b75','01985374-d779-593f-8bcd-10eb33321850','{"call":"01a21f3b-8ac3-7000-a9fb-459d6764f2d0","offer":"01a21f3b-91b7-8f07-9265-26d35c91b6c9","queue":"01985374-d779-593f-8bcd-10eb33321850","until":"2026-11-27T22:59:02.351392Z","visit":"01a21f3b-8ac3-7002-abff-cbe2ae61e8f8","wrap_up_ms":1000}');
INSERT INTO timeline VALUES(58,'01a21f3b-91c6-7000-ba77-503fc6cb7f66','agentsession',7,'wrap_up_ended',1795820327366061,'01a21f3b-8ac3-7003-b42a-39586a917e3d','ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf',NULL,'{"by":"timer","call":"01a21f3b-8ac3-7003-b42a-39586a917e3d"}');
INSERT INTO timeline VALUES(59,'01a21f3b-91c6-7001-bea6-e5442397d644','agentsession',8,'agent_became_ready',1795820327366061,NULL,'ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf',NULL,'{}');
INSERT INTO timeline VALUES(60,'01a21f3b-91c7-7000-898b-b7d1d977e0bb','call',5,'offer_started',1795820327367938,'01a21f3b-8ac3-7000-a9fb-459d6764f2d0','35df411c-933d-52aa-86f9-45b1032e2b75',NULL,'{"leg":"01a21f3b-91be-8800-9ba9-d3f957e087bc","offer":"01a21f3b-91b7-8f07-9265-26d35c91b6c9","session":{"agent":"35df411c-933d-52aa-86f9-45b1032e2b75","number":1},"until":"2026-11-27T22:58:57.351392Z","visit":"01a21f3b-8ac3-7002-abff-cbe2ae61e8f8"}');
INSERT INTO timeline VALUES(61,'01a21f3b-91c7-7001-9cfe-4a2ab58124bf','line',10,'visit_matched',1795820327367991,'01a21f3b-8ac3-7000-a9fb-459d6764f2d0','35df411c-933d-52aa-86f9-45b1032e2b75','01985374-d779-593f-8bcd-10eb33321850','{"call":"01a21f3b-8ac3-7000-a9fb-459d6764f2d0","offer":"01a21f3b-91b7-8f07-9265-26d35c91b6c9","session":{"agent":"35df411c-933d-52aa-86f9-45b1032e2b75","number":1},"visit":"01a21f3b-8ac3-7002-abff-cbe2ae61e8f8"}');
INSERT INTO timeline VALUES(62,'01a21f3b-91d2-7000-846c-7fb2607f79a3','agentsession',9,'agent_reserved',1795820327378504,'01a21f3b-8ac4-7000-a067-54d63b458ed7','ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf','01985374-d779-593f-8bcd-10eb33321850','{"call":"01a21f3b-8ac4-7000-a067-54d63b458ed7","offer":"01a21f3b-91c6-875f-b9bb-bd985604b38f","queue":"01985374-d779-593f-8bcd-10eb33321850","until":"2026-11-27T22:59:02.366061Z","visit":"01a21f3b-8ac4-7002-afdb-6fa850d08e6d","wrap_up_ms":1000}');
INSERT INTO timeline VALUES(63,'01a21f3b-91e4-7000-b4b0-2877cfd04f14','call',5,'offer_started',1795820327396558,'01a21f3b-8ac4-7000-a067-54d63b458ed7','ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf',NULL,'{"leg":"01a21f3b-91d2-87ae-8816-a34e557095b0","offer":"01a21f3b-91c6-875f-b9bb-bd985604b38f","session":{"agent":"ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf","number":1},"until":"2026-11-27T22:58:57.366061Z","visit":"01a21f3b-8ac4-7002-afdb-6fa850d08e6d"}');
INSERT INTO timeline VALUES(64,'01a21f3b-91e4-7001-a12f-465a68e0fefd','line',11,'visit_matched',1795820327396632,'01a21f3b-8ac4-7000-a067-54d63b458ed7','ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf','01985374-d779-593f-8bcd-10eb33321850','{"call":"01a21f3b-8ac4-7000-a067-54d63b458ed7","offer":"01a21f3b-91c6-875f-b9bb-bd985604b38f","session":{"agent":"ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf","number":1},"visit":"01a21f3b-8ac4-7002-afdb-6fa850d08e6d"}');
INSERT INTO timeline VALUES(65,'01a21f3b-91de-7000-8893-85bc850d7491','call',6,'leg_alerting',1795820327390944,'01a21f3b-8ac3-7000-a9fb-459d6764f2d0','35df411c-933d-52aa-86f9-45b1032e2b75',NULL,'{"leg":"01a21f3b-91be-8800-9ba9-d3f957e087bc","offer":"01a21f3b-91b7-8f07-9265-26d35c91b6c9","session":{"agent":"35df411c-933d-52aa-86f9-45b1032e2b75","number":1}}');
INSERT INTO timeline VALUES(66,'01a21f3b-91ee-7001-9f50-850c22a9e507','call',6,'leg_alerting',1795820327406600,'01a21f3b-8ac4-7000-a067-54d63b458ed7','ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf',NULL,'{"leg":"01a21f3b-91d2-87ae-8816-a34e557095b0","offer":"01a21f3b-91c6-875f-b9bb-bd985604b38f","session":{"agent":"ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf","number":1}}');
INSERT INTO timeline VALUES(67,'01a21f3b-930c-7001-abc8-147d814cb1da','call',7,'agent_connected',1795820327692703,'01a21f3b-8ac3-7000-a9fb-459d6764f2d0','35df411c-933d-52aa-86f9-45b1032e2b75',NULL,'{"leg":"01a21f3b-91be-8800-9ba9-d3f957e087bc","offer":"01a21f3b-91b7-8f07-9265-26d35c91b6c9","session":{"agent":"35df411c-933d-52aa-86f9-45b1032e2b75","number":1},"visit":"01a21f3b-8ac3-7002-abff-cbe2ae61e8f8"}');
INSERT INTO timeline VALUES(68,'01a21f3b-930e-7000-89fb-c795f56c4884','line',12,'visit_closed',1795820327694593,'01a21f3b-8ac3-7000-a9fb-459d6764f2d0',NULL,'01985374-d779-593f-8bcd-10eb33321850','{"call":"01a21f3b-8ac3-7000-a9fb-459d6764f2d0","closed_at":"2026-11-27T22:58:47.692703Z","result":"answered","visit":"01a21f3b-8ac3-7002-abff-cbe2ae61e8f8","wait_ms":2093}');
INSERT INTO timeline VALUES(69,'01a21f3b-930e-7001-9666-bb924906aaaa','agentsession',10,'agent_connected_to_contact',1795820327694641,'01a21f3b-8ac3-7000-a9fb-459d6764f2d0','35df411c-933d-52aa-86f9-45b1032e2b75','01985374-d779-593f-8bcd-10eb33321850','{"call":"01a21f3b-8ac3-7000-a9fb-459d6764f2d0","offer":"01a21f3b-91b7-8f07-9265-26d35c91b6c9","queue":"01985374-d779-593f-8bcd-10eb33321850"}');
INSERT INTO timeline VALUES(70,'01a21f3b-931c-7001-bd01-9c515d27ad6d','call',7,'agent_connected',1795820327708648,'01a21f3b-8ac4-7000-a067-54d63b458ed7','ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf',NULL,'{"leg":"01a21f3b-91d2-87ae-8816-a34e557095b0","offer":"01a21f3b-91c6-875f-b9bb-bd985604b38f","session":{"agent":"ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf","number":1},"visit":"01a21f3b-8ac4-7002-afdb-6fa850d08e6d"}');
INSERT INTO timeline VALUES(71,'01a21f3b-9320-7000-8103-d2bb407916c9','line',13,'visit_closed',1795820327712012,'01a21f3b-8ac4-7000-a067-54d63b458ed7',NULL,'01985374-d779-593f-8bcd-10eb33321850','{"call":"01a21f3b-8ac4-7000-a067-54d63b458ed7","closed_at":"2026-11-27T22:58:47.708648Z","result":"answered","visit":"01a21f3b-8ac4-7002-afdb-6fa850d08e6d","wait_ms":2109}');
INSERT INTO timeline VALUES(72,'01a21f3b-9320-7001-94d7-81edafdbcf31','agentsession',10,'agent_connected_to_contact',1795820327712069,'01a21f3b-8ac4-7000-a067-54d63b458ed7','ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf','01985374-d779-593f-8bcd-10eb33321850','{"call":"01a21f3b-8ac4-7000-a067-54d63b458ed7","offer":"01a21f3b-91c6-875f-b9bb-bd985604b38f","queue":"01985374-d779-593f-8bcd-10eb33321850"}');
INSERT INTO timeline VALUES(73,'01a21f3b-9449-7001-a960-7b8ca543d6d4','call',8,'call_ended',1795820328009793,'01a21f3b-8ac3-7000-a9fb-459d6764f2d0','35df411c-933d-52aa-86f9-45b1032e2b75','01985374-d779-593f-8bcd-10eb33321850','{"cause":{"by":"caller","q850":16,"reason":"hangup","result":"success"},"disposition":"ANSWERED","ended_at":"2026-11-27T22:58:48.009793Z","offer":"01a21f3b-91b7-8f07-9265-26d35c91b6c9","queue":"01985374-d779-593f-8bcd-10eb33321850","session":{"agent":"35df411c-933d-52aa-86f9-45b1032e2b75","number":1},"visit":"01a21f3b-8ac3-7002-abff-cbe2ae61e8f8"}');
INSERT INTO timeline VALUES(74,'01a21f3b-9458-7000-968c-6f5e1454c8b2','agentsession',11,'agent_contact_ended',1795820328024206,'01a21f3b-8ac3-7000-a9fb-459d6764f2d0','35df411c-933d-52aa-86f9-45b1032e2b75',NULL,'{"call":"01a21f3b-8ac3-7000-a9fb-459d6764f2d0"}');
INSERT INTO timeline VALUES(75,'01a21f3b-9458-7001-8cdf-d7191015f873','agentsession',12,'wrap_up_started',1795820328024206,'01a21f3b-8ac3-7000-a9fb-459d6764f2d0','35df411c-933d-52aa-86f9-45b1032e2b75',NULL,'{"call":"01a21f3b-8ac3-7000-a9fb-459d6764f2d0","until":"2026-11-27T22:58:49.024206Z"}');
INSERT INTO timeline VALUES(76,'01a21f3b-945b-7001-be5a-c322540b959d','call',8,'call_ended',1795820328027472,'01a21f3b-8ac4-7000-a067-54d63b458ed7','ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf','01985374-d779-593f-8bcd-10eb33321850','{"cause":{"by":"caller","q850":16,"reason":"hangup","result":"success"},"disposition":"ANSWERED","ended_at":"2026-11-27T22:58:48.027472Z","offer":"01a21f3b-91c6-875f-b9bb-bd985604b38f","queue":"01985374-d779-593f-8bcd-10eb33321850","session":{"agent":"ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf","number":1},"visit":"01a21f3b-8ac4-7002-afdb-6fa850d08e6d"}');
INSERT INTO timeline VALUES(77,'01a21f3b-9460-7000-b462-d41a6594a707','agentsession',11,'agent_contact_ended',1795820328032423,'01a21f3b-8ac4-7000-a067-54d63b458ed7','ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf',NULL,'{"call":"01a21f3b-8ac4-7000-a067-54d63b458ed7"}');
INSERT INTO timeline VALUES(78,'01a21f3b-9460-7001-87a5-1b87406e26be','agentsession',12,'wrap_up_started',1795820328032423,'01a21f3b-8ac4-7000-a067-54d63b458ed7','ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf',NULL,'{"call":"01a21f3b-8ac4-7000-a067-54d63b458ed7","until":"2026-11-27T22:58:49.032423Z"}');
INSERT INTO timeline VALUES(79,'01a21f3b-9842-7000-814a-ae110ddac9e0','agentsession',13,'wrap_up_ended',1795820329026309,'01a21f3b-8ac3-7000-a9fb-459d6764f2d0','35df411c-933d-52aa-86f9-45b1032e2b75',NULL,'{"by":"timer","call":"01a21f3b-8ac3-7000-a9fb-459d6764f2d0"}');
INSERT INTO timeline VALUES(80,'01a21f3b-9842-7001-9b02-b4cabcd32246','agentsession',14,'agent_became_ready',1795820329026309,NULL,'35df411c-933d-52aa-86f9-45b1032e2b75',NULL,'{}');
INSERT INTO timeline VALUES(81,'01a21f3b-9849-7000-9890-d3eb483aa5be','agentsession',15,'agent_reserved',1795820329033635,'01a21f3b-8ac4-7003-b467-08e4db778c0f','35df411c-933d-52aa-86f9-45b1032e2b75','01985374-d779-593f-8bcd-10eb33321850','{"call":"01a21f3b-8ac4-7003-b467-08e4db778c0f","offer":"01a21f3b-9842-87a7-90f7-209852218de8","queue":"01985374-d779-593f-8bcd-10eb33321850","until":"2026-11-27T22:59:04.026309Z","visit":"01a21f3b-8ac4-7005-b5ba-4957641117c6","wrap_up_ms":1000}');
INSERT INTO timeline VALUES(82,'01a21f3b-984a-7000-95ef-2d81b084d83e','agentsession',13,'wrap_up_ended',1795820329034583,'01a21f3b-8ac4-7000-a067-54d63b458ed7','ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf',NULL,'{"by":"timer","call":"01a21f3b-8ac4-7000-a067-54d63b458ed7"}');
INSERT INTO timeline VALUES(83,'01a21f3b-984a-7001-b107-23db78d97fc6','agentsession',14,'agent_became_ready',1795820329034583,NULL,'ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf',NULL,'{}');
INSERT INTO timeline VALUES(84,'01a21f3b-9855-7000-962c-8d0f7a99503b','call',5,'offer_started',1795820329045404,'01a21f3b-8ac4-7003-b467-08e4db778c0f','35df411c-933d-52aa-86f9-45b1032e2b75',NULL,'{"leg":"01a21f3b-9849-8f3a-9bd7-e71d5311b03e","offer":"01a21f3b-9842-87a7-90f7-209852218de8","session":{"agent":"35df411c-933d-52aa-86f9-45b1032e2b75","number":1},"until":"2026-11-27T22:58:59.026309Z","visit":"01a21f3b-8ac4-7005-b5ba-4957641117c6"}');
INSERT INTO timeline VALUES(85,'01a21f3b-9855-7001-8b80-c439d55749e8','line',14,'visit_matched',1795820329045858,'01a21f3b-8ac4-7003-b467-08e4db778c0f','35df411c-933d-52aa-86f9-45b1032e2b75','01985374-d779-593f-8bcd-10eb33321850','{"call":"01a21f3b-8ac4-7003-b467-08e4db778c0f","offer":"01a21f3b-9842-87a7-90f7-209852218de8","session":{"agent":"35df411c-933d-52aa-86f9-45b1032e2b75","number":1},"visit":"01a21f3b-8ac4-7005-b5ba-4957641117c6"}');
INSERT INTO timeline VALUES(86,'01a21f3b-9873-7001-a4a8-aee4ab9ef9b3','call',6,'leg_alerting',1795820329075067,'01a21f3b-8ac4-7003-b467-08e4db778c0f','35df411c-933d-52aa-86f9-45b1032e2b75',NULL,'{"leg":"01a21f3b-9849-8f3a-9bd7-e71d5311b03e","offer":"01a21f3b-9842-87a7-90f7-209852218de8","session":{"agent":"35df411c-933d-52aa-86f9-45b1032e2b75","number":1}}');
INSERT INTO timeline VALUES(87,'01a21f3b-99a2-7001-b5bd-6de1231bbff5','call',7,'agent_connected',1795820329378588,'01a21f3b-8ac4-7003-b467-08e4db778c0f','35df411c-933d-52aa-86f9-45b1032e2b75',NULL,'{"leg":"01a21f3b-9849-8f3a-9bd7-e71d5311b03e","offer":"01a21f3b-9842-87a7-90f7-209852218de8","session":{"agent":"35df411c-933d-52aa-86f9-45b1032e2b75","number":1},"visit":"01a21f3b-8ac4-7005-b5ba-4957641117c6"}');
INSERT INTO timeline VALUES(88,'01a21f3b-99af-7000-b10f-a84cde7528c6','line',15,'visit_closed',1795820329391122,'01a21f3b-8ac4-7003-b467-08e4db778c0f',NULL,'01985374-d779-593f-8bcd-10eb33321850','{"call":"01a21f3b-8ac4-7003-b467-08e4db778c0f","closed_at":"2026-11-27T22:58:49.378588Z","result":"answered","visit":"01a21f3b-8ac4-7005-b5ba-4957641117c6","wait_ms":3778}');
INSERT INTO timeline VALUES(89,'01a21f3b-99af-7001-90a5-cc9ef6600ca2','agentsession',16,'agent_connected_to_contact',1795820329391183,'01a21f3b-8ac4-7003-b467-08e4db778c0f','35df411c-933d-52aa-86f9-45b1032e2b75','01985374-d779-593f-8bcd-10eb33321850','{"call":"01a21f3b-8ac4-7003-b467-08e4db778c0f","offer":"01a21f3b-9842-87a7-90f7-209852218de8","queue":"01985374-d779-593f-8bcd-10eb33321850"}');
INSERT INTO timeline VALUES(90,'01a21f3b-9ae0-7001-9e14-bbf1e2e7046a','call',8,'call_ended',1795820329696837,'01a21f3b-8ac4-7003-b467-08e4db778c0f','35df411c-933d-52aa-86f9-45b1032e2b75','01985374-d779-593f-8bcd-10eb33321850','{"cause":{"by":"caller","q850":16,"reason":"hangup","result":"success"},"disposition":"ANSWERED","ended_at":"2026-11-27T22:58:49.696837Z","offer":"01a21f3b-9842-87a7-90f7-209852218de8","queue":"01985374-d779-593f-8bcd-10eb33321850","session":{"agent":"35df411c-933d-52aa-86f9-45b1032e2b75","number":1},"visit":"01a21f3b-8ac4-7005-b5ba-4957641117c6"}');
INSERT INTO timeline VALUES(91,'01a21f3b-9ae6-7000-844f-871b888b6358','agentsession',17,'agent_contact_ended',1795820329702971,'01a21f3b-8ac4-7003-b467-08e4db778c0f','35df411c-933d-52aa-86f9-45b1032e2b75',NULL,'{"call":"01a21f3b-8ac4-7003-b467-08e4db778c0f"}');
INSERT INTO timeline VALUES(92,'01a21f3b-9ae6-7001-9436-5d63d8f1ac4c','agentsession',18,'wrap_up_started',1795820329702971,'01a21f3b-8ac4-7003-b467-08e4db778c0f','35df411c-933d-52aa-86f9-45b1032e2b75',NULL,'{"call":"01a21f3b-8ac4-7003-b467-08e4db778c0f","until":"2026-11-27T22:58:50.702971Z"}');
INSERT INTO timeline VALUES(93,'01a21f3b-9ed5-7000-be8c-48382bbabc5c','agentsession',19,'wrap_up_ended',1795820330709709,'01a21f3b-8ac4-7003-b467-08e4db778c0f','35df411c-933d-52aa-86f9-45b1032e2b75',NULL,'{"by":"timer","call":"01a21f3b-8ac4-7003-b467-08e4db778c0f"}');
INSERT INTO timeline VALUES(94,'01a21f3b-9ed5-7001-9eac-970620428c19','agentsession',20,'agent_became_ready',1795820330709709,NULL,'35df411c-933d-52aa-86f9-45b1032e2b75',NULL,'{}');
INSERT INTO timeline VALUES(95,'01a21f3b-9f53-7002-984d-00c956c8e8a2','device',2,'device_deregistered',1795820330835349,NULL,'35df411c-933d-52aa-86f9-45b1032e2b75',NULL,'{"binding":"ac074b20-05b7-5e26-a1d2-8904b9131e7a","left":0}');
INSERT INTO timeline VALUES(96,'01a21f3b-9f53-7003-958e-5b998e14744b','device',2,'device_deregistered',1795820330835678,NULL,'ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf',NULL,'{"binding":"e9eada88-48e1-55ae-b73b-8d874a69dee8","left":0}');
CREATE TABLE live_calls (
    call_id            TEXT PRIMARY KEY,
    position           INTEGER NOT NULL,
    state              TEXT NOT NULL,
    since              INTEGER NOT NULL,
    subject            TEXT NOT NULL,
    from_user          TEXT,
    from_host          TEXT,
    from_name          TEXT,
    to_user            TEXT NOT NULL,
    trunk_id           TEXT,
    queue_id           TEXT,
    agent_id           TEXT,
    offer_id           TEXT,
    offers_count       INTEGER NOT NULL,
    received_at        INTEGER NOT NULL,
    enqueued_at        INTEGER,
    answered_at        INTEGER,
    offered_at         INTEGER,
    alerting_at        INTEGER,
    agent_connected_at INTEGER,
    caller_leg         TEXT NOT NULL,
    agent_leg          TEXT,
    held_by_caller     INTEGER NOT NULL,
    held_by_agent      INTEGER NOT NULL,
    sip_call_id        TEXT NOT NULL
) STRICT;
CREATE TABLE agent_states (
    agent_id          TEXT PRIMARY KEY,
    position          INTEGER NOT NULL,
    name              TEXT NOT NULL,
    display_name      TEXT,
    queues            TEXT NOT NULL,
    ready_on_register INTEGER NOT NULL,
    config_version    INTEGER NOT NULL,
    session_number    INTEGER,
    logged_in_at      INTEGER,
    routability       TEXT NOT NULL,
    reason            TEXT,
    activity          TEXT NOT NULL,
    since             INTEGER,
    until_at          INTEGER,
    not_before_at     INTEGER,
    next_state        TEXT,
    call_id           TEXT,
    offer_id          TEXT,
    queue_id          TEXT,
    missed_count      INTEGER NOT NULL,
    devices_count     INTEGER NOT NULL
) STRICT;
INSERT INTO agent_states VALUES('35df411c-933d-52aa-86f9-45b1032e2b75',95,'anna',NULL,'["01985374-d779-593f-8bcd-10eb33321850"]',1,1,1,1795820325528286,'ready',NULL,'idle',1795820330709709,NULL,NULL,NULL,NULL,NULL,NULL,0,0);
INSERT INTO agent_states VALUES('ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf',96,'ben',NULL,'["01985374-d779-593f-8bcd-10eb33321850"]',1,1,1,1795820325533910,'ready',NULL,'idle',1795820329034583,NULL,NULL,NULL,NULL,NULL,NULL,0,0);
CREATE TABLE queue_stats (
    queue_id                         TEXT PRIMARY KEY,
    position                         INTEGER NOT NULL,
    name                             TEXT NOT NULL,
    config_version                   INTEGER NOT NULL,
    config                           TEXT,
    waiting_count                    INTEGER NOT NULL,
    matched_count                    INTEGER NOT NULL,
    day_start_at                     INTEGER NOT NULL,
    offered_count                    INTEGER NOT NULL,
    answered_count                   INTEGER NOT NULL,
    answered_in_threshold_count      INTEGER NOT NULL,
    abandoned_count                  INTEGER NOT NULL,
    short_abandoned_count            INTEGER NOT NULL,
    abandoned_in_threshold_count     INTEGER NOT NULL,
    flow_out_count                   INTEGER NOT NULL,
    callback_count                   INTEGER NOT NULL,
    rejected_count                   INTEGER NOT NULL,
    returned_count                   INTEGER NOT NULL,
    answered_wait_ms                 INTEGER NOT NULL,
    abandoned_wait_ms                INTEGER NOT NULL,
    longest_wait_ms                  INTEGER NOT NULL,
    day_offered_count                INTEGER NOT NULL,
    day_answered_count               INTEGER NOT NULL,
    day_answered_in_threshold_count  INTEGER NOT NULL,
    day_abandoned_count              INTEGER NOT NULL,
    day_short_abandoned_count        INTEGER NOT NULL,
    day_abandoned_in_threshold_count INTEGER NOT NULL,
    day_flow_out_count               INTEGER NOT NULL,
    day_callback_count               INTEGER NOT NULL,
    day_rejected_count               INTEGER NOT NULL,
    day_returned_count               INTEGER NOT NULL,
    day_answered_wait_ms             INTEGER NOT NULL,
    day_abandoned_wait_ms            INTEGER NOT NULL,
    day_longest_wait_ms              INTEGER NOT NULL
, matched TEXT NOT NULL DEFAULT '[]') STRICT;
INSERT INTO queue_stats VALUES('01985374-d779-593f-8bcd-10eb33321850',88,'support',1,'{"answer_mode":"immediate","capacity":100,"max_wait_ms":0,"numbers":[],"ring_timeout_ms":10000,"service_level_threshold_ms":5000,"strategy":"longest_idle","wrap_up_ms":1000}',0,0,1795737600000000,5,5,5,0,0,0,0,0,0,0,8741,0,3778,5,5,5,0,0,0,0,0,0,0,8741,0,3778,'[]');
CREATE TABLE cdr_open (
    call_id  TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    record   TEXT NOT NULL
) STRICT;
CREATE TABLE cdr (
    call_id              TEXT PRIMARY KEY,
    position             INTEGER NOT NULL,
    event_position_first INTEGER NOT NULL,
    revision             INTEGER NOT NULL,
    direction            TEXT NOT NULL,
    subject              TEXT NOT NULL,
    from_user            TEXT,
    from_host            TEXT,
    from_name            TEXT,
    to_user              TEXT NOT NULL,
    trunk_id             TEXT,
    queue_id             TEXT,
    agent_id             TEXT,
    offer_id             TEXT,
    caller_leg           TEXT NOT NULL,
    sip_call_id          TEXT NOT NULL,
    started_at           INTEGER NOT NULL,
    enqueued_at          INTEGER,
    alerting_at          INTEGER,
    answered_at          INTEGER,
    agent_connected_at   INTEGER,
    offers_count         INTEGER NOT NULL,
    ring_ms              INTEGER NOT NULL,
    hold_ms              INTEGER NOT NULL,
    wrap_up_ms           INTEGER NOT NULL,
    late_facts_count     INTEGER NOT NULL,
    superseded           TEXT NOT NULL,
    wrap_up_started_at   INTEGER,
    ended_at             INTEGER NOT NULL,
    disposition          TEXT NOT NULL,
    result               TEXT NOT NULL,
    reason               TEXT NOT NULL,
    hangup_by            TEXT NOT NULL,
    sip_status           INTEGER,
    q850_cause           INTEGER,
    reason_header        TEXT,
    incomplete           INTEGER NOT NULL,
    setup_ms             INTEGER,
    duration_ms          INTEGER NOT NULL,
    billable_ms          INTEGER NOT NULL,
    wait_ms              INTEGER NOT NULL,
    talk_ms              INTEGER NOT NULL
) STRICT;
INSERT INTO cdr VALUES('01a21f3b-8ac1-7000-b39b-60a9ce3e1d2c',55,10,2,'inbound','e6566cf0-a87c-8926-8877-96827541a1db','+4930100001','127.0.0.1',NULL,'support',NULL,'01985374-d779-593f-8bcd-10eb33321850','35df411c-933d-52aa-86f9-45b1032e2b75','01a21f3b-8ae0-8438-b577-58fc51868784','01a21f3b-8ac1-7001-a23b-5bd70ad8d22f','37b689af6b8f2643',1795820325577080,1795820325577080,1795820325657119,1795820325619247,1795820325958780,1,301,0,1001,0,'[{"event_position_last":52,"late_facts_count":0,"revision":1,"wrap_up_ms":0}]',NULL,1795820326302481,'ANSWERED','success','hangup','caller',NULL,16,NULL,0,42,725,683,381,343);
INSERT INTO cdr VALUES('01a21f3b-8ac3-7003-b42a-39586a917e3d',58,13,2,'inbound','41a2a1f7-4418-8b53-8860-238637c33955','+4930100003','127.0.0.1',NULL,'support',NULL,'01985374-d779-593f-8bcd-10eb33321850','ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf','01a21f3b-8aeb-8e9f-8e1e-f5ce52b49889','01a21f3b-8ac3-7004-8f13-8eedfda0c948','b8c0362d5ba8769a',1795820325598107,1795820325598107,1795820325670343,1795820325623336,1795820325978189,1,307,0,1004,0,'[{"event_position_last":54,"late_facts_count":0,"revision":1,"wrap_up_ms":0}]',NULL,1795820326336432,'ANSWERED','success','hangup','caller',NULL,16,NULL,0,25,738,713,380,358);
INSERT INTO cdr VALUES('01a21f3b-8ac3-7000-a9fb-459d6764f2d0',79,19,2,'inbound','be0eb165-0884-85dc-a8f2-37cb4ae36e68','+4930100002','127.0.0.1',NULL,'support',NULL,'01985374-d779-593f-8bcd-10eb33321850','35df411c-933d-52aa-86f9-45b1032e2b75','01a21f3b-91b7-8f07-9265-26d35c91b6c9','01a21f3b-8ac3-7001-9e37-a09ffcb8c931','8aaf383df351b690',1795820325598913,1795820325598913,1795820327390944,1795820325637681,1795820327692703,1,301,0,1002,0,'[{"event_position_last":75,"late_facts_count":0,"revision":1,"wrap_up_ms":0}]',NULL,1795820328009793,'ANSWERED','success','hangup','caller',NULL,16,NULL,0,38,2410,2372,2093,317);
INSERT INTO cdr VALUES('01a21f3b-8ac4-7000-a067-54d63b458ed7',82,16,2,'inbound','93efd8f1-0e38-8c74-9d61-5f0af40a4d82','+4930100004','127.0.0.1',NULL,'support',NULL,'01985374-d779-593f-8bcd-10eb33321850','ee7a7ac8-5857-5d71-a04f-c3bc54c2fdcf','01a21f3b-91c6-875f-b9bb-bd985604b38f','01a21f3b-8ac4-7001-9716-2a088f313b8b','6dfcfbf2b635a96e',1795820325599408,1795820325599408,1795820327406600,1795820325637626,1795820327708648,1,302,0,1002,0,'[{"event_position_last":78,"late_facts_count":0,"revision":1,"wrap_up_ms":0}]',NULL,1795820328027472,'ANSWERED','success','hangup','caller',NULL,16,NULL,0,38,2428,2389,2109,318);
INSERT INTO cdr VALUES('01a21f3b-8ac4-7003-b467-08e4db778c0f',93,22,2,'inbound','c29c6e7b-07fd-830b-9de5-f5e1b6bd761c','+4930100005','127.0.0.1',NULL,'support',NULL,'01985374-d779-593f-8bcd-10eb33321850','35df411c-933d-52aa-86f9-45b1032e2b75','01a21f3b-9842-87a7-90f7-209852218de8','01a21f3b-8ac4-7004-af56-874189e8904a','67186ca6baa518e8',1795820325599753,1795820325599753,1795820329075067,1795820325637701,1795820329378588,1,303,0,1006,0,'[{"event_position_last":92,"late_facts_count":0,"revision":1,"wrap_up_ms":0}]',NULL,1795820329696837,'ANSWERED','success','hangup','caller',NULL,16,NULL,0,37,4097,4059,3778,318);
CREATE TABLE trunks (
    trunk_id       TEXT PRIMARY KEY,
    position       INTEGER NOT NULL,
    name           TEXT NOT NULL,
    allow          TEXT NOT NULL,
    host           TEXT,
    user_name      TEXT,
    config_version INTEGER NOT NULL
) STRICT;
CREATE INDEX timeline_by_call ON timeline (call_id, position);
CREATE INDEX timeline_by_agent ON timeline (agent_id, position);
CREATE INDEX live_calls_by_received ON live_calls (received_at, call_id);
CREATE INDEX live_calls_by_queue ON live_calls (queue_id, enqueued_at);
CREATE INDEX agent_states_by_name ON agent_states (name, agent_id);
CREATE INDEX queue_stats_by_name ON queue_stats (name, queue_id);
CREATE INDEX cdr_by_start ON cdr (started_at, call_id);
CREATE INDEX cdr_by_subject ON cdr (subject, started_at);
CREATE INDEX cdr_by_queue ON cdr (queue_id, started_at);
CREATE INDEX cdr_by_agent ON cdr (agent_id, started_at);
COMMIT;
