"""Copies the orders of its shops into the ledger, cycle by cycle, and counts what it does.

The shops are those named in TRADEWIND_SHARDS; the counters are served on PORT, as Prometheus reads them.
"""

import http.server
import os
import signal
import sys
import threading
import time
from pathlib import Path

SHOPS = [s for s in os.environ.get("TRADEWIND_SHARDS", "demo-shop").split(",") if s]
LEDGER = Path(os.environ.get("TRADEWIND_DATA_DIR", "data"))
EVERY = 0.2
ORDERS_A_CYCLE = 10


class Counters:
    """Numbers by shop that only rise."""

    def __init__(self):
        self._lock = threading.Lock()
        self._values = {}

    def add(self, name, shop, n=1):
        with self._lock:
            key = (name, shop)
            self._values[key] = self._values.get(key, 0) + n

    def page(self):
        with self._lock:
            values = sorted(self._values.items())
        return "".join(f'{name}{{shop="{shop}"}} {n}\n' for (name, shop), n in values)


def fetch(shop, cycle):
    """The marketplace's new orders; made up here."""
    return [f"{shop}-{cycle}-{n}" for n in range(ORDERS_A_CYCLE)]


def wanted(order):
    """Whether an order belongs into the ledger: all of them do."""
    return True


def sync(shop, cycle, counters):
    orders = fetch(shop, cycle)
    written = [order for order in orders if wanted(order)]
    with (LEDGER / f"{shop}.orders").open("a") as ledger:
        ledger.writelines(f"{order}\n" for order in written)
    counters.add("orders_fetched_total", shop, len(orders))
    counters.add("orders_synced_total", shop, len(written))
    counters.add("sync_cycles_total", shop)


def serve(counters):
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = counters.page().encode() if self.path == "/metrics" else b"ok\n"
            self.send_response(200)
            self.send_header("content-type", "text/plain; version=0.0.4")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "9100"))), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def main():
    LEDGER.mkdir(parents=True, exist_ok=True)
    counters, stop = Counters(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    serve(counters)
    print(f"syncs {', '.join(SHOPS)}", flush=True)
    while not stop.wait(EVERY):
        cycle = time.time_ns()
        for shop in SHOPS:
            sync(shop, cycle, counters)
    print("stopped after a whole cycle", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
