-- What the second implementation said; `differing` names the cells, never their values.
CREATE TABLE verification (
    municipality text NOT NULL,
    at timestamptz NOT NULL,
    cells bigint NOT NULL,
    drift bigint NOT NULL,
    differing jsonb NOT NULL,
    PRIMARY KEY (municipality, at)
);
