"""Zhijia: the intranet of a provincial trade-union federation."""

from collections.abc import Mapping
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from core import logs, wall
from core import models as models
from core.audit import views as audit_views
from core.audit.jobs import JOBS as AUDIT_JOBS
from core.config import EXTENSION as SETTINGS
from core.config import Settings, load_settings
from core.disbursements import frame as run_frame
from core.disbursements import hooks as run_hooks
from core.disbursements.banking import frame as bank_frame
from core.disbursements.banking.formats import FORMATS as BANK_FORMATS
from core.disbursements.jobs import JOBS as DISBURSEMENT_JOBS
from core.embedded import as_application, start_postgres, start_redis
from core.exports import frame as export_frame
from core.exports.jobs import JOBS as EXPORT_JOBS
from core.extensions import csrf, db
from core.files import frame as file_frame
from core.files import hooks as file_hooks
from core.files.jobs import JOBS as FILE_JOBS
from core.flows import frame as flow_frame
from core.flows import hooks as flow_hooks
from core.flows.jobs import JOBS as FLOW_JOBS
from core.imports import frame as import_frame
from core.imports import hooks as import_hooks
from core.imports.jobs import JOBS as IMPORT_JOBS
from core.jobs import hooks as job_hooks
from core.jobs import views as job_views
from core.jobs.tidying import JOBS as JOB_JOBS
from core.ledger import frame as ledger_frame
from core.ledger.chart import FILE as CHART
from core.ledger.chart import STATUTORY, read_chart
from core.ledger.jobs import jobs_for as ledger_jobs
from core.lists import views as list_views
from core.notices import frame as notice_frame
from core.notices import hooks as notice_hooks
from core.org import views as org_views
from core.people import views as people_views
from core.plugin import gate
from core.plugin import views as plugin_views
from core.plugin.distributions import discover_plugins
from core.plugin.registry import EXTENSION, Registry, given, load, mount
from core.privacy import hooks as privacy_hooks
from core.privacy import views as privacy_views
from core.privacy.retention import JOBS as PRIVACY_JOBS
from core.programs import admin as years_admin
from core.programs import switch
from core.programs import views as program_views
from core.registers import frame as register_frame
from core.registers import hooks as register_hooks
from core.reports import views as report_views
from core.tasks import frame as task_frame
from core.tasks.jobs import jobs_for as task_jobs
from core.users import admin as user_admin
from core.users import factor_views, import_views, throttle
from core.users import views as user_views
from core.users.jobs import JOBS as USER_JOBS
from core.web import ready, shell
from core.web.limits import LARGEST_FORM, MOST_PARTS, SlowBodies, init_forms, time_limits
from core.web.methods import HeadAsGet
from core.web.security import COOKIE, SECURE_COOKIE

#: Bytes that a request may hold: a list of some hundred thousand rows, and no more.
LARGEST_UPLOAD = 32 * 1024 * 1024
PAGES = (
    list_views,
    org_views,
    people_views,
    privacy_views,
    user_views,
    factor_views,
    user_admin,
    import_views,
    audit_views,
    years_admin,
    plugin_views,
    job_views,
)
#: Areas that mount their own pages and show up on those of others.
FRAMES = (
    ready,
    job_views,
    program_views,
    register_frame,
    file_frame,
    flow_frame,
    import_frame,
    notice_frame,
    report_views,
    run_frame,
    bank_frame,
    ledger_frame,
    task_frame,
    export_frame,
)
#: What the areas of the core answer beside the plugins.
ANSWERS = {
    "jobs": job_hooks,
    "registers": register_hooks,
    "imports": import_hooks,
    "disbursements": run_hooks,
    "files": file_hooks,
    "flows": flow_hooks,
    "notices": notice_hooks,
    "privacy": privacy_hooks,
}
JOBS = (
    AUDIT_JOBS,
    DISBURSEMENT_JOBS,
    FILE_JOBS,
    FLOW_JOBS,
    EXPORT_JOBS,
    IMPORT_JOBS,
    JOB_JOBS,
    USER_JOBS,
    PRIVACY_JOBS,
)


def create_app(
    settings: Settings | None = None,
    *,
    discover: bool = True,
    plugins: Mapping[str, object] | None = None,
    serving: bool = False,
) -> Flask:
    """Make the web application, which the commands and the workers use as well. Asks the database nothing.

    ``discover=False`` leaves the installed plugins out; ``plugins`` are loaded as well, by name, without being
    installed (for tests). ``serving`` is for the web: statements and bodies have a time limit there. Raises
    :class:`core.errors.ConfigError`.
    """
    logs.configure()
    settings = settings or load_settings()
    app = Flask("core", static_folder="web/static", template_folder="web/templates")
    app.config.update(_config(settings, serving))
    app.extensions[SETTINGS] = settings
    app.wsgi_app = HeadAsGet(app.wsgi_app)  # type: ignore[method-assign]
    if settings.proxies:  # else everybody behind a proxy would share one address, and its failed logins
        count = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    if serving:
        app.wsgi_app = SlowBodies(app.wsgi_app)  # type: ignore[method-assign]
    db.init_app(app)
    wall.init_app(app)
    accounts = frozenset(code for book, code in read_chart(settings.chart or CHART) if book == STATUTORY)
    registry = app.extensions[EXTENSION] = Registry(accounts=accounts)
    for area, hooks in ANSWERS.items():
        registry.answer(area, hooks)
    registry.jobs |= {
        spec.name: spec for specs in (*JOBS, ledger_jobs(settings), task_jobs(settings)) for spec in specs
    }
    registry.bank_formats |= {layout.code: layout for layout in BANK_FORMATS}
    candidates = discover_plugins(settings.plugins) if discover else []
    load(registry, candidates + given(plugins or {}), strict=settings.strict_plugins)
    throttle.init_app(app)
    shell.init_app(app)
    init_forms(app)
    csrf.init_app(app)  # after the shell: whose session has ended is sent to log in, not told about a missing token
    gate.init_app(app)
    switch.init_app(app)
    for part in PAGES:
        app.register_blueprint(part.blueprint)
    for frame in FRAMES:
        frame.init_app(app)
    mount(app, registry)
    return app


def _config(settings: Settings, serving: bool) -> dict[str, Any]:
    """What Flask and its extensions are told; starts the embedded servers where no others are set."""
    owner_url = settings.owner_url or settings.database_url or start_postgres(settings.instance)
    database = settings.database_url or as_application(owner_url)
    limits = time_limits(database, settings.page_seconds) if serving else {}
    return {
        "SECRET_KEY": settings.secret_key,
        "SQLALCHEMY_DATABASE_URI": database,
        "ZHIJIA_OWNER_URL": owner_url,
        # Parameters stay out of error messages: they hold personal data, and a failed job shows its error.
        "SQLALCHEMY_ENGINE_OPTIONS": {"pool_pre_ping": True, "hide_parameters": True, "connect_args": limits},
        "ZHIJIA_REDIS_URL": settings.redis_url or start_redis(settings.instance),
        "TRUSTED_HOSTS": settings.hosts,
        "MAX_CONTENT_LENGTH": LARGEST_UPLOAD,
        "MAX_FORM_MEMORY_SIZE": LARGEST_FORM,
        "MAX_FORM_PARTS": MOST_PARTS,
        "SESSION_COOKIE_NAME": SECURE_COOKIE if settings.secure_cookies else COOKIE,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",  # not Strict: who follows a link of a mail would seem to be logged out
        "SESSION_COOKIE_SECURE": settings.secure_cookies,
        "PERMANENT_SESSION_LIFETIME": settings.session_limit,
        "WTF_CSRF_TIME_LIMIT": None,  # the token ends with the session, not while somebody fills in a form
        "BABEL_DEFAULT_LOCALE": "zh",
        "BABEL_DEFAULT_TIMEZONE": "Asia/Shanghai",
    }
