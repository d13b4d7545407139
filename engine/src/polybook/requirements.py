"""What pip has to install for code to run: its imports, in the versions that the book pins.

A book pins them in `requirements/<framework>.txt`, the whole of the environment that its results come from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .frameworks import Framework

#: Distributions that are not called like the package they give.
_DISTRIBUTIONS = {
    "PIL": "pillow",
    "cv2": "opencv-python",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "PyYAML",
}
#: What every notebook has anyway.
_OF_THE_KERNEL = frozenset({"IPython", "ipykernel"})
#: What has to fit the page that shows a notebook, which the service has chosen.
_OF_THE_PAGE = frozenset({"ipywidgets"})
_PIN = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^\s;#]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Requirements:
    """What the environment of a framework is made of."""

    #: The framework.
    framework: Framework
    #: The version of each distribution, by its name in lower case with `-`.
    versions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, framework: Framework, text: str) -> Requirements:
        """Return the requirements that the text of a requirements file pins."""
        pins = {_normal(pin["name"]): pin["version"] for pin in _PIN.finditer(text)}
        return cls(framework, pins)

    @property
    def version(self) -> str | None:
        """The framework's public version, if it is pinned."""
        found = self.versions.get(_normal(self.framework.distribution))
        return found.partition("+")[0] if found else None

    def of(self, packages: Iterable[str]) -> list[str]:
        """Return what to tell pip for these packages to be there, sorted: `torch==2.13.0`.

        Args:
            packages: Packages as code imports them; one that is not pinned is wanted in any version.
        """
        return self._of(packages, on_gpu=False)

    def of_notebook(self, packages: Iterable[str], *, on_gpu: bool = False) -> list[str]:
        """Return what to tell pip for a notebook to run that somebody else's Jupyter has opened.

        Args:
            packages: Packages as the notebook imports them.
            on_gpu: Whether the framework is to use a GPU.
        """
        wanted = set(packages) - _OF_THE_KERNEL
        return sorted([*self._of(wanted - _OF_THE_PAGE, on_gpu=on_gpu), *(wanted & _OF_THE_PAGE)])

    def _of(self, packages: Iterable[str], *, on_gpu: bool) -> list[str]:
        wanted = set(packages)
        if self.framework.module in wanted:
            wanted.update(self.framework.companions)
        return sorted(self._requirement(package, on_gpu) for package in wanted)

    def _requirement(self, package: str, on_gpu: bool) -> str:
        is_framework = package == self.framework.module
        name = self.framework.distribution if is_framework else _DISTRIBUTIONS.get(package, package)
        version = self.versions.get(_normal(name))
        if is_framework and on_gpu:
            name = self.framework.gpu_distribution or name
        return f"{name.lower()}=={version}" if version else name.lower()


def name_of(requirement: str) -> str:
    """Return the distribution that a requirement is for: `gym` for `gym[all]==0.21`."""
    return _normal(re.split(r"[^\w.-]", requirement, maxsplit=1)[0])


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
