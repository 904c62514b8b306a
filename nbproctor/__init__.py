"""An autograder for Jupyter notebooks that cannot be fooled, beside nbgrader."""

__version__ = "0.1.0"
