"""Rollcall: a contact server with a GraphQL API."""
