"""Contacts out of files and into files, by the operations of the API."""
