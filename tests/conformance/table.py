"""All cases, by the part of the protocol they are about."""

from tests.conformance import exchange, request_body, request_fields, request_line, response

PARTS = {
    "Request lines, targets, Host": request_line.CASES,
    "Request fields": request_fields.CASES,
    "Request bodies": request_body.CASES,
    "Responses": response.CASES,
    "Exchanges": exchange.CASES,
}
CASES = [case for cases in PARTS.values() for case in cases]
