"""Where readers run a chapter's notebook: their own Jupyter, and hosted services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Service:
    """What runs notebooks."""

    #: Its name in `_config.yml` and in the paths of its notebooks.
    name: str
    #: The name a reader sees.
    title: str
    #: What notebooks call the kernel there.
    kernel: str
    #: The kernel's name for readers.
    kernel_title: str
    #: The address that opens a notebook, `{}` being its place on GitHub; empty for the reader's own machine.
    opener: str = ""
    #: What the service wants in a notebook's metadata.
    metadata: Mapping[str, Any] = field(default_factory=dict)
    #: The same for a chapter that needs a GPU.
    gpu_metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_hosted(self) -> bool:
        """Whether it is a machine that knows nothing of the book."""
        return bool(self.opener)

    def notebook_metadata(self, *, on_gpu: bool) -> dict[str, Any]:
        """Return the metadata of a notebook for this service."""
        return {
            "kernelspec": {"display_name": self.kernel_title, "language": "python", "name": self.kernel},
            "language_info": {"name": "python", "pygments_lexer": "ipython3"},
            **(self.gpu_metadata if on_gpu else self.metadata),
        }

    def address(self, place: str) -> str:
        """Return what opens the notebook at `place`, `<owner>/<repository>/blob/<branch>/<path>`."""
        return self.opener.format(quote(place))


def _kaggle(accelerator: str, *, has_gpu: bool) -> dict[str, Any]:
    """Return Kaggle's metadata; without the internet nothing could be installed there."""
    return {
        "kaggle": {
            "accelerator": accelerator,
            "dataSources": [],
            "isGpuEnabled": has_gpu,
            "isInternetEnabled": True,
            "language": "python",
            "sourceType": "notebook",
        }
    }


JUPYTER = Service("jupyter", "Jupyter", "python3", "Python 3")

#: What stands in a service's place where all notebooks for Jupyter come in one file.
PACKED = "zip"

#: The hosted services by their names; all of them open notebooks that lie on GitHub.
HOSTED = {
    service.name: service
    for service in (
        Service(
            "colab",
            "Colab",
            "python3",
            "Python 3",
            "https://colab.research.google.com/github/{}",
            {"colab": {"provenance": []}},
            {"accelerator": "GPU", "colab": {"gpuType": "T4", "provenance": []}},
        ),
        Service(
            "kaggle",
            "Kaggle",
            "python3",
            "Python 3",
            "https://www.kaggle.com/kernels/welcome?src=https://github.com/{}",
            _kaggle("none", has_gpu=False),
            _kaggle("gpu", has_gpu=True),
        ),
        Service(
            "sagemaker",
            "SageMaker Studio Lab",
            "conda-env-default-py",
            "default:Python",
            "https://studiolab.sagemaker.aws/import/github/{}",
        ),
    )
}
