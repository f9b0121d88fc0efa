"""The HTTP side of the backend: requests, routes, dispatch and the OpenAPI document."""
