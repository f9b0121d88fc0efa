"""The database connection as handlers see it, and the statements that it compiles for the driver.

SQLAlchemy's own execution takes longer than a small statement: half of a small request on SQLite, most of it on
PostgreSQL. So a statement is compiled once, with its types' conversions, and the SQL is given to the driver.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from sqlite3 import Error as SqliteError
from typing import TYPE_CHECKING, Any, Final, Protocol
from weakref import WeakKeyDictionary

from sqlalchemy import Dialect, Executable, Float, Insert, SelectBase, Table, TypeDecorator, UpdateBase, insert
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.compiler import SQLCompiler
from typing_extensions import override

from trips_mcp.backend.store import DatabaseLostError
from trips_mcp.json_values import is_list

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

_MOST_VARIANTS: Final = 64
"""Most texts of one statement, which differ in the lengths of the lists after IN."""
_DOUBLE: Final = 701
"""PostgreSQL's number of `double precision`. A type may convert by the column's own type, but only numbers do."""

FAILURES: Final = (DatabaseLostError, SQLAlchemyError, SqliteError)
"""The exceptions that the database raises, from a statement or from the opening of a connection."""

Row = tuple[Any, ...]
_Convert = Callable[[Any], Any]
_Key = tuple[object, ...]


class Number(TypeDecorator[float]):
    """A JSON number; a whole one is read back without a fraction, as it was sent."""

    impl = Float
    cache_ok = True

    @override
    def process_bind_param(self, value: float | None, dialect: Dialect) -> float | None:
        return None if value is None else float(value)

    @override
    def process_result_value(self, value: float | None, dialect: Dialect) -> float | None:
        return int(value) if value is not None and value.is_integer() else value


class Rows:
    """The rows that a statement returned, or the number of rows that it changed. Methods as in SQLAlchemy's Result."""

    def __init__(self, names: tuple[str, ...], rows: Sequence[Row], rowcount: int) -> None:
        self.names = names
        """Of the columns."""
        self.rowcount = rowcount
        """How many rows were returned or changed; -1 for several sets of parameters."""
        self._rows = rows

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def one(self) -> Row:
        (row,) = self._rows
        return row

    def one_or_none(self) -> Row | None:
        return self.one() if self._rows else None

    def scalars(self) -> list[Any]:
        """The first column."""
        return [row[0] for row in self._rows]

    def scalar_one(self) -> Any:
        return self.one()[0]

    def scalar_one_or_none(self) -> Any:
        return self.one()[0] if self._rows else None


class Connection(Protocol):
    """The transaction is the caller's."""

    @property
    def dialect(self) -> Dialect: ...

    async def execute(self, statement: Executable, parameters: Any = None) -> Rows:
        """`parameters` is one set of parameters, or a list of sets."""
        ...


@cache
def insertion(table: Table) -> Insert:
    """The table's INSERT, always the same object: a statement is compiled once as long as it exists."""
    return insert(table)


def insert_into(dialect: str, table: Table) -> "sqlite.Insert | postgresql.Insert":
    """INSERT … ON CONFLICT, the only SQL that differs between the two databases."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql  # 30 ms that users of SQLite do not need

        return postgresql.insert(table)
    return sqlite.insert(table)


@cache
def insertion_if_new(dialect: str, table: Table) -> Insert:
    """The table's INSERT that does nothing if the row exists; always the same object, as `insertion`."""
    return insert_into(dialect, table).on_conflict_do_nothing()


class CompiledStatement:
    """A statement for parameters of these names and, after IN, of these lengths."""

    def __init__(
        self, statement: Executable, dialect: Dialect, parameters: Mapping[str, Any], *, many: bool = False
    ) -> None:
        assert isinstance(statement, SelectBase | UpdateBase)  # noqa: S101  (text would not name its columns)
        compiled = statement.compile(dialect=dialect, column_keys=list(parameters), for_executemany=many)
        assert isinstance(compiled, SQLCompiler)  # noqa: S101  (of a query, not of a table)
        own = compiled.construct_params(parameters)
        expanded = compiled.construct_expanded_state(parameters)
        items = {item: (name, i) for name, its in expanded.parameter_expansion.items() for i, item in enumerate(its)}
        self.sql = expanded.statement
        self._sources: list[tuple[str, int | None, Any, _Convert | None]] = []
        """For each argument: the parameter, the place in its list, the statement's own value, the conversion."""
        for argument in expanded.positiontup or ():
            name, place = items.get(argument, (argument, None))
            convert = compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect)
            self._sources.append((name, place, own[name], convert))
        columns = list(statement.exported_columns)
        conversions = (column.type.dialect_impl(dialect).result_processor(dialect, _DOUBLE) for column in columns)
        self.names = tuple(str(column.key) for column in columns)
        self._conversions = [(place, convert) for place, convert in enumerate(conversions) if convert is not None]

    def arguments(self, parameters: Mapping[str, Any]) -> list[Any]:
        """What the driver takes, in the order of the SQL."""
        arguments: list[Any] = []
        for name, place, own, convert in self._sources:
            value = parameters.get(name, own)
            if place is not None:
                value = value[place]
            arguments.append(value if convert is None else convert(value))
        return arguments

    def rows(self, found: Sequence[Iterable[Any]], rowcount: int) -> Rows:
        """The driver's rows, converted."""
        rows: list[Row] = []
        for values in found:
            row = list(values)
            for place, convert in self._conversions:
                row[place] = convert(row[place])
            rows.append(tuple(row))
        return Rows(self.names, rows, rowcount)


class CompiledStatements:
    """Those of one database, kept as long as their statements."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self._kept: WeakKeyDictionary[Executable, dict[_Key, CompiledStatement]] = WeakKeyDictionary()

    def of(self, statement: Executable, parameters: Mapping[str, Any], *, many: bool = False) -> CompiledStatement:
        """`many`: for several sets of parameters with these names."""
        variants = self._kept.get(statement)
        if variants is None:
            variants = self._kept[statement] = {}
        key = (many, *((name, len(value)) if is_list(value) else name for name, value in parameters.items()))
        found = variants.get(key)
        if found is None:
            if len(variants) >= _MOST_VARIANTS:
                variants.clear()
            found = variants[key] = CompiledStatement(statement, self.dialect, parameters, many=many)
        return found
