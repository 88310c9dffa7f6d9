"""The embedded stack and the simulator: for demo, development and tests, never in a service."""
