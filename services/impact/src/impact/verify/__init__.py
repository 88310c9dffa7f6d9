"""The second implementation: plain SQL from the ledger's raw bodies to every figure, sharing no code with the first."""
