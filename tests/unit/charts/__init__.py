"""Charts: specs and the pictures made of them."""
