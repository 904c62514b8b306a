"""What a column of a class list is, by its title, in several languages."""

from __future__ import annotations

from collections.abc import Sequence

from nbproctor.platforms.people import letters

# What a column is, by its title; of several columns for the id, the first named here
# that is filled is the student's id.
_TITLES: dict[str, tuple[str, ...]] = {
    kind: tuple(words.split())
    for kind, words in {
        "id": """
            studentid student sisloginid loginid login username benutzername
            anmeldename nomdutilisateur nombredeusuario githubusername orgdefinedid
            sisuserid idnumber idnummer matrikelnummer numerodidentification numerodeid
            codiceidentificativo rosteridentifier identifier identificador identifiant
            identificativo identificatie id lmsuserid integrationid numbers
        """,
        "email": """
            email emailaddress mail emailadresse adressedecourriel direcciondecorreo
            indirizzoemail emailadres
        """,
        "last": "lastname surname familyname nachname nom apellidos cognome achternaam",
        "first": "firstname givenname vorname prenom nombre voornaam",
        "name": """
            name fullname studentname vollstandigername nomcomplet nombrecompleto nome
            nomecompleto volledigenaam
        """,
    }.items()
}

#: Every title that says who somebody is.
EVERYTHING = frozenset(title for names in _TITLES.values() for title in names)


def columns(headings: Sequence[str]) -> dict[str, list[int]]:
    """Return which columns are id, e-mail, last, first and full name.

    Of several for the id, the first that is filled is the student's id.
    """
    plain = [letters(title) for title in headings]
    found = {
        kind: [
            index
            for known in names
            for index, title in enumerate(plain)
            if title == known
        ]
        for kind, names in _TITLES.items()
    }
    if "student" in plain and ("id" in plain or "sisloginid" in plain):
        # In Canvas's grade book, "Student" is the name.
        name = plain.index("student")
        found["name"].append(name)
        found["id"].remove(name)
    return found
