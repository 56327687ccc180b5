"""A small order API: products, baskets, checkout and the payment provider's callback."""
