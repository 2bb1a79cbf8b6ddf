"""A TLS socket that shows what Python's own hides: half-close, and an end without close_notify."""

import socket
import ssl

READ_BYTES = 65536


class Truncated(ConnectionResetError):
    """The connection ended without close_notify: what came may not be all."""


class TlsSocket:
    """What tests use of socket.socket. close() says close_notify first; with SO_LINGER set, or by abort(), it does not."""

    def __init__(
        self, sock: socket.socket, context: ssl.SSLContext, server_name: str | None = None, session: ssl.SSLSession | None = None
    ) -> None:
        self.raw = sock
        # Else what is sent behind the handshake's tickets waits for their acknowledgement, and a reset drops it.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = context.protocol == ssl.PROTOCOL_TLS_SERVER
        self.tls = context.wrap_bio(self._in, self._out, server_side=server, server_hostname=server_name, session=session)
        self._abortive, self._ahead = False, b""
        self._step(self.tls.do_handshake)

    def __enter__(self) -> "TlsSocket":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _flush(self) -> None:
        if waiting := self._out.read():
            self.raw.sendall(waiting)

    def _step(self, operation):
        """Runs it until it needs nothing more from the peer."""
        while True:
            try:
                done = operation()
                self._flush()
                return done
            except ssl.SSLWantReadError:
                self._flush()
                if piece := self.raw.recv(READ_BYTES):
                    self._in.write(piece)
                else:
                    self._in.write_eof()
            except ssl.SSLError:
                try:
                    self._flush()  # an alert
                except OSError:
                    pass
                raise

    def sendall(self, data: bytes) -> None:
        for at in range(0, len(data), READ_BYTES):
            self.tls.write(data[at : at + READ_BYTES])
            self._flush()

    def recv(self, size: int) -> bytes:
        if self._ahead:
            got, self._ahead = self._ahead[:size], self._ahead[size:]
            return got
        try:
            return self._step(lambda: self.tls.read(size))
        except ssl.SSLZeroReturnError:
            return b""
        except ssl.SSLEOFError as error:
            raise Truncated(str(error)) from error

    def end_sending(self) -> None:
        """close_notify, and nothing of TCP. Bytes that are here already are kept: Python's unwrap fails over them."""
        try:
            while self._in.pending:
                self._ahead += self.tls.read(READ_BYTES)
        except (ssl.SSLWantReadError, ssl.SSLError):
            pass
        try:
            self.tls.unwrap()
        except (ssl.SSLWantReadError, ssl.SSLError):
            pass  # the peer's own close_notify is not waited for
        self._flush()

    def shutdown(self, how: int) -> None:
        if how == socket.SHUT_WR:
            self.end_sending()
        self.raw.shutdown(how)

    def setsockopt(self, *arguments) -> None:
        self._abortive |= arguments[1] == socket.SO_LINGER
        self.raw.setsockopt(*arguments)

    def settimeout(self, seconds: float | None) -> None:
        self.raw.settimeout(seconds)

    def abort(self) -> None:
        self.raw.close()

    def close(self) -> None:
        if not self._abortive:
            try:
                self.end_sending()
            except OSError:
                pass  # the peer has gone first
        self.raw.close()


def connect(address: tuple[str, int], context: ssl.SSLContext, timeout: float, server_name: str = "localhost") -> TlsSocket:
    sock = socket.create_connection(address, timeout=timeout)
    try:
        return TlsSocket(sock, context, server_name)
    except BaseException:
        sock.close()
        raise
