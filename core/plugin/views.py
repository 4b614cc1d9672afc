"""Administration: which plugins are loaded in this process, and which are in quarantine and why."""

from flask import Blueprint, render_template

from core.plugin.registry import reason_of, registry_of
from core.web.guard import needs

blueprint = Blueprint("plugins", __name__, url_prefix="/admin/plugins", template_folder="templates")


@blueprint.get("/")
@needs("program.manage")
def index() -> str:
    """Loaded plugins with what they bring, quarantined ones with their reason."""
    registry = registry_of()
    failed = {name: reason_of(error) for name, error in registry.failed.items()}
    return render_template("plugins/index.html", plugins=registry.plugins.values(), failed=failed)
