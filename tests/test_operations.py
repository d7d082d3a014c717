"""The cache of prepared documents."""

import tracemalloc

from app.api.operations import Documents
from app.api.schema import schema


def test_documents_that_are_long_by_comments_fill_no_memory() -> None:
    documents = Documents(schema._schema, introspection=True)
    comment = "x" * 4_000_000
    tracemalloc.start()
    for number in range(40):
        assert not documents.prepare(f"{{ viewer {{ scopes }} }} #{number} {comment}").errors
        assert documents.prepare(f"{{ #{number} {comment}").errors
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 64 * 2**20
