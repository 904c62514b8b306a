"""`NbproctorError`, the base class of every error of the package."""


class NbproctorError(Exception):
    """Something went wrong; the message says what, and what to do next."""
