"""The settings of gunicorn: ``gunicorn -c python:core.web.serving wsgi:app``.

Where it listens and how many processes it has are options of its command line, which win over what stands here.
"""

import gunicorn.http.wsgi

#: Threads, so that a slow reader holds one of them and not a process.
worker_class = "gthread"
threads = 4
#: Seconds after which a process that does not answer at all is replaced; longer than any page may take.
timeout = 120
graceful_timeout = 30
keepalive = 5

# Larger ones are refused before the application sees them, in a page of gunicorn's. Queries end at 4000 in ours.
limit_request_line = 8190
limit_request_fields = 60
limit_request_field_size = 8190

# Who asks for a page learns nothing of what answers. gunicorn has no setting for it.
gunicorn.http.wsgi.SERVER = "zhijia"
