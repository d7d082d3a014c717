"""The operation of a request: its document, its node in that and its cost, within the limits."""

from typing import Any, NamedTuple

import strawberry
from graphql import ExecutionResult, OperationDefinitionNode, OperationType

from app.api.graphql.context import Context
from app.api.graphql.execution.answers import RefusedDocument
from app.api.graphql.execution.cost.operation import too_costly
from app.api.graphql.execution.documents import Document, Documents
from app.api.graphql.execution.execute import Executor
from app.api.graphql.execution.trusted_documents import load
from app.api.http.parameters import Parameters
from app.errors import BadRequest
from app.settings import Settings


class Operation(NamedTuple):
    document: Document
    node: OperationDefinitionNode
    variables: dict[str, Any] | None
    values: int  # that the variables have at most
    cost: int

    @property
    def name(self) -> str | None:
        return self.node.name.value if self.node.name else None

    @property
    def is_query(self) -> bool:
        return self.node.operation is OperationType.QUERY


class Operations:
    def __init__(self, schema: strawberry.Schema, settings: Settings) -> None:
        """Raises CommandFailed for a manifest of trusted documents that has faults."""
        self._schema = schema._schema
        self._most = settings.max_operation_cost
        self._documents = Documents(self._schema, settings, introspection=settings.shows_schema)
        self._trusted_documents = load(
            settings.trusted_documents_manifest,
            self._documents,
            only=settings.trusted_documents == "only",
        )
        self._executor = Executor(schema, hide_suggestions=not settings.shows_schema)

    def find(self, parameters: Parameters) -> Operation:
        """Raises RefusedDocument, UntrustedDocument or BadRequest."""
        text = self._trusted_documents.document(parameters.document_id, parameters.query)
        document = self._documents.prepare(text)
        if document.ast is None or document.errors:
            raise RefusedDocument(document.errors, document.code)
        node = document.operation(parameters.operation_name)
        if node is None:
            raise BadRequest("operationName must name one of the document's operations.")
        cost = document.cost(node, self._schema, parameters.variables)
        return Operation(document, node, parameters.variables, parameters.values, cost)

    def check_cost(self, operation: Operation) -> None:
        """Raises LimitExceeded."""
        if operation.cost > self._most:
            raise too_costly(operation.cost, self._most)

    async def execute(self, operation: Operation, context: Context) -> ExecutionResult:
        return await self._executor.execute(
            operation.document,
            operation.node,
            operation.variables,
            context,
            cost=operation.cost,
            values=operation.values,
        )
