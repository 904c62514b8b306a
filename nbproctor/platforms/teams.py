"""Microsoft Teams: the folders of *Submitted files* in a class's document library."""

from nbproctor.platforms.platform import Platform


class Teams(Platform):
    """Teams, which makes a folder for each version; the newest counts.

    ``Amara Okafor/Lab 5/Version 2/lab.ipynb``.
    """

    name = "Teams"
    path = r"(?P<name>[^/]+)/[^/]+/Vers\w+ (?P<attempt>\d+)/(?P<file>.+)"
