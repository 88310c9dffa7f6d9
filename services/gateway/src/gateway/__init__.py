"""The door for other municipal systems: what they tell is checked, kept, and published as it came."""
