-- A stream that was made again counts from 1: its sequences say nothing about a floor of the one before.
ALTER TABLE consumer_floor ADD COLUMN stream_created timestamptz;

DROP INDEX ledger_by_type;
CREATE INDEX ledger_by_type ON ledger (municipality, type, occurred_on) WHERE kind = 'fact' AND parked IS NULL;
