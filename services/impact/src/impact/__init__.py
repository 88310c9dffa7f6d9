"""Kraftcenter's ledger of facts, the effects they have, and the figures that the effects add up to."""
