"""Track 2: the municipality as employer of people in flexjobs, and the pool that pays for them."""
