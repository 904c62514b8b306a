"""Templates: the HTML pages, in jinja2, and the files for other platforms."""

from __future__ import annotations

import sysconfig

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from nbproctor.statuses import STATUSES

_PAGES = Environment(
    loader=PackageLoader("nbproctor"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_PAGES.globals["statuses"] = STATUSES
_PAGES.globals["python"] = sysconfig.get_python_version()


def render(name: str, **values: object) -> str:
    """Return the file that a template makes, by its name, as ``audit.html``.

    HTML in `values` is escaped in a page; a value that the template lacks is an error.
    """
    return _PAGES.get_template(name).render(**values) + "\n"
