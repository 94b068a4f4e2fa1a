"""Packing trees into archives and images, unpacking those of anybody: nothing leaves its place."""
