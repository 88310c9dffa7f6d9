-- What was published is counted at each heartbeat, and forgotten heartbeats are looked for: of 720,000 rows either took seconds.
CREATE INDEX outbox_by_type ON outbox (type, source);
-- Each event leaves dead entries in the indexes once it is published, which whoever looks for the next one passes over.
ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02);
