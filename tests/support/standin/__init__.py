"""A small Qdrant over HTTP for tests and the demo: routes, errors and JSON shapes like a real server's.

The search itself is qdrant-client's local mode. A test fixture only: nothing of the product depends on it.
"""
