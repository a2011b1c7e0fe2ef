"""What clients and adapters may rely on."""
