"""The library: fixtures (chapters in, module or errors out) and the properties that all of them have."""

from __future__ import annotations

import ast
import importlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from polybook.dialect import parse
from polybook.dialect.python import imported_packages
from polybook.frameworks import FRAMEWORKS
from polybook.library import (
    Library,
    build_library,
    expand_aliases,
    free_names,
    names_used,
    package_text,
)
from polybook.library.imports import Import, write_imports
from polybook.library.scopes import find_bindings, find_uses
from polybook.library.sources import add_note, merge_members
from polybook.model import Cell, Prose, write

CASES = sorted(path for path in (Path(__file__).parent / "fixtures" / "library").iterdir() if path.is_dir())


def read_settings(case: Path) -> dict[str, Any]:
    path = case / "settings.json"
    return json.loads(path.read_text()) if path.exists() else {}


def read_chapters(case: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(case.glob("*.md"))}


def build(chapters: Mapping[str, str], settings: Mapping[str, Any] | None = None) -> Library:
    settings = settings or {}
    return build_library(
        [(name, parse(text, name)) for name, text in chapters.items()],
        FRAMEWORKS[settings.get("framework", "pytorch")],
        settings.get("default", "pytorch"),
        module="d2l",
        aliases=settings.get("aliases", {}),
    )


def cell(*lines: str) -> str:
    return "\n".join(("```{.python .input}", "#@tab all", *lines, "```", ""))


each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@each_case
def test_fixture(case: Path) -> None:
    library = build(read_chapters(case), read_settings(case))
    errors = case / "expected_errors.txt"
    assert [str(each) for each in library.diagnostics] == (
        errors.read_text().splitlines() if errors.exists() else []
    )
    assert library.text == (case / "expected.py").read_text()


@each_case
def test_second_build_equals_first(case: Path) -> None:
    chapters, settings = read_chapters(case), read_settings(case)
    assert build(chapters, settings) == build(chapters, settings)


@each_case
def test_module_parses_and_ends_with_one_newline(case: Path) -> None:
    text = build(read_chapters(case), read_settings(case)).text
    ast.parse(text)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@each_case
def test_prose_changes_neither_text_nor_closure(case: Path) -> None:
    chapters, settings = read_chapters(case), read_settings(case)
    library = build(chapters, settings)
    edited = build({name: with_more_prose(text) for name, text in chapters.items()}, settings)
    assert edited.text == library.text
    assert edited.closure(edited.definitions) == library.closure(library.definitions)


def with_more_prose(text: str) -> str:
    blocks = []
    for block in parse(text).blocks:
        if isinstance(block, Cell):
            blocks.append(Prose(block.line, "An edit of\ntwo lines.\n\n"))
        blocks.append(block)
    return write(blocks)


def test_a_heading_is_in_the_text_and_not_in_the_closure() -> None:
    code = cell(
        "class A:  #@save", "    pass", "@d2l.add_to_class(A)  #@save", "def f(self):", "    return 1"
    )
    before, after = build({"a.md": f"# Before\n\n{code}"}), build({"a.md": f"# After\n\n{code}"})
    assert before.text != after.text
    assert before.closure(["A"]) == after.closure(["A"])


def run(library: Library, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("d2l.generated")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(library.text, "generated.py", "exec"), vars(module))  # noqa: S102 (our own fixtures)
    return module


def test_module_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    case = next(case for case in CASES if case.name == "methods")
    d2l = run(build(read_chapters(case)), monkeypatch)
    assert d2l.Shape(3).area() == (9, "a string\nkeeps its lines")
    assert d2l.Shape(3).double == 6
    assert d2l.Empty().tau() > 6
    assert d2l.d2l is d2l


@each_case
def test_what_does_not_need_a_framework_can_be_imported(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = build(read_chapters(case), read_settings(case))
    if not imported_packages(library.text):
        module = run(library, monkeypatch)
        assert all(hasattr(module, name) for name in library.definitions)


CHAPTER = cell(
    "import math",
    "from torch import nn",
    "SIZE = math.pi  #@save",
    "def a():  #@save",
    "    return d2l.b(), SIZE",
    "def b():  #@save",
    "    return a",
    "class Base(nn.Module):  #@save",
    "    def f(self): return 1",
    "class Child(d2l.Base):  #@save",
    "    pass",
    "@d2l.add_to_class(Base)  #@save",
    "def g(self):",
    "    return d2l.SIZE, d2l.concat",
    "def whole():  #@save",
    "    return dir(d2l)",
)


def test_uses_and_imports_of_a_definition() -> None:
    library = build({"a.md": CHAPTER}, {"aliases": {"concat": "torch.cat"}})
    assert library.diagnostics == ()
    uses = {name: set(each.uses) for name, each in library.definitions.items()}
    assert uses == {
        "concat": set(),
        "SIZE": set(),
        "a": {"b", "SIZE"},
        "b": {"a"},
        "Base": {"SIZE", "concat"},
        "Child": {"Base"},
        "whole": {"*"},
    }
    assert library.definitions["Base"].imports == ("from torch import nn",)
    assert library.definitions["SIZE"].imports == ("import math",)


def test_closure_holds_what_is_used_in_turn() -> None:
    library = build({"a.md": CHAPTER}, {"aliases": {"concat": "torch.cat"}})
    assert list(library.closure(["a"])) == ["SIZE", "a", "b"]
    assert list(library.closure(["Child", "nothing"])) == ["Base", "Child", "SIZE", "concat"]
    assert list(library.closure(["whole"])) == sorted(library.definitions)
    assert library.closure(["concat"]) == {"concat": "import torch\nconcat = torch.cat"}
    assert library.closure(["b"])["b"] == "def b():\n    return a"
    assert library.closure([]) == {}


def test_closure_holds_changes_of_a_value() -> None:
    case = next(case for case in CASES if case.name == "changes")
    library = build(read_chapters(case))
    assert list(library.closure(["HUB"])) == ["COUNT", "HUB", "URL"]
    assert library.closure(["COUNT"]) == {"COUNT": "COUNT = 1\nd2l.COUNT += 1"}
    assert library.closure(["HUB"])["HUB"].splitlines() == [
        "import math",
        "HUB = {'a': URL}",
        "d2l.HUB['b'] = (",
        "    d2l.URL + 'b', math.pi)",
        "d2l.HUB.update(c=3)",
        "HUB['d']: int = d2l.COUNT",
        "d2l.HUB.setdefault('e', [[]])[0].append(4)",
    ]
    assert library.definitions["HUB"].line == 6


def test_a_saved_import_is_a_definition() -> None:
    library = build(
        {"a.md": cell("import matplotlib.pyplot as plt  #@save", "def f():  #@save", "    return d2l.plt")}
    )
    assert library.closure(["f"]) == {
        "f": "def f():\n    return d2l.plt",
        "plt": "import matplotlib.pyplot as plt",
    }


def test_lines_are_those_of_the_chapter() -> None:
    text = "# Title\n\n" + cell(
        "if tab.selected('mxnet'):",
        "    class A:  #@save",
        "        x = 1",
        "if tab.selected('pytorch'):",
        "    # Comment",
        "    class A:  #@save",
        "        x = 2",
        "        y = nowhere",
        "#@save",
        "@staticmethod",
        "def f():",
        "    return 1",
    )
    library = build({"a.md": text})
    assert library.definitions["f"].line == text.splitlines().index("@staticmethod") + 1
    (error,) = library.diagnostics
    assert error.line == text.splitlines().index("        y = nowhere") + 1


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("from d2l import torch as d2l\nd2l.Vocab(d2l.f(1)).x", "Vocab f"),
        ("d2l.Vocab", "Vocab"),
        ("from d2l import torch as book\nbook.Vocab; other.f", "Vocab"),
        ("from d2l import torch\ntorch.Vocab", "Vocab"),
        ("import d2l.torch as t\nt.Vocab", "Vocab"),
        ("import d2l.torch\nd2l.torch.Vocab", "Vocab torch"),
        ("from d2l.torch import Vocab as V, f", "Vocab f"),
        ("def g():\n    from d2l import torch as t\n    return [t.Vocab for i in d2l.f()]", "Vocab f"),
        (
            "class A(d2l.Module):\n    @d2l.add_to_class(B)\n    def f(self): d2l.x = 1",
            "Module add_to_class x",
        ),
        ("%matplotlib inline\nd2l.f()", "f"),
        ("f'{d2l.f()}'", "f"),
        ("dir(d2l)", "*"),
        ("d2l.f; x = d2l", "* f"),
        ("from d2l.torch import *", "*"),
        ("import numpy as np\nnp.d2l.x", ""),
        ("d2l = 3", ""),
        ("d2l.f( 1 +", "d2l f"),
        ("", ""),
    ],
)
def test_names_used(code: str, names: str) -> None:
    assert names_used(code, "d2l") == frozenset(names.split())


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("d2l.concat((a, b))  # d2l.concat", "torch.cat((a, b))  # d2l.concat"),
        (
            "x = 'é'; d2l.concat(d2l.matmul(x, y), 'd2l.concat')",
            "x = 'é'; torch.cat(torch.matmul(x, y), 'd2l.concat')",
        ),
        ("f(d2l .  concat)", "f(torch.cat)"),
        ("(d2l\n .concat(a),\n d2l.concat.x)", "(torch.cat(a),\n torch.cat.x)"),
        ("from d2l import torch as t\nt.concat", "from d2l import torch as t\ntorch.cat"),
        ("%time\nd2l.concat", "%time\ntorch.cat"),
        ("d2l.size = 2; f(d2l.size)", "d2l.size = 2; f(d2l.size)"),
        ("d2l.concat = 1", "d2l.concat = 1"),
        ("def f(d2l):\n    return d2l.concat", "def f(d2l):\n    return d2l.concat"),
        ("d2l.concatenate, x.d2l.concat", "d2l.concatenate, x.d2l.concat"),
        ("d2l.concat(", "d2l.concat("),
    ],
)
def test_expand_aliases(code: str, expected: str) -> None:
    aliases = {"concat": "torch.cat", "matmul": "torch.matmul", "size": "lambda a: a.shape"}
    once = expand_aliases(code, "d2l", aliases)
    assert once == expected
    assert expand_aliases(once, "d2l", aliases) == once
    assert expand_aliases(code, "d2l", {}) == code


FLUENT = {
    "concat": "torch.cat",
    "reshape": "lambda x, *args, **kwargs: x.reshape(*args, **kwargs)",
    "numpy": "lambda x: x.detach().numpy()",
    "to": "lambda x, device: x.to(device)",
    "size": "lambda x: x.shape[0] * x.shape[1]",
    "rand": "lambda *shape: tf.random.uniform(shape)",
    "sum": "lambda x, axis=None: np.sum(x, axis=axis)",
    "broken": "lambda x:",
}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("d2l.reshape(X, (2, 3))", "X.reshape((2, 3))"),
        ("d2l.reshape(X, 2, 'a', order=\"C\")[0]", "X.reshape(2, 'a', order=\"C\")[0]"),
        ("d2l.numpy(f(x))", "f(x).detach().numpy()"),
        ("d2l.numpy(a + b) ** 2", "(a + b).detach().numpy() ** 2"),
        ("d2l.numpy(-x)", "(-x).detach().numpy()"),
        ("d2l.numpy(3)", "(3).detach().numpy()"),
        ("d2l.numpy(x=a.b[0])", "a.b[0].detach().numpy()"),
        ("d2l.numpy(d2l.reshape(d2l.concat(a), 1e-3))", "torch.cat(a).reshape(1e-3).detach().numpy()"),
        ("d2l.numpy([d2l.concat(a)])", "[torch.cat(a)].detach().numpy()"),
        ("d2l.to(x, (y := 3))", "x.to((y := 3))"),
        ("d2l.to(x, lambda: 0)", "x.to(lambda: 0)"),
        ("d2l.to(\n    x,\n    device='é')", "x.to('é')"),
        ("d2l.numpy(a\n          .b)", "(a\n          .b).detach().numpy()"),
        ("2 ** d2l.size(x)", "2 ** (x.shape[0] * x.shape[1])"),
        ("d2l.sum(x)", "np.sum(x, axis=None)"),
        ("d2l.sum(x, 0 if a else 1)", "np.sum(x, axis=0 if a else 1)"),
        ("d2l.rand(2, n + 1)", "tf.random.uniform((2, n + 1))"),
        # no call, or one that could come to mean something else
        ("map(d2l.numpy, xs)", "map(d2l.numpy, xs)"),
        ("d2l.size(f(x))", "d2l.size(f(x))"),
        ("d2l.to(*both)", "d2l.to(*both)"),
        ("d2l.to(x, **both)", "d2l.to(x, **both)"),
        ("d2l.to(x)", "d2l.to(x)"),
        ("d2l.to(x,  # why\n       y)", "d2l.to(x,  # why\n       y)"),
        ("d2l.broken(x)", "d2l.broken(x)"),
    ],
)
def test_calls_of_a_lambda_become_its_body(code: str, expected: str) -> None:
    once = expand_aliases(code, "d2l", FLUENT)
    assert once == expected
    assert expand_aliases(once, "d2l", FLUENT) == once


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("torch.cat", "torch"),
        ("lambda x: x.size", ""),
        ("lambda x: F.relu(x, max(y, 1))", "F y"),
        ("1 +", ""),
    ],
)
def test_free_names(expression: str, names: str) -> None:
    assert free_names(expression) == frozenset(names.split())


def test_an_alias_with_the_name_of_a_builtin_hides_it_from_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    chapter = cell("def f(x):  #@save", "    return abs(x), d2l.abs(x)")
    library = build({"a.md": chapter}, {"aliases": {"abs": "math.fabs", "log": "math.log"}})
    assert library.diagnostics == ()
    d2l = run(library, monkeypatch)
    assert repr(d2l.f(-3)) == "(3, 3.0)"
    assert not hasattr(d2l, "nothing")
    assert library.closure(["f"]).keys() == {"abs", "f"}
    without = build(
        {"a.md": cell("def f(x):  #@save", "    return abs(x)")}, {"aliases": {"abs": "math.fabs"}}
    )
    assert without.closure(["f"]).keys() == {"f"}


@pytest.mark.parametrize(
    "code", ["f'{d2l.concat(a)} {b}'", 'f"""\n{d2l.concat}\nd2l.concat"""', "f'é{d2l.concat}'"]
)
def test_expand_aliases_leaves_strings_valid(code: str) -> None:
    expanded = expand_aliases(code, "d2l", {"concat": "torch.cat"})
    assert ast.unparse(ast.parse(expanded)).replace("torch.cat", "d2l.concat") == ast.unparse(ast.parse(code))


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("x + y.z", "x y"),
        ("def f(a, *b, c=d, **e): return a, b, c, e, g", "d g"),
        ("def f(a: b, c: d = 1) -> e: pass", "b d e"),
        ("[x for x in y if z]", "y z"),
        ("{k: v for k, v in a for _ in k}", "a"),
        ("lambda x, y=z: x + w", "w z"),
        ("class A(B, metaclass=M):\n    x = 1\n    y = x\n    def f(self): return x", "B M x"),
        ("class A:\n    x = x\n    for i in range(3): j = i", "range x"),
        ("class A:\n    class B: pass\n    class C(B): pass", ""),
        ("def f():\n    def g(): return x\n    x = 1\n    return g", ""),
        ("def f():\n    x = 1\n    def g():\n        nonlocal x\n        x += 1", ""),
        ("def f():\n    global x\n    x = 1\n    return x", "x"),
        ("def f():\n    import a.b as c, d.e\n    return c, d, a", "a"),
        ("def f():\n    try: pass\n    except E as e: return e", "E"),
        (
            "def f(x):\n    match x:\n        case A(b=[c, *d], e=None) | {'k': g, **h}: return c, d, g, h",
            "A",
        ),
        ("def f():\n    if any((y := x) for x in z): return y", "any z"),
        ("@d\nasync def f():\n    async with a as b: return b", "a d"),
        ("def f():\n    del x\n    return x", ""),
    ],
)
def test_find_uses(code: str, names: str) -> None:
    assert sorted({use.path[0] for use in find_uses(ast.parse(code).body)}) == names.split()


def test_uses_inside_functions_are_not_eager() -> None:
    code = "@a\nclass A(b):\n    c\n    def f(self, x=d): return e, (lambda: g)"
    eager = {use.path[0]: use.is_eager for use in find_uses(ast.parse(code).body)}
    assert eager == {"a": True, "b": True, "c": True, "d": True, "e": False, "g": False}


def test_find_bindings() -> None:
    code = "a, (b, *c) = 1; d: int = 2\nfor e in f: pass\nimport g.h, i as j\nwith k as l: pass\n"
    code += "class M: n = 1\n(p := 1)"
    assert find_bindings(ast.parse(code).body) == tuple("abcdegjlMp")


@pytest.mark.parametrize("title", ["a", '"', '"""', "\\", "\\alpha'''", "é\u00a0»"])
@pytest.mark.parametrize(
    "docstring", ["", '"""x"""', "'x'", 'r"""\\x"""', "'\"'", '"""a\n    b\n    """', "'\\t\\x00\\\\'"]
)
def test_a_note_is_the_last_paragraph(title: str, docstring: str) -> None:
    source = f"def f():\n    {docstring}\n    return 1"
    note = f"Defined in {title} (a.md)."
    old = ast.get_docstring(ast.parse(source).body[0])  # type: ignore[arg-type]
    new = ast.get_docstring(ast.parse(add_note(source, note)).body[0])  # type: ignore[arg-type]
    assert new == (f"{old}\n\n{note}" if old else note)


def test_merging_keeps_strings_and_replaces_every_earlier_form() -> None:
    body = ["@property", "def x(self): pass", "", "@x.setter", "def x(self, v): pass", "", "y = 1"]
    source = "\n    ".join(["class A:", *body]).replace("\n    \n", "\n\n")
    members = {"x": 'def x(self):\n    return f"""\n{self}\n"""', "z": "def z(self): pass"}
    assert merge_members(source, members) == (
        'class A:\n    def x(self):\n        return f"""\n{self}\n"""\n\n    y = 1\n\n    def z(self): pass'
    )


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A library whose second module needs what is not there."""
    folder = tmp_path / "polybook_test_library"
    folder.mkdir()
    wanted = {"here": ["a==1"], "lacking": ["no-such-package==2", "other"]}
    folder.joinpath("__init__.py").write_text(package_text('Of "quotes" \\', folder.name, wanted))
    folder.joinpath("here.py").write_text("x = 1\n")
    folder.joinpath("lacking.py").write_text(write_imports([Import("no_such_package.part")]) + "\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module(folder.name)
    for name in [name for name in sys.modules if name.startswith(folder.name)]:
        del sys.modules[name]


def test_a_module_of_the_library_is_imported_when_it_is_asked_for(package):
    assert f"{package.__name__}.here" not in sys.modules
    assert package.here.x == 1


@pytest.mark.parametrize("by_name", [True, False])
def test_a_library_without_its_framework_says_in_a_line_what_to_install(package, by_name):
    with pytest.raises(ImportError) as raised:
        if by_name:
            import polybook_test_library.lacking  # noqa: F401
        else:
            from polybook_test_library import lacking  # noqa: F401
    assert str(raised.value) == (
        "polybook_test_library.lacking needs no_such_package, which is not installed. "
        "Run: pip install no-such-package==2 other"
    )


def test_other_names_are_not_in_the_library(package):
    assert not hasattr(package, "nothing")
