"""Class lists, and the tables in which platforms keep people."""

from nbproctor.roster.classlist import Person, Roster, RosterError

__all__ = ["Person", "Roster", "RosterError"]
