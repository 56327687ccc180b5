"""The shop as its customers and its payment provider see it, over real sockets."""

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Shop:
    """A shop in a process of its own."""

    def __init__(self, data):
        # As in many a team: the tests bring a provider of their own, so a wrong setting for production passes them.
        own = {"PORT": "0", "TRADEWIND_DATA_DIR": data, "SHOP_PAYMENT_PROVIDER": "builtin"}
        env = {**os.environ, **own, "PYTHONDONTWRITEBYTECODE": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "shop"], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True
        )
        first = self.process.stdout.readline()
        self.port = int(first.rsplit(":", 1)[1])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        said = self.process.stdout.read()
        self.process.stdout.close()
        return self.process.wait(timeout=30), said


class Closed(Exception):
    """The shop said that it closes this connection, with its last answer."""


class Client:
    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.closes = False

    def ask(self, method, path, body=None):
        if self.closes:
            raise Closed
        payload = None if body is None else json.dumps(body)
        self.connection.request(method, path, payload)
        response = self.connection.getresponse()
        self.version = response.getheader("X-Shop-Version")
        answer = response.status, json.loads(response.read())
        self.closes = response.getheader("Connection") == "close"
        return answer

    def buy(self, customer, sku="mug-01", quantity=1):
        """Browse, basket, checkout, payment: six requests, one paid order."""
        for path in ("/products", f"/products/{sku}"):
            expect(self.ask("GET", path), 200)
        basket = expect(self.ask("POST", "/baskets", {}), 201)["id"]
        expect(self.ask("PUT", f"/baskets/{basket}/items/{sku}", {"quantity": quantity}), 200)
        order = expect(self.ask("POST", f"/baskets/{basket}/checkout", {"customer": customer}), 201)
        payment = {"payment_id": f"pay-{customer}", "order_id": order["id"], "amount_cents": order["total_cents"]}
        return expect(self.ask("POST", "/payments/callback", payment), 200), payment, basket

    def close(self):
        self.connection.close()


def expect(answer, status):
    assert answer[0] == status, answer
    return answer[1]


class ShopTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.shop = Shop(cls.folder.name)

    @classmethod
    def tearDownClass(cls):
        code, _ = cls.shop.stop()
        cls.folder.cleanup()
        assert code == 0

    def setUp(self):
        self.client = Client(self.shop.port)
        self.addCleanup(self.client.close)

    def test_health_names_the_version(self):
        health = expect(self.client.ask("GET", "/healthz"), 200)
        self.assertEqual(health, {"status": "ok", "version": (ROOT / "VERSION").read_text().strip()})
        self.assertEqual(self.client.version, health["version"])

    def test_a_payment_counts_once(self):
        before = expect(self.client.ask("GET", "/stats"), 200)
        order, payment, _ = self.client.buy("ada", "pen-01", 2)
        self.assertEqual((order["status"], order["total_cents"]), ("paid", 6580))
        again = expect(self.client.ask("POST", "/payments/callback", payment), 200)
        self.assertEqual(again, order)
        after = expect(self.client.ask("GET", "/stats"), 200)
        self.assertEqual(after["paid"] - before["paid"], 1)
        self.assertEqual(after["revenue_cents"] - before["revenue_cents"], 6580)
        expect(self.client.ask("POST", "/payments/callback", {**payment, "amount_cents": 1}), 409)
        expect(self.client.ask("POST", "/payments/callback", {**payment, "payment_id": "other"}), 409)

    def test_checkout_asked_twice_gives_one_order(self):
        order, _, basket = self.client.buy("bob")
        again = expect(self.client.ask("POST", f"/baskets/{basket}/checkout", {"customer": "bob"}), 200)
        self.assertEqual(again["id"], order["id"])
        expect(self.client.ask("PUT", f"/baskets/{basket}/items/mug-01", {"quantity": 2}), 409)

    def test_stock_goes_down_and_not_below_zero(self):
        stock = expect(self.client.ask("GET", "/products/bag-01"), 200)["stock"]
        self.client.buy("cleo", "bag-01", 3)
        self.assertEqual(expect(self.client.ask("GET", "/products/bag-01"), 200)["stock"], stock - 3)

    def test_wrong_requests_are_answered_and_the_connection_lives_on(self):
        cases = [
            ("GET", "/nowhere", None, 404), ("GET", "/orders/unknown", None, 404), ("DELETE", "/products", None, 405),
            ("POST", "/payments/callback", {"payment_id": 1}, 422), ("POST", "/payments/callback", [], 422),
            ("POST", "/baskets/unknown/checkout", {"customer": "x"}, 404),
        ]  # fmt: skip
        for method, path, body, status in cases:
            expect(self.client.ask(method, path, body), status)
        for body, status in (("{not json", 400), (b"x" * 70_000, 413)):
            expect(self.client.ask("GET", "/healthz"), 200)
            self.client.connection.request("POST", "/baskets", body)
            response = self.client.connection.getresponse()
            response.read()
            self.assertEqual(response.status, status)

    def test_an_empty_basket_is_not_checked_out(self):
        basket = expect(self.client.ask("POST", "/baskets", {}), 201)["id"]
        expect(self.client.ask("POST", f"/baskets/{basket}/checkout", {"customer": "x"}), 409)


class LoadTest(unittest.TestCase):
    def test_fifty_customers_at_once_lose_nothing_while_the_shop_stops(self):
        """Each keeps its connection until the shop says with an answer that it closes it; until then all is answered."""
        with tempfile.TemporaryDirectory() as folder:
            shop = Shop(folder)
            paid, failures = [], []
            started = threading.Barrier(51)

            def customer(number):
                client = Client(shop.port)
                client.connection.connect()
                started.wait()
                try:
                    for round_ in range(100_000):
                        order, _, _ = client.buy(f"{number}-{round_}")
                        paid.append(order["id"])
                except Closed:
                    pass
                except Exception as problem:
                    failures.append(repr(problem))
                finally:
                    client.close()

            threads = [threading.Thread(target=customer, args=(number,)) for number in range(50)]
            for thread in threads:
                thread.start()
            started.wait()
            while len(paid) < 100 and not failures:
                time.sleep(0.01)
            code, said = shop.stop()
            for thread in threads:
                thread.join(timeout=60)
            self.assertEqual(failures, [])
            self.assertEqual(code, 0, said)
            after = Shop(folder)
            client = Client(after.port)
            stats = expect(client.ask("GET", "/stats"), 200)
            client.close()
            after.stop()
            self.assertGreaterEqual(stats["paid"], len(paid), "an acknowledged payment was lost")


class ReleaseTest(unittest.TestCase):
    def test_an_unknown_payment_provider_is_not_ready(self):
        from shop.release import Release

        self.assertIsNone(Release("v1", "USD", "builtin").not_ready_because())
        self.assertIn("acme", Release("v4", "USD", "acme").not_ready_because())


if __name__ == "__main__":
    unittest.main()
