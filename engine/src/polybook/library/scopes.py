"""Which names code reads from the module around it, and when.

Python's rules of scope in small: a function sees its own names and those of the functions around
it, a class body sees its own while it runs, a comprehension has its own targets. Whatever is left
is a name of the module, or a builtin.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field

Function = ast.FunctionDef | ast.AsyncFunctionDef
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


@dataclass(frozen=True, slots=True)
class Use:
    """A place where code reads a name that it does not bind itself."""

    #: The name and the attributes after it: `("d2l", "Vocab")`; at least one part.
    path: tuple[str, ...]
    #: The expression, for its position.
    node: ast.expr
    #: Whether the name is needed when the module is imported, not only when a function is called.
    is_eager: bool


def dotted_path(node: ast.expr) -> tuple[str, ...]:
    """Return the parts of a dotted name, `("torch", "nn")`; empty for any other expression."""
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Attribute) and (path := dotted_path(node.value)):
        return (*path, node.attr)
    return ()


def find_uses(body: Iterable[ast.AST]) -> tuple[Use, ...]:
    """Return the reads of names from outside the functions and classes in `body`, in order."""
    reader = _Reader()
    for node in body:
        reader.read(node)
    return tuple(reader.uses)


def find_bindings(body: Iterable[ast.AST]) -> tuple[str, ...]:
    """Return the names that statements bind in the scope they stand in, each once, in order."""
    binder = _Binder()
    for node in body:
        binder.bind(node)
    return tuple(name for name in binder.names if name not in binder.elsewhere)


class _Binder:
    """Collects the names bound in one scope; does not look into the scopes inside it."""

    def __init__(self) -> None:
        self.names: dict[str, None] = {}
        self.global_names: set[str] = set()
        self.elsewhere: set[str] = set()

    def bind(self, node: ast.AST) -> None:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                self.names[name] = None
                return
            case ast.Lambda():
                return
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                walrus = [child.target for child in ast.walk(node) if isinstance(child, ast.NamedExpr)]
                self.names |= dict.fromkeys(target.id for target in walrus)
                return
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                self.names[name] = None
            case ast.alias(name=name, asname=asname) if name != "*":
                self.names[asname or name.partition(".")[0]] = None
            case (
                ast.ExceptHandler(name=str(name))
                | ast.MatchAs(name=str(name))
                | ast.MatchStar(name=str(name))
                | ast.MatchMapping(rest=str(name))
            ):
                self.names[name] = None
            case ast.Global(names=names):
                self.global_names.update(names)
                self.elsewhere.update(names)
            case ast.Nonlocal(names=names):
                self.elsewhere.update(names)
        for child in ast.iter_child_nodes(node):
            self.bind(child)


@dataclass(slots=True)
class _Scope:
    """The names of a function, a class body or a comprehension."""

    names: set[str]
    global_names: set[str] = field(default_factory=set)
    is_class: bool = False


class _Reader:
    """Walks code with a stack of scopes and keeps what none of them knows."""

    def __init__(self) -> None:
        self.uses: list[Use] = []
        self._scopes: list[_Scope] = []
        self._calls = 0  # how many functions must have been called to get here
        self._readers: dict[type[ast.AST], Callable[..., None]] = {
            ast.Name: self._read_name,
            ast.Attribute: self._read_attribute,
            ast.FunctionDef: self._read_function,
            ast.AsyncFunctionDef: self._read_function,
            ast.Lambda: self._read_lambda,
            ast.ClassDef: self._read_class,
            **dict.fromkeys(
                (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp), self._read_comprehension
            ),
        }

    def read(self, *nodes: ast.AST | None) -> None:
        for node in nodes:
            if node is None:
                continue
            if reader := self._readers.get(type(node)):
                reader(node)
            else:
                self.read(*ast.iter_child_nodes(node))

    def _is_outside(self, name: str) -> bool:
        """Return whether no scope around the current place binds `name`."""
        for depth, scope in enumerate(reversed(self._scopes)):
            if name in scope.global_names:
                return True
            if name in scope.names and not (scope.is_class and depth):
                return False
        return True

    @contextmanager
    def _inside(self, scope: _Scope, *, called: bool = False) -> Iterator[None]:
        self._scopes.append(scope)
        self._calls += called
        yield
        self._calls -= called
        self._scopes.pop()

    def _type_scope(self, node: ast.AST) -> AbstractContextManager[None]:
        """Return the scope of type parameters; without any there is none that could hide a class's names."""
        parameters = _type_parameters(node)
        return self._inside(_Scope(parameters)) if parameters else nullcontext()

    def _use(self, path: tuple[str, ...], node: ast.expr) -> None:
        if self._is_outside(path[0]):
            self.uses.append(Use(path, node, is_eager=not self._calls))

    def _read_name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Store):
            self._use((node.id,), node)

    def _read_attribute(self, node: ast.Attribute) -> None:
        if path := dotted_path(node):
            self._use(path, node)
        else:
            self.read(node.value)

    def _read_function(self, node: Function) -> None:
        self.read(*node.decorator_list)
        self._read_signature(node.args, node)
        self.read(node.returns)
        with self._inside(_function_scope(node.args, node.body, node), called=True):
            self.read(*node.body)

    def _read_lambda(self, node: ast.Lambda) -> None:
        self._read_signature(node.args, node)
        with self._inside(_function_scope(node.args, [node.body], node), called=True):
            self.read(node.body)

    def _read_signature(self, arguments: ast.arguments, node: ast.AST) -> None:
        """Read defaults and annotations, which belong to the scope around the function."""
        self.read(*arguments.defaults, *arguments.kw_defaults)
        with self._type_scope(node):
            self.read(*(argument.annotation for argument in _arguments(arguments)))

    def _read_class(self, node: ast.ClassDef) -> None:
        self.read(*node.decorator_list)
        with self._type_scope(node):
            self.read(*node.bases, *node.keywords)
            scope = _Scope(set(), is_class=True)
            with self._inside(scope):
                for statement in node.body:
                    self._read_class_statement(statement, scope)

    def _read_class_statement(self, statement: ast.stmt, scope: _Scope) -> None:
        """Read a statement of a class body; `x = x` there reads the module's `x`."""
        names = find_bindings([statement])
        if not isinstance(statement, ast.Assign | ast.AnnAssign | Function | ast.ClassDef):
            scope.names.update(names)
        self.read(statement)
        scope.names.update(names)

    def _read_comprehension(self, node: Comprehension) -> None:
        first, *others = node.generators
        self.read(first.iter)
        with self._inside(_Scope(set(find_bindings(part.target for part in node.generators)))):
            self.read(first.target, *first.ifs, *others)
            parts = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
            self.read(*parts)


def _arguments(arguments: ast.arguments) -> list[ast.arg]:
    starred = [argument for argument in (arguments.vararg, arguments.kwarg) if argument]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *starred]


def _type_parameters(node: ast.AST) -> set[str]:
    """Return the `T` of `def f[T](...)`, which Python 3.12 and later have."""
    return {parameter.name for parameter in getattr(node, "type_params", [])}


def _function_scope(arguments: ast.arguments, body: Sequence[ast.AST], node: ast.AST) -> _Scope:
    binder = _Binder()
    for child in body:
        binder.bind(child)
    names = set(binder.names) | {argument.arg for argument in _arguments(arguments)} | _type_parameters(node)
    return _Scope(names - binder.elsewhere, binder.global_names)
