-- Who hears a call in progress besides, as a JSON object: whose phone, in which mode.
ALTER TABLE live_calls ADD COLUMN supervision TEXT;
