-- How long the round took: the next one takes about as long, and figures are trusted meanwhile.
ALTER TABLE verification ADD COLUMN seconds double precision NOT NULL DEFAULT 0;
