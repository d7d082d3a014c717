"""Prepared operations: parsed and validated once per document, kept in a bounded cache."""

from dataclasses import dataclass

from cachetools import LRUCache
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    parse,
    specified_rules,
    validate,
)

TOKENS_LIMIT = 1000
ERRORS_LIMIT = 5
CACHED_WEIGHT = 50_000


@dataclass(frozen=True, slots=True)
class Document:
    """A document, or its errors."""

    code: str
    ast: DocumentNode | None
    errors: tuple[GraphQLError, ...]
    weight: int  # approximate KiB: one for each token, and the length of the text

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
            return Document("GRAPHQL_PARSE_FAILED", None, (error,), weight + TOKENS_LIMIT)
        errors = validate(
            self._schema,
            ast,
            self._rules,
            max_errors=ERRORS_LIMIT,
            hide_suggestions=self._hide_suggestions,
        )
        weight += ast.token_count or TOKENS_LIMIT
        return Document("GRAPHQL_VALIDATION_FAILED", ast, tuple(errors), weight)
