"""OpenOlat: the archive of a *Task* course element, and its bulk download."""

from nbproctor.platforms.platform import Platform


class OpenOlat(Platform):
    """OpenOlat, which numbers the steps of a task in the folder of each student.

    ``Okafor_Amara_aokafor/2_submissions/lab.ipynb``, or a later revision. The task
    itself, and what a coach gave back, are not the student's work.
    """

    name = "OpenOlat"
    path = (
        r"(?P<WORD>[^/]+)/(?P<attempt>\d+)_"
        r"(?:submissions|revisions|(?P<course>task|corrections|assessment))"
        r"(?:_\d+)?/(?P<file>.+)"
    )
