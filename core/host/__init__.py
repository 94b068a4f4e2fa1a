"""What this host is: facts that chroots take over or depend on, each asked in one place."""
