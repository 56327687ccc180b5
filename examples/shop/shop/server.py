"""HTTP/1.1 with keep-alive over the standard library, and a way to stop that loses no request.

Stopping: the listening socket closes; what is in progress is finished and answered with `Connection: close`; idle
connections stay a moment longer, because a request may be on its way on them, then they are closed as well.
"""

import json
import socket
import sys
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .api import error

MAX_BODY = 64 * 1024
IDLE_SECONDS = 300
LINGER_SECONDS = 0.5
FINISH_SECONDS = 8


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def __init__(self, address, api):
        super().__init__(address, Handler)
        self.api = api
        self.draining = False
        self._open = set()
        self._changed = threading.Condition()

    def process_request(self, request, client_address):
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def process_request_thread(self, request, client_address):
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.api.store.close_thread()

    def shutdown_request(self, request):
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def handle_error(self, request, client_address):
        """A client that went away is nobody's fault; anything else belongs in the log."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            traceback.print_exc()

    def accept_waiting(self):
        """Connections that the kernel has accepted for us would be reset by closing the listening socket."""
        self.socket.setblocking(False)
        while True:
            try:
                connection, address = self.socket.accept()
            except OSError:
                return
            connection.setblocking(True)
            self.process_request(connection, address)

    def drain(self):
        """Stops; returns how many connections had to be cut off."""
        self.draining = True
        self.shutdown()
        self.accept_waiting()
        self.socket.close()
        time.sleep(LINGER_SECONDS)
        with self._changed:
            for connection in self._open:
                try:
                    # What has arrived can still be read and answered; then the handler sees the end.
                    connection.shutdown(socket.SHUT_RD)
                except OSError:
                    pass
            self._changed.wait_for(lambda: not self._open, timeout=FINISH_SECONDS)
            return len(self._open)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True

    def serve(self):
        length, problem = self.body_length()
        if problem is not None:
            self.close_connection = True
            self.answer(*problem)
            return
        raw = self.rfile.read(length) if length else b""
        if len(raw) < length:
            self.close_connection = True
            return
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            self.answer(400, error("json", "the body is not JSON"))
            return
        try:
            status, answer = self.server.api.handle(self.command, self.path.split("?", 1)[0], body)
        except Exception:
            self.server.handle_error(self.connection, self.client_address)
            status, answer = 500, error("internal", "this request failed; it is in the log")
        self.answer(status, answer)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = serve

    def body_length(self):
        if "transfer-encoding" in self.headers:
            return 0, (411, error("length", "send the body with Content-Length"))
        text = self.headers.get("content-length", "0")
        if not text.isdecimal():
            return 0, (400, error("length", "Content-Length is not a number"))
        if int(text) > MAX_BODY:
            return 0, (413, error("too_large", f"a body may have {MAX_BODY} bytes"))
        return int(text), None

    def answer(self, status, value):
        body = json.dumps(value).encode()
        if self.server.draining:
            self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Shop-Version", self.server.api.release.version)
        if self.close_connection:
            self.send_header("Connection", "close")
        # Head and body leave in one packet: two would wait for each other's acknowledgement.
        self._headers_buffer.append(b"\r\n" + body)
        self.flush_headers()

    def version_string(self):
        return "shop"

    def log_request(self, code="-", size="-"):
        pass
