"""The relay's door: codes good once and for a while, certificates for the right box, revocation."""

import os
import re
import shutil
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from chevet.exchange.enrolment import Ask, fingerprint, make_code, read_code, read_grant, write_ask
from chevet.exchange.keys import new_sealing_key, new_signing_key, public_text
from chevet.exchange.tls import RELAY_NAME, common_name, due, new_tls_key, request
from chevet.relay import cli
from chevet.relay.archive.invites import TRIES, site_code
from chevet.relay.authority import CA_FILE, moment, open_authority
from chevet.relay.enrolment import MOST_A_DAY, MOST_REFUSED
from chevet.relay.errors import RefusedError, SettingsError

from .conftest import NOON
from .conftest import code as refusal

DAY = 24 * 3_600_000


@pytest.fixture
def invited(world, tmp_path):
    """A relay whose folder of keys is its own, and one code for the site "Aït Bouguemez"."""
    shutil.copytree(world.settings.keys, tmp_path / "keys")
    relay = world.again(keys=tmp_path / "keys", broker_tls=True, public_broker_host="mqtt.example")
    code = make_code(relay.keys.relay.public_key(), os.urandom)
    assert relay.invites.add(code, "Aït Bouguemez", phone="141", hours=72) == "aitbou"
    return relay, code


class Box:
    """A box's keys, and what it sends with them."""

    def __init__(self):
        self.signer, self.opener, self.tls = new_signing_key(), new_sealing_key(), new_tls_key()

    def ask(self, code=None, *, prove=True, **changes):
        words = {
            "invite": code.invite if code else "",
            "verify_key": public_text(self.signer.public_key()),
            "seal_key": public_text(self.opener.public_key()),
            "csr": request(self.tls),
        }
        return write_ask(Ask(**(words | changes)), self.signer, code if prove else None)


def enrol(relay, box, code, **changes):
    message = box.ask(code, **changes)
    answer = relay.enrolment().answer(message)
    return read_grant(
        answer, message, lambda key: fingerprint(key) == fingerprint(relay.keys.relay.public_key())
    )


def refused(relay, message):
    with pytest.raises(RefusedError) as error:
        relay.enrolment().answer(message)
    assert str(error.value).endswith(".")
    return error.value.code


def test_a_code_gives_a_box_its_name_its_certificate_and_whom_to_trust(world, invited):
    relay, code = invited
    box = Box()
    grant = enrol(relay, box, code)
    certificate = x509.load_pem_x509_certificate(grant.certificate.encode())
    authority = x509.load_pem_x509_certificate(grant.authority.encode())
    certificate.verify_directly_issued_by(authority)
    assert (grant.site, grant.name, grant.phone) == ("aitbou", "Aït Bouguemez", "141")
    assert common_name(certificate) == "aitbou"
    assert certificate.public_key() == box.tls.public_key()
    assert isinstance(certificate.public_key().curve, ec.SECP256R1)
    assert (grant.broker.host, grant.broker.port, grant.broker.tls) == ("mqtt.example", 1883, True)
    assert grant.programme.recipients == relay.keys.recipients
    assert grant.now_ms == world.clock()
    assert relay.sites.get("aitbou").verify_key == box.signer.public_key().public_bytes_raw()
    assert relay.certificates.expiry()["aitbou"] > world.clock() + 364 * DAY


def test_a_code_is_good_for_one_box_which_may_come_again(invited):
    relay, code = invited
    box = Box()
    first, second = enrol(relay, box, code), enrol(relay, box, code)
    assert first.site == second.site
    assert first.certificate != second.certificate
    assert refused(relay, Box().ask(code)) == "code_used"
    assert len(relay.sites.list()) == 2


def test_a_code_is_good_for_a_while(world, invited):
    relay, code = invited
    world.clock.ms += 72 * 3_600_000 + 1
    assert refused(relay, Box().ask(code)) == "code_expired"


def test_a_newer_code_voids_the_older(invited):
    relay, code = invited
    newer = make_code(relay.keys.relay.public_key(), os.urandom)
    assert relay.invites.add(newer, "Aït Bouguemez", hours=1) == "aitbou"
    assert refused(relay, Box().ask(code)) == "code_expired"
    assert enrol(relay, Box(), newer).site == "aitbou"


def test_a_code_tried_wrongly_too_often_is_void(invited):
    relay, code = invited
    for _ in range(TRIES):
        assert refused(relay, Box().ask(code, prove=False)) == "not_proved"
    assert refused(relay, Box().ask(code)) == "code_void"


async def test_unknown_codes_are_refused_and_then_the_door_closes_for_a_while(invited, client):
    relay, code = invited
    answers = []
    async with client(relay=relay) as box:
        for _ in range(MOST_REFUSED):
            stranger = make_code(new_signing_key().public_key(), os.urandom)
            answers.append(refusal(await box.post("/api/enrol", content=Box().ask(stranger))))
        assert answers == [(403, "code_unknown")] * MOST_REFUSED
        assert refusal(await box.post("/api/enrol", content=Box().ask(code))) == (429, "too_many")


async def test_the_api_hands_the_grant_out_and_refuses_what_is_none(invited, client):
    relay, code = invited
    message = Box().ask(code)
    async with client(relay=relay) as box:
        answer = await box.post("/api/enrol", content=message)
        assert read_grant(answer.content, message, lambda _: True).site == "aitbou"
        assert refusal(await box.post("/api/enrol", content=b"{}")) == (422, "malformed")
        assert refusal(await box.post("/api/enrol", content=b"x" * 40_000)) == (413, "too_large")


def test_a_known_box_renews_by_its_own_signature_and_no_other_does(invited):
    relay, code = invited
    box = Box()
    enrol(relay, box, code)
    assert enrol(relay, box, None, site="aitbou").site == "aitbou"
    assert enrol(relay, box, None, site="aitbou", csr="").certificate == ""
    assert refused(relay, Box().ask(site="aitbou")) == "site_unknown"
    assert refused(relay, box.ask(site="abc")) == "site_unknown"
    assert refused(relay, box.ask(site="")) == "site_unknown"


def test_a_revoked_site_gets_nothing_and_its_certificates_are_listed(world, invited):
    relay, code = invited
    box = Box()
    given = [enrol(relay, box, code), enrol(relay, box, None, site="aitbou")]
    assert crl_serials(relay.write_revoked()) == set()
    relay.sites.revoke("aitbou")
    serials = {x509.load_pem_x509_certificate(one.certificate.encode()).serial_number for one in given}
    path = relay.write_revoked()
    assert crl_serials(path) == serials
    assert x509.load_pem_x509_crl(path.read_bytes()).is_signature_valid(relay.authority().key.public_key())
    assert refused(relay, box.ask(site="aitbou")) == "site_revoked"
    assert refused(relay, box.ask(code)) == "site_taken"
    with pytest.raises(SettingsError, match="revoked"):
        relay.invites.add(make_code(relay.keys.relay.public_key(), os.urandom), "A", site="aitbou", hours=1)
    world.clock.ms += 366 * DAY
    assert crl_serials(relay.write_revoked()) == set()


def crl_serials(path):
    return {entry.serial_number for entry in x509.load_pem_x509_crl(path.read_bytes())}


def test_a_site_gets_so_many_certificates_a_day(world, invited):
    relay, code = invited
    box = Box()
    for _ in range(MOST_A_DAY):
        enrol(relay, box, code)
    assert refused(relay, box.ask(code)) == "too_many"
    world.clock.ms += DAY
    assert enrol(relay, box, None, site="aitbou").certificate


def test_a_known_site_is_invited_again_with_the_keys_it_has(invited):
    relay, code = invited
    box = Box()
    enrol(relay, box, code)
    for stranger, outcome in ((Box(), "site_taken"), (box, "")):
        again = make_code(relay.keys.relay.public_key(), os.urandom)
        relay.invites.add(again, "Aït Bouguemez", site="aitbou", hours=1)
        if outcome:
            assert refused(relay, stranger.ask(again)) == outcome
        else:
            assert enrol(relay, stranger, again).site == "aitbou"


def rsa_request():
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "box")])
    key = rsa.generate_private_key(65537, 2048)
    signed = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    from cryptography.hazmat.primitives.serialization import Encoding

    return signed.public_bytes(Encoding.PEM).decode()


@pytest.mark.parametrize("csr", ["not a request", "rsa"])
def test_only_a_request_with_a_p256_key_is_certified(invited, csr):
    relay, code = invited
    asked = rsa_request() if csr == "rsa" else csr
    assert refused(relay, Box().ask(code, csr=asked)) == "bad_request_for_certificate"


def test_the_authority_is_made_once_kept_private_and_told_when_damaged(tmp_path):
    now = moment(NOON)
    made = open_authority(tmp_path, "Programme", now)
    assert (tmp_path / CA_FILE).stat().st_mode & 0o777 == 0o600
    assert open_authority(tmp_path, "Programme", now).certificate == made.certificate
    (tmp_path / CA_FILE).chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        open_authority(tmp_path, "Programme", now)
    (tmp_path / CA_FILE).chmod(0o600)
    (tmp_path / CA_FILE).write_text("no key")
    with pytest.raises(SettingsError, match="backup"):
        open_authority(tmp_path, "Programme", now)
    with pytest.raises(SettingsError, match="Cannot use"):
        open_authority(tmp_path / "none", "Programme", now)


def test_the_relays_own_certificates_are_kept_fresh_and_fit_their_hosts(tmp_path):
    authority = open_authority(tmp_path, "Programme", moment(NOON))
    relay = authority.keep_relay(moment(NOON)).read_bytes()
    assert authority.keep_relay(moment(NOON + 200 * DAY)).read_bytes() == relay
    assert authority.keep_relay(moment(NOON + 300 * DAY)).read_bytes() != relay
    certificate = x509.load_pem_x509_certificate(relay)
    assert common_name(certificate) == RELAY_NAME
    assert due(certificate, moment(NOON + 300 * DAY))
    broker = authority.keep_broker(("127.0.0.1", "mqtt.example"), moment(NOON)).read_bytes()
    assert authority.keep_broker(("mqtt.example",), moment(NOON)).read_bytes() == broker
    wider = authority.keep_broker(("10.0.0.1",), moment(NOON)).read_bytes()
    assert wider != broker
    ssl.create_default_context().load_cert_chain(authority.folder / "broker-tls.pem")


@pytest.mark.parametrize(
    ("name", "taken", "code"),
    [
        ("Aït Bouguemez", set(), "aitbou"),
        ("Aït Bouguemez", {"aitbou"}, "aitbo2"),
        ("Ifri", {"ifri", "ifri2"}, "ifri3"),
        ("إفري", set(), ""),
    ],
)
def test_a_sites_code_reminds_of_its_name(name, taken, code):
    assert site_code(name, taken) == code


def test_site_add_prints_a_code_that_works_and_says_what_is_missing(tmp_path, capsys):
    assert cli.main(["init", str(tmp_path), "--name", "Atlas"]) == 0
    where = ["--config", str(tmp_path / "relay.toml")]
    assert cli.main(["site", "add", "Anfgou", "--phone", "141", "--hours", "2", *where]) == 0
    text = capsys.readouterr().out
    url, typed = re.search(r"chevet-edge enrol (\S+) (\S+)", text).groups()
    assert url == "http://127.0.0.1:8422"
    assert len(read_code(typed).secret) == 10
    assert "within 2 hours" in text
    assert "█" in text
    assert "public_url" in text
    assert "public_broker_host" in text
    assert "broker_tls" in text
    assert cli.main(["site", "add", "إفري", *where]) == 1
    assert "--code" in capsys.readouterr().err
    assert cli.main(["site", "add", "إفري", "--code", "ifri", "--no-qr", *where]) == 0
    assert "█" not in capsys.readouterr().out
    assert cli.main(["site", "add", "  ", *where]) == 1
    for wrong in (["--code", "TOOLONG"], ["--hours", "0"]):
        with pytest.raises(SystemExit):
            cli.main(["site", "add", "X", *wrong, *where])
