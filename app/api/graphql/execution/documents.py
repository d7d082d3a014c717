"""Prepared operations: parsed, judged and compiled once, kept in a bounded cache."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cachetools import LRUCache
from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    parse,
    specified_rules,
    validate,
)

from app.api.graphql.execution.answers import ERRORS_LIMIT
from app.api.graphql.execution.cost.operation import Cost, cost_of
from app.api.graphql.execution.document_limits import check_limits
from app.api.graphql.execution.operation import CompiledOperation, Compiler
from app.errors import LimitExceeded
from app.settings import LimitSettings

CACHED_WEIGHT = 50_000

_TOO_MANY_TOKENS = "tokens. Parsing aborted."


@dataclass(frozen=True, slots=True)
class Document:
    """A document, or its errors."""

    code: str
    ast: DocumentNode | None
    errors: tuple[GraphQLError, ...]
    tokens: int
    weight: int  # approximate KiB: two for each token, and the length of the text
    _executed: set[str] = field(default_factory=set)
    _compiled: dict[str, CompiledOperation | None] = field(default_factory=dict)
    _costs: dict[str, Cost] = field(default_factory=dict)

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        """The operation of this name, or the only one if no name is given."""
        assert self.ast is not None  # noqa: S101  # asked only of documents without errors
        operations = [
            definition
            for definition in self.ast.definitions
            if isinstance(definition, OperationDefinitionNode)
        ]
        if name is None:
            return operations[0] if len(operations) == 1 else None
        named = (one for one in operations if one.name is not None and one.name.value == name)
        return next(named, None)

    def compiled(
        self, operation: OperationDefinitionNode, compiler: Compiler, *, at_once: bool = False
    ) -> CompiledOperation | None:
        """Compiles an operation at its second execution, or `at_once`: compiling one whose document
        differs in each request costs more than it saves. A document has no more compiled fields
        than tokens."""
        name = operation.name.value if operation.name else ""
        if name not in self._executed and not at_once:
            self._executed.add(name)
            return None
        if name not in self._compiled:
            size = sum(one.size for one in self._compiled.values() if one is not None)
            compiled = compiler.compile(operation, self._fragments(), self.tokens - size)
            self._compiled[name] = compiled
        return self._compiled[name]

    def cost(
        self,
        operation: OperationDefinitionNode,
        schema: GraphQLSchema,
        variables: Mapping[str, Any] | None,
    ) -> int:
        """The points of the operation with these variables."""
        name = operation.name.value if operation.name else ""
        cost = self._costs.get(name)
        if cost is None:
            cost = self._costs[name] = cost_of(schema, operation, self._fragments())
        return cost.points(variables or {})

    def _fragments(self) -> dict[str, FragmentDefinitionNode]:
        assert self.ast is not None  # noqa: S101  # asked only of documents without errors
        return {
            definition.name.value: definition
            for definition in self.ast.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }


class Documents:
    def __init__(
        self, schema: GraphQLSchema, limits: LimitSettings | None = None, *, introspection: bool
    ) -> None:
        self._schema = schema
        self._limits = limits or LimitSettings()
        self._hide_suggestions = not introspection
        self._rules = [*specified_rules]
        if not introspection:
            self._rules.append(NoSchemaIntrospectionCustomRule)
        self._cache: LRUCache[str, Document] = LRUCache(
            CACHED_WEIGHT, getsizeof=lambda document: document.weight
        )

    def prepare(self, text: str) -> Document:
        document = self._cache.get(text)
        if document is None:
            document = self._judge(text)
            if document.weight <= CACHED_WEIGHT:  # MAX_DOCUMENT_TOKENS may allow more
                self._cache[text] = document
        return document

    def _judge(self, text: str) -> Document:
        weight = len(text) // 1024
        most = self._limits.max_document_tokens
        try:
            ast = parse(text, max_tokens=most)
            check_limits(ast, self._limits)
        except GraphQLSyntaxError as error:
            if error.message.endswith(_TOO_MANY_TOKENS):
                rule = f"The document must have at most {most:,} tokens"
                return _refused(LimitExceeded(rule, "MAX_DOCUMENT_TOKENS", most), weight + most)
            return Document("GRAPHQL_PARSE_FAILED", None, (error,), most, weight + most)
        except LimitExceeded as error:
            return _refused(error, weight + most)
        errors = validate(
            self._schema,
            ast,
            self._rules,
            max_errors=ERRORS_LIMIT,
            hide_suggestions=self._hide_suggestions,
        )
        tokens = ast.token_count or most
        weight += 2 * tokens  # the AST, and the compiled operations
        return Document("GRAPHQL_VALIDATION_FAILED", ast, tuple(errors), tokens, weight)


def _refused(error: LimitExceeded, weight: int) -> Document:
    reported = GraphQLError(error.message, extensions=error.extensions)
    return Document(error.code, None, (reported,), error.allowed, weight)
