"""``python -m plugins.four_seasons.demo``: the winter campaign of 2014 from nothing to the bank file, as an outsider.

It uses what everybody has: the ``zhijia`` command, ``wsgi:app`` under gunicorn, ``worker.py``, and the pages over HTTP,
from the login on. Every figure that it reports is read back from the running system.
"""
