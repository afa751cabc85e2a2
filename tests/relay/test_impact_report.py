"""The programme's report: medians and shares by month and site, as figures, CSV and PDF."""

import csv
import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, update

from chevet.relay.archive.impact import count_older, happened, held, recorded
from chevet.relay.archive.schema import cases
from chevet.relay.archive.schema_duty import recording_facts
from chevet.relay.impact.figures import Happened, Held, Recorded, after, begins, month_of, report
from chevet.relay.impact.table import as_csv, as_pdf
from chevet.study.case import Author, Message, pack_message
from chevet.study.ids import uuid7

from .conftest import NOON, code, deliver, messages
from .test_downlink import answered, at_site

MINUTE = 60_000
DAY = 24 * 60 * MINUTE


def case(**changes):
    blank = Happened("abc", "amina", NOON, NOON + 60 * MINUTE, None, None, None, frozenset())
    return replace(blank, **changes)


def test_a_month_counts_medians_over_what_has_an_end():
    found = report(
        [
            case(taken_ms=NOON + 2 * MINUTE, answered_ms=NOON + 10 * MINUTE, authors=frozenset({"a"})),
            case(taken_ms=NOON + 4 * MINUTE, answered_ms=NOON + 90 * MINUTE, authors=frozenset({"a", "b"})),
            case(site="def", at_site_ms=NOON + 7 * MINUTE, feedback="good"),
            case(site="def", feedback="bad"),
        ],
        [Recorded(NOON, "abc", "amina", "camera", usable) for usable in (True, False, False)],
        NOON + 61 * MINUTE,
    )
    whole, abc, far = found.lines
    assert (whole.site, whole.cases, whole.answered, whole.late, whole.specialists) == ("", 4, 2, 3, 2)
    assert (abc.site, abc.allocate_min, abc.answer_min, abc.close_min) == ("abc", 3.0, 50.0, None)
    assert (far.close_min, far.recordings) == (7.0, 0)
    assert (far.rated, far.helped, abc.rated) == (2, 1, 0)
    assert [(one.what, one.recordings, one.unreadable) for one in found.workers] == [("abc · amina", 3, 2)]


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(0, 400)), max_size=30))
def test_the_line_of_all_sites_is_the_sum_of_its_sites(drawn):
    found = report([case(site=site, received_ms=NOON + day * DAY) for site, day in drawn], [], NOON)
    for month in {line.month for line in found.lines}:
        whole, *parts = [line for line in found.lines if line.month == month]
        assert whole.site == ""
        assert whole.cases == sum(line.cases for line in parts)
    assert [line.month for line in found.lines] == sorted((line.month for line in found.lines), reverse=True)


@given(st.integers(0, 4_000_000_000_000))
def test_every_moment_is_in_its_month(at_ms):
    month = month_of(at_ms)
    assert begins(month) <= at_ms < begins(after(month))


def test_a_cell_is_no_formula_for_a_spreadsheet():
    found = report([case()], [Recorded(NOON, "abc", "w", '=HYPERLINK("x")', True)], NOON)
    rows = list(csv.reader(io.StringIO(as_csv(found).decode("utf-8-sig"))))
    assert ['\'=HYPERLINK("x")', "1", "0", "0.000"] in rows
    assert rows[1][:5] == [month_of(NOON), "*", "1", "0", "0"]


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_a_long_report_goes_over_several_pages(language):
    many = [case(site=f"s{n:03}", received_ms=NOON + n % 3 * 40 * DAY) for n in range(90)]
    heard = [Recorded(NOON, "abc", f"w{n}", "camera", n % 2 == 0) for n in range(50)]
    data = as_pdf(report(many, heard, NOON), "Programme", ("2026-01", "2026-12"), language, NOON)
    assert data.startswith(b"%PDF-")
    assert data.count(b"/Type /Page\n") > 3


async def test_the_report_tells_what_happened_to_a_case_and_nothing_of_its_patient(world, sent, client):
    study, _, _ = answered(world, sent)
    sent(label="HTEST")
    boss = world.user("boss", "coordinator")
    async with client(boss) as desk:
        found = (await desk.get("/api/report")).json()
        whole, abc = found["lines"]
        assert (abc["site"], abc["cases"], abc["answered"], abc["specialists"]) == ("abc", 1, 1, 1)
        assert abc["recordings"] == len(study.recordings)
        assert (whole["month"], found["last"]) == (month_of(world.clock.ms), month_of(world.clock.ms))
        assert "Seeded" not in str(found)
        sheet = await desk.get("/api/report/file?form=csv")
        assert "attachment" in sheet.headers["content-disposition"]
        assert (await desk.get("/api/report/file?form=pdf&language=ar")).content.startswith(b"%PDF-")
        assert code(await desk.get("/api/report?first=2026-13")) == (422, "invalid")
        assert code(await desk.get("/api/report?first=2026-05&last=2026-04")) == (422, "invalid")
    assert at_site(world, study) == [None]


def test_cases_of_before_are_counted_by_opening_them(world, sent):
    study = sent()
    with world.relay.database.write() as connection:
        connection.execute(delete(recording_facts))
        connection.execute(update(cases).values(worker="", language=""))
    assert count_older(world.relay) == 1
    assert count_older(world.relay) == 0
    with world.relay.database.read() as connection:
        ((one,),) = [happened(connection, 0, 1 << 60, simulated=False)]
        assert one.worker == study.worker
        assert len(recorded(connection, 0, 1 << 60, simulated=False)) == len(study.recordings)


@pytest.mark.parametrize(("face", "kept"), [("good", "good"), ("cheerful", "")])
def test_what_a_worker_thinks_of_an_answer_is_counted_with_its_case(world, sent, face, kept):
    study = sent()
    author = Author("amina", "Amina")
    said = Message(uuid7(NOON, b"0123456789"), study.id, "feedback", face, author, NOON)
    deliver(world.receiver(), messages(world.site.seal(pack_message(said))))
    with world.relay.database.read() as connection:
        assert [one.feedback for one in happened(connection, 0, 1 << 60, simulated=False)] == [kept]


def test_a_discussion_counts_in_the_month_and_site_where_it_was_held():
    talks = [Held("abc", NOON), Held("abc", NOON), Held("def", NOON + 60 * DAY)]
    found = report([case()], [], NOON, talks)
    counted = {(one.month, one.site): (one.cases, one.discussions) for one in found.lines}
    now, later = month_of(NOON), month_of(NOON + 60 * DAY)
    assert counted == {
        (later, ""): (0, 1),
        (later, "def"): (0, 1),
        (now, ""): (1, 2),
        (now, "abc"): (1, 2),
    }
    assert as_csv(found).decode("utf-8-sig").splitlines()[0].endswith(",specialists,discussions")


def test_only_a_closed_discussion_of_two_people_is_held(world, sent):
    relay, study = world.relay, sent()
    one, other = world.user("dr"), world.user("other")
    relay.cases.claim(study.id, one)

    def counted():
        with relay.database.read() as connection:
            return [talk.site for talk in held(connection, 0, 1 << 60, simulated=False)]

    for present, found in ([], []), (["other"], ["abc"]):
        ident = relay.discussions.open(study.id, one, world.clock.ms, "Murmur?", [other.id])
        relay.discussions.say(study.id, ident, one, "Listen to M.")
        assert counted() == []
        relay.discussions.close(study.id, ident, one, "Echocardiography.", present)
        assert counted() == found
