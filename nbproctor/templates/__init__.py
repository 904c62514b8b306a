"""Templates: the HTML pages, in jinja2, and the files for other platforms."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

_PAGES = Environment(
    loader=PackageLoader("nbproctor"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(name: str, **values: object) -> str:
    """Return the page that a template makes; a value it lacks is an error.

    Parameters
    ----------
    name : str
        File name of the template, as ``audit.html``.
    **values
        What the template shows; HTML in it is escaped.
    """
    return _PAGES.get_template(name).render(**values) + "\n"
