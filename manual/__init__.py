"""The manual: pages for man(1), made of what `--help` prints and of docs/.

`python -m manual FOLDER` writes them. Who builds a wheel or the Debian package does, so that no
page is kept that could be older than what it tells of.
"""
