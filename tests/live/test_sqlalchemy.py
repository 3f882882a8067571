"""SQLAlchemy over psycopg and over asyncpg: reflection, the ORM, and what a refusal does to its transactions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from tests.live.house import Gateway, url

Notes = Callable[[], list[str]]


@pytest.fixture
def address(gateway: Gateway) -> Callable[[str], str]:
    account = gateway.account()
    return lambda driver: url(account).replace("postgresql:", f"postgresql+{driver}:", 1)


@pytest.fixture
def engine(address: Callable[[str], str]) -> Iterator[sa.Engine]:
    engine = sa.create_engine(address("psycopg"))
    yield engine
    engine.dispose()


def entry_of(table: str) -> type[Any]:
    class Base(DeclarativeBase):
        pass

    class Entry(Base):
        __tablename__ = table
        id: Mapped[int] = mapped_column(primary_key=True)
        note: Mapped[str]

    return Entry


def test_a_database_is_reflected(engine: sa.Engine) -> None:
    inspector = sa.inspect(engine)
    assert {"customers", "orders"} <= set(inspector.get_table_names())
    columns = {column["name"]: str(column["type"]) for column in inspector.get_columns("orders")}
    assert columns["total"] == "NUMERIC(10, 2)"
    assert inspector.get_pk_constraint("customers")["constrained_columns"] == ["id"]
    (key,) = inspector.get_foreign_keys("orders")
    assert key["referred_table"] == "customers"
    assert inspector.get_unique_constraints("customers")[0]["column_names"] == ["email"]


def test_a_reflected_table_is_read_masked(engine: sa.Engine) -> None:
    customers = sa.Table("customers", sa.MetaData(), autoload_with=engine)
    with engine.connect() as connection:
        rows = (
            connection.execute(
                sa.select(customers).where(customers.c.tier == "gold").order_by(customers.c.id).limit(3)
            )
            .mappings()
            .all()
        )
    assert [row["id"] for row in rows] == [10, 20, 30]
    assert {row["ssn"] for row in rows} == {"[redacted]"}
    assert all(row["email"].startswith("***") for row in rows)


def test_an_aliased_join_is_masked(engine: sa.Engine) -> None:
    metadata = sa.MetaData()
    customers = sa.Table("customers", metadata, autoload_with=engine).alias("c")
    orders = sa.Table("orders", metadata, autoload_with=engine)
    query = (
        sa.select(customers.c.ssn.label("harmless"), orders.c.card, sa.func.lower(customers.c.email))
        .join(orders, orders.c.customer_id == customers.c.id)
        .where(orders.c.id == 1)
    )
    with engine.connect() as connection:
        row = connection.execute(query).one()
    assert "219-09" not in row[0]
    assert "4444" in row[1], "a card shows its last four"
    assert "5555 5555" not in row[1]
    assert row[2].startswith("***")


def test_the_orm_writes_after_approval(engine: sa.Engine, gateway: Gateway, table: str, notes: Notes) -> None:
    entry = entry_of(table)
    with Session(engine) as session:
        session.add(entry(id=4, note="added"))
        with gateway.api.deciding("approve", containing=table) as seen:
            session.commit()
        assert seen[0]["command"]["parameters"] == ["4", "added"]
        found = session.scalars(sa.select(entry).where(entry.id == 4)).one()
        found.note = "changed"
        with gateway.api.deciding("approve", containing=table):
            session.commit()
    assert notes() == ["first", "first", "first", "changed"]


def test_a_refused_flush_leaves_a_session_that_can_go_on(
    engine: sa.Engine, gateway: Gateway, table: str, notes: Notes
) -> None:
    entry = entry_of(table)
    with Session(engine) as session:
        session.add(entry(id=4, note="added"))
        with (
            gateway.api.deciding("deny", containing=table, reason="Not now"),
            pytest.raises(exc.ProgrammingError, match="Not now"),
        ):
            session.commit()
        with pytest.raises(exc.PendingRollbackError):
            session.scalars(sa.select(entry)).all()
        session.rollback()
        assert len(session.scalars(sa.select(entry)).all()) == 3
    assert notes() == ["first"] * 3


def test_a_refusal_under_a_savepoint_keeps_the_rest(
    engine: sa.Engine, gateway: Gateway, table: str, notes: Notes
) -> None:
    entry = entry_of(table)
    with Session(engine) as session:
        session.add(entry(id=4, note="added"))
        with gateway.api.deciding("approve", containing=table):
            session.flush()
        with pytest.raises(exc.ProgrammingError), session.begin_nested():
            session.execute(sa.text(f"TRUNCATE {table}"))
        session.commit()
    assert notes() == ["first", "first", "first", "added"]


def test_many_rows_in_one_statement_are_one_approval(
    engine: sa.Engine, gateway: Gateway, table: str, notes: Notes
) -> None:
    entry = entry_of(table)
    with Session(engine) as session, gateway.api.deciding("approve", containing=table) as seen:
        statement = sa.insert(entry).returning(entry.id)
        assert (
            len(session.scalars(statement, [{"id": n, "note": "bulk"} for n in range(4, 104)]).all()) == 100
        )
        session.commit()
    assert seen[0]["review_required"], "a card cannot show two hundred parameters"
    assert notes().count("bulk") == 100


def test_a_pool_finds_out_that_its_connection_was_ended(
    address: Callable[[str], str], gateway: Gateway
) -> None:
    engine = sa.create_engine(address("psycopg"), pool_pre_ping=True, pool_size=1)
    with engine.connect() as connection:
        name = connection.scalar(sa.text("SELECT current_setting('application_name')"))
    session = str(name).rpartition("countersign ")[2].split()[0].strip("]")
    gateway.operator.call(f"/v1/sessions/{session}/kill", {"person": "sam.chen@example.com"})
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT 1")) == 1
    engine.dispose()


async def test_asyncpg_under_sqlalchemy(
    address: Callable[[str], str], gateway: Gateway, table: str, notes: Notes
) -> None:
    entry = entry_of(table)
    engine = create_async_engine(address("asyncpg"))
    async with engine.connect() as connection:
        names = await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
        assert table in names
        masked = (
            await connection.execute(sa.text("SELECT email FROM customers WHERE id = :id"), {"id": 1})
        ).scalar()
        assert masked == "******@example.com"
    async with AsyncSession(engine) as session:
        session.add(entry(id=4, note="added"))

        async def commit() -> None:
            await session.commit()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(commit())
            approval = await asyncio.to_thread(gateway.api.pending, table)
            await asyncio.to_thread(gateway.api.vote, approval, "approve")
        with pytest.raises(exc.ProgrammingError, match="Destructive statements never run"):
            await session.execute(sa.text(f"DROP TABLE {table}"))
        await session.rollback()
        assert (await session.scalars(sa.select(entry.note).where(entry.id == 4))).one() == "added"
    await engine.dispose()
    assert await asyncio.to_thread(notes) == ["first", "first", "first", "added"]
