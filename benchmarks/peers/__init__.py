"""The servers that Meantime is measured against, each as short as its kind allows."""
