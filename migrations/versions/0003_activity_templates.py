"""The forms of the work ledger that the documents of 2012 and 2014 ask for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TEMPLATES = [
    {
        "code": "three_services",
        "title": {"zh": "“三服务”活动台账", "en": "Three-Services activity ledger"},
        "source": "陕工发〔2014〕2号 第15条",
        "first_year": 2014,
        "columns": [
            {"key": "organisation", "zh": "组织领导", "en": "Organisation and leadership", "required": True},
            {"key": "cadres", "zh": "参与干部", "en": "Cadres taking part", "required": True},
            {"key": "time", "zh": "开展时间", "en": "Time", "required": True},
            {"key": "method", "zh": "方法步骤", "en": "Method and steps", "required": True},
            {"key": "result", "zh": "办理结果", "en": "Result", "required": True},
            {"key": "appraisal", "zh": "外界评价", "en": "Outside appraisal", "required": False},
        ],
    },
    {
        "code": "field_service",
        "title": {"zh": "深入基层服务职工工作台账", "en": "Field-service ledger"},
        "source": "陕工发〔2012〕38号 第（十九）条",
        "first_year": 2012,
        "columns": [
            {"key": "organisation", "zh": "组织领导", "en": "Organisation and leadership", "required": True},
            {"key": "cadres", "zh": "参与干部", "en": "Cadres taking part", "required": True},
            {"key": "time", "zh": "驻点时间", "en": "Days on site", "required": True},
            {"key": "opinions", "zh": "职工意见", "en": "Workers' opinions", "required": False},
            {"key": "matters", "zh": "所办事项", "en": "Matters handled", "required": True},
            {"key": "result", "zh": "办理结果", "en": "Result", "required": True},
            {"key": "appraisal", "zh": "职工评价", "en": "Workers' appraisal", "required": False},
        ],
    },
]


def upgrade() -> None:
    table = sa.table(
        "core_activity_template",
        sa.column("code", sa.Text),
        sa.column("title", JSONB),
        sa.column("source", sa.Text),
        sa.column("first_year", sa.BigInteger),
        sa.column("columns", JSONB),
    )
    op.bulk_insert(table, TEMPLATES)


def downgrade() -> None:
    op.execute("DELETE FROM core_activity_template WHERE code IN ('three_services', 'field_service')")
