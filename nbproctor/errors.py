"""The base class of every error that the package raises."""


class NbproctorError(Exception):
    """Something went wrong; the message says what, and what to do next."""
