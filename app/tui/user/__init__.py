"""The user: asked and told, their keys queued, root's privilege had from them."""
