"""Administration: which plugins are loaded in this process, which are in quarantine and why, which wait for leave."""

from flask import Blueprint, render_template

from core.config import settings_of
from core.plugin.distributions import allowing, not_allowed, version_of
from core.plugin.registry import reason_of, registry_of
from core.plugin.tables import table_states
from core.web.guard import needs

blueprint = Blueprint("plugins", __name__, url_prefix="/admin/plugins", template_folder="templates")


@blueprint.get("/")
@needs("program.manage")
def index() -> str:
    """Quarantined plugins with their reason, loaded ones with what they bring, and those that are not allowed."""
    registry, allowed = registry_of(), settings_of().plugins
    return render_template(
        "plugins/index.html",
        plugins=registry.plugins.values(),
        failed={name: reason_of(error) for name, error in registry.failed.items()},
        versions=registry.versions,
        tables=table_states(),
        not_allowed=[(point.name, version_of(point), allowing(point, allowed)) for point in not_allowed(allowed)],
    )
