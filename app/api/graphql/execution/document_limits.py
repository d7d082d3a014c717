"""The limits of a document, judged before anything else looks at it.

Fragments are expanded by count: each is counted once, however often it is spread, so the work is
linear in the document. A document with fragments that are missing or spread within themselves is
counted without these spreads; the validation that follows refuses it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from app.api.graphql.execution.repeated_fields import most_repeats
from app.errors import LimitExceeded
from app.settings import LimitSettings

# Counts stop here, because fragments that double have counts of many digits.
_MOST = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Counts:
    """Of a selection set. `fields` are those of its first level."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0

    def beside(self, other: "Counts") -> "Counts":
        return Counts(
            max(self.depth, other.depth),
            min(self.fields + other.fields, _MOST),
            min(self.aliases + other.aliases, _MOST),
            min(self.directives + other.directives, _MOST),
        )


def check_limits(document: DocumentNode, limits: LimitSettings) -> None:
    """Raises LimitExceeded."""
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    _check("operations", len(operations), "max_document_operations", limits)
    fragments = {
        one.name.value: one
        for one in document.definitions
        if isinstance(one, FragmentDefinitionNode)
    }
    counts = document_counts(operations, fragments.values())
    _check("levels of fields", counts.depth, "max_document_depth", limits)
    _check("aliases", counts.aliases, "max_document_aliases", limits)
    _check("root fields", counts.fields, "max_document_root_fields", limits)
    _check("directives", counts.directives, "max_document_directives", limits)
    repeats = max((most_repeats(one, fragments) for one in operations), default=0)
    _check("fields in one place of the answer", repeats, "max_document_repeats", limits)


def document_counts(
    operations: Iterable[OperationDefinitionNode], fragments: Iterable[FragmentDefinitionNode]
) -> Counts:
    """The sums of all operations, and the depth of the deepest."""
    counter = _Counter(fragments)
    total = Counts()
    for one in operations:
        directives = len(one.directives or ()) + sum(
            len(variable.directives or ()) for variable in one.variable_definitions or ()
        )
        total = total.beside(Counts(directives=directives)).beside(counter.of(one.selection_set))
    return total


def _check(what: str, found: int, name: str, limits: LimitSettings) -> None:
    allowed: int = getattr(limits, name)
    if found > allowed:
        rule = f"The document must have at most {allowed:,} {what}, with fragments expanded"
        raise LimitExceeded(rule, name.upper(), allowed, found)


class _Counter:
    def __init__(self, fragments: Iterable[FragmentDefinitionNode]) -> None:
        self._fragments = {one.name.value: one for one in fragments}
        self._counted: dict[str, Counts] = {}

    def of(self, selections: SelectionSetNode | None) -> Counts:
        total = Counts()
        for node in selections.selections if selections else ():
            own = Counts(directives=len(node.directives or ()))
            match node:
                case FieldNode():
                    below = self.of(node.selection_set)
                    aliases = below.aliases + (node.alias is not None)
                    found = Counts(below.depth + 1, 1, aliases, below.directives)
                case InlineFragmentNode():
                    found = self.of(node.selection_set)
                case FragmentSpreadNode():
                    found = self._fragment(node.name.value)
                case _:
                    found = Counts()
            total = total.beside(own).beside(found)
        return total

    def _fragment(self, name: str) -> Counts:
        if name not in self._counted:
            self._counted[name] = Counts()  # of a spread within itself
            fragment = self._fragments.get(name)
            if fragment is not None:
                own = Counts(directives=len(fragment.directives or ()))
                self._counted[name] = own.beside(self.of(fragment.selection_set))
        return self._counted[name]
