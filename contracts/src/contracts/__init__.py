"""The published language: what an event looks like, what it means, and where it travels. Depends on pydantic alone."""
