"""What a server's own directory holds beside the store: its lock, spare space; files that survive a power cut."""
