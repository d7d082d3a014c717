"""What the product is about: finding contacts and deciding what an upsert does to them."""
