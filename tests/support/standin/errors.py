"""The failures a request can meet, each with Qdrant's status and words."""

from __future__ import annotations


class ApiError(Exception):
    """Answered as `{"status":{"error":message},"time":...}` with `status`."""

    status = 400

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        if status is not None:
            self.status = status


class FormatError(ApiError):
    """A body that does not parse, or parses into something the endpoint does not take."""

    def __init__(self, what: str, body: bytes | None = None, position: tuple[int, int] | None = None) -> None:
        self.what = what
        super().__init__(what)
        if position is not None:
            self.place(position)
        elif body is not None:
            self.place_at_end(body)

    def place(self, position: tuple[int, int]) -> None:
        self.message = f"Format error in JSON body: {self.what} at line {position[0]} column {position[1]}"

    def place_at_end(self, body: bytes) -> None:
        """serde has read the flattened structs to the end before it judges their fields."""
        if not self.message.startswith("Format error"):
            self.place((body.count(b"\n") + 1, len(body) - (body.rfind(b"\n") + 1)))


class ValidationError(ApiError):
    """A well-formed value out of its bounds."""

    status = 422


class NotFound(ApiError):
    status = 404

    def __init__(self, what: str) -> None:
        super().__init__(f"Not found: {what}")


class WrongInput(ApiError):
    def __init__(self, what: str) -> None:
        super().__init__(f"Wrong input: {what}")


class InferenceUnavailable(ApiError):
    status = 500

    def __init__(self) -> None:
        super().__init__(
            "Service internal error: InferenceService URL not configured"
            " - please provide valid address in config"
        )


class NoRoute(Exception):
    """Answered with an empty 404."""
