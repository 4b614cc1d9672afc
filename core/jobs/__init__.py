"""Background jobs (后台任务). ``core.jobs.run`` is the only function that Redis ever names."""

from core.jobs.runner import run as run
