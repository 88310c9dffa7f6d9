-- Each look at a link knows an id. With the ids first, no look can take the other index, and read every link of a
-- source in it: which it did on a young lane, of which the planner has no statistics yet.
DROP INDEX link_from, link_to;
CREATE INDEX link_from ON link (event_id, source, municipality);
CREATE INDEX link_to ON link (target, source, municipality);
