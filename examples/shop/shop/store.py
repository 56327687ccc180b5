"""The shop's database. Several releases may have it open at once, so every write is one short transaction."""

import sqlite3
import threading
import uuid
from contextlib import contextmanager

SCHEMA = """
CREATE TABLE IF NOT EXISTS products (
    sku TEXT PRIMARY KEY, name TEXT NOT NULL, price_cents INTEGER NOT NULL, stock INTEGER NOT NULL CHECK (stock >= 0)
);
CREATE TABLE IF NOT EXISTS baskets (
    id TEXT PRIMARY KEY, created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS basket_items (
    basket_id TEXT NOT NULL REFERENCES baskets(id), sku TEXT NOT NULL REFERENCES products(sku),
    quantity INTEGER NOT NULL CHECK (quantity > 0), PRIMARY KEY (basket_id, sku)
);
CREATE TABLE IF NOT EXISTS orders (
    id TEXT PRIMARY KEY, basket_id TEXT NOT NULL UNIQUE REFERENCES baskets(id), customer TEXT NOT NULL,
    total_cents INTEGER NOT NULL, status TEXT NOT NULL, created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS payments (
    id TEXT PRIMARY KEY, order_id TEXT NOT NULL UNIQUE REFERENCES orders(id), amount_cents INTEGER NOT NULL,
    received_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
"""

PRODUCTS = [
    ("lamp-01", "Desk lamp", 2490, 1_000_000),
    ("mug-01", "Enamel mug", 990, 1_000_000),
    ("bag-01", "Canvas bag", 1590, 1_000_000),
    ("pen-01", "Fountain pen", 3290, 1_000_000),
]


class Refused(Exception):
    """The request was understood and cannot be done."""

    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Store:
    def __init__(self, path):
        self.path = str(path)
        self._local = threading.local()
        # SQLite waits for other processes by itself; among our own threads a lock is fairer and does not sleep.
        self._writing = threading.Lock()
        with self._write() as db:
            for statement in SCHEMA.split(";"):
                if statement.strip():
                    db.execute(statement)
            db.executemany("INSERT OR IGNORE INTO products VALUES (?, ?, ?, ?)", PRODUCTS)

    def _connection(self):
        db = getattr(self._local, "db", None)
        if db is None:
            db = sqlite3.connect(self.path, timeout=20, isolation_level=None, check_same_thread=False)
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA foreign_keys = ON")
            self._local.db = db
        return db

    def close_thread(self):
        """Called when a thread ends."""
        db = getattr(self._local, "db", None)
        if db is not None:
            self._local.db = None
            db.close()

    @contextmanager
    def _write(self):
        with self._writing:
            db = self._connection()
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    # Reading

    def products(self):
        return [dict(row) for row in self._connection().execute("SELECT * FROM products ORDER BY sku")]

    def product(self, sku):
        row = self._connection().execute("SELECT * FROM products WHERE sku = ?", (sku,)).fetchone()
        if row is None:
            raise Refused(404, "no_product", f"there is no product {sku}")
        return dict(row)

    def basket(self, basket_id):
        return self._basket(self._connection(), basket_id)

    def order(self, order_id):
        return self._order(self._connection(), order_id)

    def stats(self):
        row = self._connection().execute(
            "SELECT COUNT(*) AS orders, COALESCE(SUM(status = 'paid'), 0) AS paid,"
            " COALESCE(SUM(CASE WHEN status = 'paid' THEN total_cents END), 0) AS revenue_cents FROM orders"
        )
        return dict(row.fetchone())

    # Writing

    def create_basket(self):
        basket_id = uuid.uuid4().hex
        with self._write() as db:
            db.execute("INSERT INTO baskets (id) VALUES (?)", (basket_id,))
        return {"id": basket_id, "items": [], "total_cents": 0}

    def put_item(self, basket_id, sku, quantity):
        """Sets how many of a product are in the basket."""
        with self._write() as db:
            self._basket(db, basket_id)
            if db.execute("SELECT 1 FROM products WHERE sku = ?", (sku,)).fetchone() is None:
                raise Refused(404, "no_product", f"there is no product {sku}")
            if db.execute("SELECT 1 FROM orders WHERE basket_id = ?", (basket_id,)).fetchone() is not None:
                raise Refused(409, "checked_out", "this basket was checked out")
            db.execute(
                "INSERT INTO basket_items VALUES (?, ?, ?)"
                " ON CONFLICT (basket_id, sku) DO UPDATE SET quantity = excluded.quantity",
                (basket_id, sku, quantity),
            )
            return self._basket(db, basket_id)

    def checkout(self, basket_id, customer):
        """Takes the goods out of stock and opens an order. Asked again for the same basket, answers the same order."""
        with self._write() as db:
            basket = self._basket(db, basket_id)
            known = db.execute("SELECT id FROM orders WHERE basket_id = ?", (basket_id,)).fetchone()
            if known is not None:
                return self._order(db, known["id"]), False
            if not basket["items"]:
                raise Refused(409, "empty_basket", "there is nothing in this basket")
            for item in basket["items"]:
                taken = db.execute(
                    "UPDATE products SET stock = stock - :quantity WHERE sku = :sku AND stock >= :quantity", item
                )
                if taken.rowcount == 0:
                    raise Refused(409, "out_of_stock", f"there are not {item['quantity']} of {item['sku']} left")
            order_id = uuid.uuid4().hex
            db.execute(
                "INSERT INTO orders (id, basket_id, customer, total_cents, status) VALUES (?, ?, ?, ?, 'unpaid')",
                (order_id, basket_id, customer, basket["total_cents"]),
            )
            return self._order(db, order_id), True

    def pay(self, payment_id, order_id, amount_cents):
        """A payment counts once, however often the provider calls."""
        with self._write() as db:
            known = db.execute("SELECT * FROM payments WHERE id = ?", (payment_id,)).fetchone()
            if known is not None:
                if (known["order_id"], known["amount_cents"]) != (order_id, amount_cents):
                    raise Refused(409, "payment_differs", "this payment is known with another order or amount")
                return self._order(db, order_id)
            order = self._order(db, order_id)
            if order["status"] == "paid":
                raise Refused(409, "already_paid", "this order was paid by another payment")
            if order["total_cents"] != amount_cents:
                raise Refused(422, "wrong_amount", f"the order is over {order['total_cents']} cents")
            db.execute("INSERT INTO payments (id, order_id, amount_cents) VALUES (?, ?, ?)", (payment_id, order_id, amount_cents))
            db.execute("UPDATE orders SET status = 'paid' WHERE id = ?", (order_id,))
            return self._order(db, order_id)

    def _basket(self, db, basket_id):
        if db.execute("SELECT 1 FROM baskets WHERE id = ?", (basket_id,)).fetchone() is None:
            raise Refused(404, "no_basket", f"there is no basket {basket_id}")
        rows = db.execute(
            "SELECT sku, quantity, price_cents FROM basket_items JOIN products USING (sku) WHERE basket_id = ? ORDER BY sku",
            (basket_id,),
        )
        items = [dict(row) for row in rows]
        return {"id": basket_id, "items": items, "total_cents": sum(i["quantity"] * i["price_cents"] for i in items)}

    def _order(self, db, order_id):
        row = db.execute("SELECT id, customer, total_cents, status FROM orders WHERE id = ?", (order_id,)).fetchone()
        if row is None:
            raise Refused(404, "no_order", f"there is no order {order_id}")
        return dict(row)
