"""The rules: one pure function per measure, from one history to its dated effects."""
