"""What every service is built on: outbox and bus, doors, clock, settings, health, logs. It knows no business word."""
