"""What a session remembers that decides what its later texts mean."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.facts.mysql.lexer import Modes

_MOST = 200
"""Variables and prepared texts that are remembered for one session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """What an @variable holds, as far as the texts that set it tell."""

    sources: frozenset[str] = frozenset()
    """The stored columns it is made of."""
    text: str | None = None
    """Its value, where that is written out."""
    modes: Modes | None = None
    """The modes it keeps for later: `SET @old = @@sql_mode`."""


UNSET = Variable()


@dataclass(slots=True, kw_only=True)
class State:
    """Changes while texts are read, one after another."""

    modes: Modes = field(default_factory=Modes)
    unclear: str = ""
    """Why no text of this session can be judged any more, or ""."""
    cuts_otherwise: bool = False
    """The client's character set may hide quotes in its characters; texts in ASCII alone have none of these."""
    database: str = ""
    shadowed: frozenset[str] = frozenset()
    """Tables and views that this session defined, temporary ones too, without their databases."""
    unseen: bool = False
    """Code ran that nobody saw: any name may mean a temporary table."""
    variables: dict[str, Variable] = field(default_factory=dict)
    prepared: dict[str, str] = field(default_factory=dict)

    def copy(self) -> State:
        return State(
            modes=self.modes,
            unclear=self.unclear,
            cuts_otherwise=self.cuts_otherwise,
            database=self.database,
            shadowed=self.shadowed,
            unseen=self.unseen,
            variables=dict(self.variables),
            prepared=dict(self.prepared),
        )

    def variable(self, name: str) -> Variable:
        return self.variables.get(name.lower().lstrip("@"), UNSET)

    def assign(self, name: str, value: Variable) -> None:
        name = name.lower().lstrip("@")
        if name not in self.variables and len(self.variables) >= _MOST:
            self.unclear = "the session keeps too many variables"
        self.variables[name] = value

    def forget(self, name: str) -> None:
        """The variable may hold another text than was written."""
        self.assign(name, Variable(sources=self.variable(name).sources))

    def forget_texts(self) -> None:
        """Code ran that nobody saw: it may have set any variable, prepared anything and made tables of its own."""
        self.unseen = True
        self.variables = {name: Variable(sources=each.sources) for name, each in self.variables.items()}
        self.prepared = {}

    def shadow(self, table: str) -> None:
        self.unseen = self.unseen or len(self.shadowed) >= _MOST
        self.shadowed |= set() if self.unseen else {table.rpartition(".")[2]}

    def shadows(self, table: str) -> bool:
        return self.unseen or table.rpartition(".")[2] in self.shadowed

    def prepare(self, name: str, text: str | None) -> None:
        self.prepared.pop(name.lower(), None)
        if text is not None and len(self.prepared) < _MOST:
            self.prepared[name.lower()] = text

    def key(self) -> str:
        """The same for two states in which every text reads alike."""
        if self == _FRESH:
            return ""
        variables = sorted((name, sorted(v.sources), v.text, v.modes) for name, v in self.variables.items())
        return repr(
            (
                self.modes,
                self.unclear,
                self.cuts_otherwise,
                self.database,
                sorted(self.shadowed),
                self.unseen,
                variables,
                sorted(self.prepared.items()),
            )
        )


_FRESH = State()
