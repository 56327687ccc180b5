"""Paths to actions. Takes and gives plain values; knows nothing of sockets."""

import re

from .store import Refused


class Api:
    def __init__(self, store, release):
        self.store, self.release = store, release
        self.routes = [
            ("GET", r"/healthz", self.health),
            ("GET", r"/version", self.version),
            ("GET", r"/stats", self.stats),
            ("GET", r"/products", self.products),
            ("GET", r"/products/([\w-]{1,40})", self.product),
            ("POST", r"/baskets", self.create_basket),
            ("GET", r"/baskets/(\w{1,40})", self.basket),
            ("PUT", r"/baskets/(\w{1,40})/items/([\w-]{1,40})", self.put_item),
            ("POST", r"/baskets/(\w{1,40})/checkout", self.checkout),
            ("GET", r"/orders/(\w{1,40})", self.order),
            ("POST", r"/payments/callback", self.payment),
        ]

    def handle(self, method, path, body):
        """Status and answer. `body` is the parsed JSON of the request, None without one."""
        allowed = []
        for wanted, pattern, action in self.routes:
            match = re.fullmatch(pattern, path)
            if match is None:
                continue
            if wanted == method:
                try:
                    return action(*match.groups(), body) if wanted != "GET" else action(*match.groups())
                except Refused as refused:
                    return refused.status, error(refused.code, refused.message)
            allowed.append(wanted)
        if allowed:
            return 405, error("method", f"this path takes {', '.join(allowed)}")
        return 404, error("no_path", f"there is nothing at {path}")

    def health(self):
        reason = self.release.not_ready_because()
        if reason is not None:
            return 503, {"status": "not ready", "reason": reason, "version": self.release.version}
        self.store.product("mug-01")
        return 200, {"status": "ok", "version": self.release.version}

    def version(self):
        return 200, {"version": self.release.version, "currency": self.release.currency}

    def stats(self):
        return 200, self.store.stats()

    def products(self):
        return 200, {"items": self.store.products()}

    def product(self, sku):
        return 200, self.store.product(sku)

    def create_basket(self, _body):
        return 201, self.store.create_basket()

    def basket(self, basket_id):
        return 200, self.store.basket(basket_id)

    def put_item(self, basket_id, sku, body):
        quantity = field(body, "quantity", int)
        if not 1 <= quantity <= 1000:
            raise Refused(422, "quantity", "quantity may be 1 to 1000")
        return 200, self.store.put_item(basket_id, sku, quantity)

    def checkout(self, basket_id, body):
        order, created = self.store.checkout(basket_id, field(body, "customer", str)[:200])
        return (201 if created else 200), order

    def order(self, order_id):
        return 200, self.store.order(order_id)

    def payment(self, body):
        payment_id, order_id = field(body, "payment_id", str), field(body, "order_id", str)
        return 200, self.store.pay(payment_id[:100], order_id, field(body, "amount_cents", int))


def field(body, name, kind):
    value = body.get(name) if isinstance(body, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool) or value == "":
        raise Refused(422, "field", f"the body needs {name!r} as {'a number' if kind is int else 'text'}")
    return value


def error(code, message):
    return {"error": {"code": code, "message": message}}
