"""The workflows of CI: they parse, what they call exists, and they may do no more than they must."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from polybook import cli
from polybook.pipeline.book import load_book

ROOT = Path(__file__).parents[1]
WORKFLOWS = {path.name: path for path in sorted((ROOT / ".github/workflows").glob("*.yml"))}
EXPRESSION = re.compile(r"\$\{\{.*?\}\}")
#: Programs that runners have.
SYSTEM = {"find", "gh", "git", "nvidia-smi"}


def jobs(name: str) -> dict[str, dict]:
    return yaml.safe_load(WORKFLOWS[name].read_text(encoding="utf-8"))["jobs"]


def steps(name: str) -> list[dict]:
    return [step for job in jobs(name).values() for step in job["steps"]]


def _value(expression: re.Match[str]) -> str:
    return "pytorch" if "framework" in expression[0] else "1"


def commands(name: str) -> list[list[str]]:
    """Return the commands of a workflow as lists of words, with a value for every expression."""
    scripts = [EXPRESSION.sub(_value, step["run"]) for step in steps(name) if "run" in step]
    return [shlex.split(line) for script in scripts for line in script.splitlines()]


def test_there_is_one_for_a_processor_and_one_for_a_gpu():
    assert list(WORKFLOWS) == ["ci.yml", "gpu.yml"]
    assert [".ci/run"] in commands("ci.yml")
    assert any(command[:2] == ["make", "execute"] for command in commands("gpu.yml"))


def test_every_framework_is_run_shortened_and_cell_by_cell():
    frameworks = list(load_book(ROOT).config.frameworks)
    nbval = jobs("ci.yml")["nbval"]
    assert nbval["strategy"]["matrix"] == {"framework": frameworks}
    assert nbval["steps"][-1]["run"] == "make notebooks nbval-${{ matrix.framework }}"
    tested = subprocess.run(
        ["make", "--dry-run", "test"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    made = {name for name in frameworks if f"test-{name}" in tested.stdout}
    assert made == set(frameworks)  # with the environment of each, whose chapters `test_book` runs


def test_a_gpu_is_used_by_builds_for_it_in_the_pinned_versions():
    (call,) = [command for command in commands("gpu.yml") if command[:2] == ["make", "execute"]]
    assert "GPU=1" in call
    made = subprocess.run(
        ["make", "--dry-run", "--always-make", "execute", "GPU=1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for framework, requirements in load_book(ROOT).requirements.items():
        name = {"pytorch": "torch", "tensorflow": "tensorflow[and-cuda]", "jax": "jax[cuda12]"}.get(framework)
        installed = f'--constraint requirements/{framework}.txt "{name}=={requirements.version}"'
        assert (installed in made) == (name is not None)
    plain = subprocess.run(
        ["make", "--dry-run", "--always-make", "execute"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "--constraint" not in plain


def test_results_of_a_run_that_failed_in_part_are_proposed():
    """What a shard has finished is in its patch, and the patches of all shards are in the pull request."""
    execute, propose = jobs("gpu.yml").values()
    after = [step for step in execute["steps"] if "make execute" not in step.get("run", "")][2:]
    assert all(step["if"] == "${{ !cancelled() }}" for step in (*after, propose))
    assert execute["strategy"]["fail-fast"] is False
    assert propose["needs"] == "execute"


@pytest.mark.parametrize("name", WORKFLOWS)
def test_what_is_called_exists(name):
    for program, *arguments in commands(name):
        if program == "make":
            tried = subprocess.run(
                ["make", "--dry-run", *arguments], cwd=ROOT, capture_output=True, check=False
            )
            assert tried.returncode == 0, tried.stderr
            for options in [
                word.removeprefix("OPTIONS=") for word in arguments if word.startswith("OPTIONS=")
            ]:
                assert cli._parser().parse_args([arguments[0], *shlex.split(options)])
        elif program not in SYSTEM:
            assert os.access(ROOT / program, os.X_OK), program


@pytest.mark.parametrize("name", WORKFLOWS)
def test_scripts_are_bash(name):
    for step in steps(name):
        script = EXPRESSION.sub("1", step.get("run", ""))
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_actions_are_pinned_by_version(name):
    used = [step["uses"] for step in steps(name) if "uses" in step]
    assert used
    assert all(re.fullmatch(r"actions/[\w-]+@v\d+\.\d+\.\d+", action) for action in used), used


@pytest.mark.parametrize("name", WORKFLOWS)
def test_permissions_are_minimal(name):
    workflow = yaml.safe_load(WORKFLOWS[name].read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    writing = {job for job, settings in jobs(name).items() if "write" in str(settings.get("permissions", ""))}
    assert writing <= {"propose"}
    assert all("timeout-minutes" in job for job in jobs(name).values())


def test_no_pull_request_runs_on_our_own_machines():
    workflow = yaml.safe_load(WORKFLOWS["gpu.yml"].read_text(encoding="utf-8"))
    assert set(workflow[True]) == {"workflow_dispatch", "schedule"}  # YAML reads `on` as true
    assert "self-hosted" not in WORKFLOWS["ci.yml"].read_text(encoding="utf-8")
