"""The warm process that forks judges and students, and how to start it."""
