"""A service that names its release in every answer. The file `how` says what is wrong with it."""
import json
import os
import random
import signal
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler

VERSION = open("VERSION").read().strip()
HOW, *MORE = open("how").read().split()
ORDERS, LOCK = [0], threading.Lock()


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path.startswith("/slow"):
            time.sleep(0.3)
        if self.path == "/metrics" and HOW != "mute":
            return self.answer(200, f"# TYPE orders_total counter\norders_total {ORDERS[0]}\n".encode())
        if self.path == "/orders" and not (HOW == "loses" and random.random() < 0.8):
            with LOCK:
                ORDERS[0] += 1
        ill = HOW == "never" and self.path == "/healthz" or HOW == "mute" and self.path == "/metrics"
        fails = HOW == "fails" and self.path == "/orders" and random.random() < 0.5
        body = json.dumps({"version": VERSION, "pid": os.getpid()}).encode()
        self.answer(503 if ill else 500 if fails else 200, body)

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("x-version", VERSION)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *args):
        pass


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


if HOW == "exit":
    print("no configuration for the warehouse", file=sys.stderr)
    sys.exit(3)
while HOW == "late" and not os.path.exists(MORE[0]):
    time.sleep(0.02)
signal.signal(signal.SIGTERM, signal.SIG_IGN if HOW == "deaf" else lambda *_: os._exit(0))
with Server(("127.0.0.1", int(os.environ["PORT"])), Answer) as server:
    server.serve_forever()
