"""What fuzzing has found interesting stays held, on every machine, whether a fuzzer runs there or not."""

import dataclasses
from pathlib import Path

import pytest
from fuzz_contract import (
    BEGAN,
    BY_BYTE,
    HELD_BYTES,
    LONGEST_STEP,
    SEALED,
    Subject,
    cutting_changes_nothing,
    held_bytes,
    keeps_its_promises,
    step,
    steps,
)
from fuzz_families import CUTS, FAMILIES, Reader
from fuzz_seeds import seeds
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.bridge.packet import Packet
from chevet.devices.counters import Counters
from chevet.devices.driver import DRIVERS
from chevet.devices.samples import Notice, Reading

CORPUS = Path(__file__).parent / "corpus"


def kept(family):
    return sorted((CORPUS / family).iterdir())


@pytest.mark.parametrize("family", FAMILIES)
def test_every_input_of_the_corpus_is_borne(family):
    files = kept(family)
    assert len(files) >= 5
    for file in files:
        FAMILIES[family].run(file.read_bytes())


@pytest.mark.parametrize("family", sorted(set(FAMILIES) - {"others"}))
def test_every_parser_of_a_family_is_in_its_corpus(family):
    chosen = {FAMILIES[family].chosen(file.read_bytes()).name for file in kept(family)}
    assert {parser.name for parser in FAMILIES[family].parsers} <= chosen


def test_every_driver_is_fuzzed():
    assert set(DRIVERS) <= {parser.name for family in FAMILIES.values() for parser in family.parsers}


def test_the_corpus_stays_small():
    assert sum(file.stat().st_size for family in FAMILIES for file in kept(family)) < 500_000


@pytest.mark.parametrize(
    ("family", "name"),
    [
        (family.name, one.name)
        for family in FAMILIES.values()
        for one in family.parsers
        if isinstance(one, Subject)
    ],
)
def test_a_driver_that_hears_the_same_for_an_hour_does_not_grow(family, name):
    (subject,) = [one for one in FAMILIES[family].parsers if one.name == name]
    inputs = [file.read_bytes() for file in kept(family)]
    scripts = [one[1:] for one in inputs if FAMILIES[family].chosen(one) is subject][:10]
    driver, at = subject.make(), BEGAN
    driver.start()
    for _ in range(20):
        for script in scripts:
            for what, pause_s, data in steps(script):
                at += pause_s
                driver.feed(Packet(data, at, subject.sources[what % len(subject.sources)]))
                driver.tick(at)
    assert held_bytes(driver) <= HELD_BYTES


@pytest.mark.parametrize("family", sorted(set(FAMILIES) - {"study"}))
def test_first_inputs_are_understood_and_not_only_borne(family):
    """Seeds that every parser refuses would teach the fuzzer nothing."""
    understood = set()
    for one in seeds(FAMILIES[family]):
        parser = FAMILIES[family].chosen(one)
        if isinstance(parser, Reader):
            parser.read(one[1:])  # nothing that our own writers write is refused
            understood.add(parser.name)
        else:
            driver, at, told = parser.make(), BEGAN, []
            driver.start()
            for what, pause_s, data in steps(one[1:]):
                at += pause_s
                sealed = parser.seal(data) if what == SEALED and parser.seal else data
                if sealed:
                    told += driver.feed(Packet(sealed, at, parser.sources[what % len(parser.sources)]))
                driver.tick(at)
            if told:
                understood.add(parser.name)
    unheard = {"camera", "kit-oximeter", "sound-card"}  # no twin of these says anything as bytes
    assert {parser.name for parser in FAMILIES[family].parsers} - unheard <= understood


# The contract itself must be able to fail.


@dataclasses.dataclass
class Liar:
    """A driver that is well-behaved but for what `said` returns."""

    said: object = dataclasses.field(default_factory=lambda: lambda packet: [])
    counters: Counters = dataclasses.field(default_factory=Counters)

    def start(self):
        return b""

    def tick(self, at):
        return b""

    def stop(self):
        return b""

    def feed(self, packet):
        self.counters.frames += 1
        return self.said(packet)


def subject(said, **more):
    return Subject("liar", lambda: Liar(said), **more)


SCRIPT = step(0, 0.1, b"abc") + step(BY_BYTE, 0.0, b"de")


@pytest.mark.parametrize(
    "said",
    [
        lambda packet: [None],
        lambda packet: [Reading("spo2", float("nan"), "%", packet.at)],
        lambda packet: [Notice("artifact", packet.at + 1)],
        lambda packet: [Notice("lost_samples", packet.at, detail="7")],
        lambda packet: [Notice("artifact", packet.at)] * 1000,
        lambda packet: 1 / 0,
    ],
)
def test_what_breaks_the_contract_is_noticed(said):
    with pytest.raises((AssertionError, ZeroDivisionError)):
        keeps_its_promises(subject(said), SCRIPT)


def test_a_driver_for_which_cuts_matter_is_noticed():
    whole = subject(lambda packet: [Notice("artifact", 0.0)] if len(packet.data) > 4 else [], streams=True)
    with pytest.raises(AssertionError, match="cuts"):
        cutting_changes_nothing(whole, SCRIPT)


def test_a_driver_that_hoards_is_noticed():
    heap = []
    hoarder = Liar()
    hoarder.heap = heap
    hoarder.said = lambda packet: heap.append(bytes(40_000)) or []
    with pytest.raises(AssertionError, match="hoards"):
        keeps_its_promises(Subject("hoarder", lambda: hoarder), SCRIPT)


@given(
    st.lists(
        st.tuples(st.integers(0, 15), st.sampled_from([0.0, 0.25, 3600.0]), st.binary(max_size=LONGEST_STEP)),
        max_size=5,
    )
)
@settings(max_examples=30)
def test_a_script_is_read_as_it_was_written(wanted):
    assert list(steps(b"".join(step(*one) for one in wanted))) == wanted


def test_the_first_byte_chooses_the_parser_and_whether_cuts_are_compared():
    family = FAMILIES["openview"]
    names = [family.chosen(bytes((byte,))).name for byte in (0, 1, 0 | CUTS, 1 | CUTS)]
    assert names == ["healthypi-v3", "healthypi-v4"] * 2
