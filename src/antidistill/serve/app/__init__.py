"""The reverse proxy: requests in, the engine asked, guarded responses out."""
