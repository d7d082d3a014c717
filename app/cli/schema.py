"""The GraphQL schema."""

import typer


def schema() -> None:
    """Prints the GraphQL schema."""
    # The API takes longer to import than most commands take to run.
    from app.api.graphql.schema import schema as graphql_schema

    typer.echo(graphql_schema.as_str())
