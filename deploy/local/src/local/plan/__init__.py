"""A made-up year of two municipalities: a pure function of a seed and a number of people; nothing is sent here."""
