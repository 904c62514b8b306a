"""Fork server: the warm process that forks judges and students."""
