"""What the figures must say, worked out from the plan alone with no part of impact: slow and plain on purpose."""
