"""Prepared operations: parsed, validated and compiled once, kept in a bounded cache."""

from dataclasses import dataclass, field

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

from app.api.graphql.execution.operation import CompiledOperation, Compiler

TOKENS_LIMIT = 1000
ERRORS_LIMIT = 5
CACHED_WEIGHT = 50_000


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
        self, operation: OperationDefinitionNode, compiler: Compiler
    ) -> CompiledOperation | None:
        """Compiles an operation when it is executed again, because one that differs in each request
        costs less without. A document has no more compiled fields than tokens."""
        name = operation.name.value if operation.name else ""
        if name not in self._executed:
            self._executed.add(name)
            return None
        if name not in self._compiled:
            size = sum(one.size for one in self._compiled.values() if one is not None)
            compiled = compiler.compile(operation, self._fragments(), self.tokens - size)
            self._compiled[name] = compiled
        return self._compiled[name]

    def _fragments(self) -> dict[str, FragmentDefinitionNode]:
        assert self.ast is not None  # noqa: S101  # asked only of documents without errors
        return {
            definition.name.value: definition
            for definition in self.ast.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }


class Documents:
    def __init__(self, schema: GraphQLSchema, *, introspection: bool) -> None:
        self._schema = schema
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
            self._cache[text] = document
        return document

    def _judge(self, text: str) -> Document:
        weight = len(text) // 1024
        try:
            ast = parse(text, max_tokens=TOKENS_LIMIT)
        except GraphQLSyntaxError as error:
            tokens = TOKENS_LIMIT
            return Document("GRAPHQL_PARSE_FAILED", None, (error,), tokens, weight + tokens)
        errors = validate(
            self._schema,
            ast,
            self._rules,
            max_errors=ERRORS_LIMIT,
            hide_suggestions=self._hide_suggestions,
        )
        tokens = ast.token_count or TOKENS_LIMIT
        weight += 2 * tokens  # the AST, and the compiled operations
        return Document("GRAPHQL_VALIDATION_FAILED", ast, tuple(errors), tokens, weight)
