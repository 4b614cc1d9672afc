"""The registers of files and of the members of households."""

from flask_babel import lazy_gettext as _l

from core.api import Column, EntryLink, Register
from plugins.hardship_aid.categories.computing import compute_anew
from plugins.hardship_aid.files.flow import CODE, FLOW
from plugins.hardship_aid.files.forms import FileForm, MemberForm
from plugins.hardship_aid.files.links import TO_FILE
from plugins.hardship_aid.files.models import File, Member
from plugins.hardship_aid.files.rules import NO_FILE
from plugins.hardship_aid.files.similar import similar_files
from plugins.hardship_aid.words import (
    CATEGORY_COLOURS,
    CAUSES,
    EDIT,
    HEALTH,
    OUTCOMES,
    PROGRAM,
    RELATIONS,
    VIEW,
    WORKERS,
)

FILES = Register(
    code=CODE,
    program=PROGRAM,
    title=_l("Files of workers in hardship"),
    model=File,
    form=FileForm,
    columns=(
        Column(
            name="computed", title=_l("Category computed"), kind="choice", choices=OUTCOMES, colours=CATEGORY_COLOURS
        ),
        Column(name="decided", title=_l("Category decided"), kind="choice", choices=OUTCOMES, colours=CATEGORY_COLOURS),
        Column(name="worker", title=_l("Kind of worker"), kind="choice", choices=WORKERS),
        Column(name="cause", title=_l("Cause of hardship"), kind="choice", choices=CAUSES),
        Column(name="household_size", title=_l("People in the household"), kind="number"),
        Column(name="income_fen", title=_l("Income in a year"), kind="yuan", hidden=True),
        Column(name="rigid_fen", title=_l("Unavoidable expenses in a year"), kind="yuan", hidden=True),
        Column(name="applied_on", title=_l("Applied on"), kind="day"),
        Column(name="visited_on", title=_l("Visited on"), kind="day", hidden=True),
        Column(name="visitors", title=_l("Visitors"), hidden=True),
        Column(name="compared_on", title=_l("Compared with outside data on"), kind="day", hidden=True),
        Column(name="checked_on", title=_l("Last checked on"), kind="day", hidden=True),
    ),
    view_permission=VIEW,
    edit_permission=EDIT,
    flow=FLOW,
    # Else whoever begins a re-check could remove a file on which others have decided.
    stays=lambda: File.state_since > File.created_at,
    stays_because=_l("An application that was submitted once stays; it can be refused, or taken off file."),
    similar=similar_files,
    follows=lambda program_year, ids: compute_anew(program_year.org_id, ids),
    links=(
        EntryLink(
            title=_l("Category of hardship"),
            endpoint=f"{PROGRAM}.category",
            address=lambda file: {"file_id": file.id},
            icon="calculator",
        ),
        EntryLink(
            title=_l("Pairs and visits"),
            endpoint=f"{PROGRAM}.category",
            address=lambda file: {"file_id": file.id, "_anchor": "pairs"},
            icon="users",
        ),
        EntryLink(
            title=_l("Transfer to another union"),
            endpoint=f"{PROGRAM}.transfers_of",
            address=lambda file: {"file_id": file.id},
            icon="transfer",
        ),
    ),
)
MEMBERS = Register(
    code="hardship_aid.members",
    program=PROGRAM,
    title=_l("Members of households"),
    model=Member,
    form=MemberForm,
    columns=(
        Column(name="name", title=_l("Name of the member")),
        Column(name="relation", title=_l("Relation to the worker"), kind="choice", choices=RELATIONS),
        Column(name="born_on", title=_l("Born on"), kind="day"),
        Column(name="health", title=_l("Health"), kind="choice", choices=HEALTH),
        Column(name="income_fen", title=_l("Income in a year"), kind="yuan", total=True),
    ),
    view_permission=VIEW,
    edit_permission=EDIT,
    rules=(NO_FILE,),
    links=(TO_FILE,),
)
