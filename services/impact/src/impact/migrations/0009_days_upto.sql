-- Up to which position the days are counted: an impact of before 0007 moves a lane and counts none. Where it is not the
-- lane's position, as on every lane after this file, the next batch counts them anew.
ALTER TABLE lane ADD COLUMN days_upto bigint NOT NULL DEFAULT 0;
