"""The guide of one box on premises, carried out to the letter on a machine without any network.

A fresh Debian 12 with systemd is made in a folder (debootstrap), given the wheels that were carried there,
and started in a container whose only interface is its loopback (systemd-nspawn --private-network). In it the
commands of docs/guides/relay-operations.md run as they stand; then the units are looked at, killed, backed up
and stopped. Needs root and: apt install debootstrap systemd-container

  sudo .venv/bin/python benchmarks/premises.py --folder /var/tmp/premises
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
GUIDE = HERE / "docs" / "guides" / "relay-operations.md"
DEPLOY = "cloud-relay/deploy"
PACKAGES = "systemd,systemd-sysv,dbus,python3,python3-venv,iproute2,sudo,procps"
AS_RELAY = "sudo -u chevet /opt/chevet/bin/chevet-relay"
CONFIG = "--config /var/lib/chevet/relay.toml"
ASK = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8422{}', timeout=3).read().decode())"
LONGEST_S = 1800
CHECKS = f"""
fact no_network bash -c '! ip -brief addr | grep -v ^lo && ! ip route | grep .'
fact units_verify systemd-analyze verify chevet-relay.service chevet-broker.service chevet-backup.service
fact healthy until_healthy
fact desk python3 -c "{ASK.format("/")}"
echo "a long enough passphrase" > /srv/word
fact account bash -c '{AS_RELAY} user add --id dr --name D --role auditor {CONFIG} < /srv/word'
fact site {AS_RELAY} site add Imlil --no-qr {CONFIG}
mv /var/lib/chevet/keys/recovery.key /root/
{AS_RELAY} doctor {CONFIG} > /srv/doctor.txt
fact doctor_lacks_the_first_box_alone grep "^1 to mend" /srv/doctor.txt
systemctl kill -s KILL chevet-relay chevet-broker
fact restarted_after_a_kill bash -c 'sleep 5; systemctl show chevet-relay -p NRestarts --value | grep -q 1'
fact healthy_again until_healthy
fact backup systemctl start chevet-backup.service
fact backup_is_there test -s /mnt/backup/chevet/backup.json
fact timer bash -c 'systemctl list-timers --all | grep -q chevet-backup'
fact nothing_but_loopback bash -c '! ss -tunH | grep -v 127.0.0.1'
systemctl stop chevet-relay chevet-broker
fact stopped_cleanly bash -c 'systemctl show chevet-relay -p Result --value | grep -q success'
"""
HEAD = f"""#!/bin/bash
cd /srv/carried
fact() {{
  name=$1; shift
  if "$@" >> /srv/said.txt 2>&1; then echo "ok   $name"; else echo "FAIL $name"; fi
}}
until_healthy() {{
  for n in $(seq 180); do
    python3 -c "{ASK.format("/health")}" 2>/dev/null | grep '"broker":"online"' && return 0; sleep 1
  done; return 1
}}
"""
UNIT = """[Unit]
After=basic.target
[Service]
Type=oneshot
ExecStart=/bin/bash -c "bash /srv/guide.sh > /srv/facts.txt 2>> /srv/said.txt; systemctl poweroff --no-block"
TimeoutStartSec=infinity
"""


def main() -> int:
    """Make the machine, let it carry out the guide, and print what held; 1 where something did not."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="where the machine is made, 1 GB")
    folder: Path = parser.parse_args().folder
    missing = [one for one in ("debootstrap", "systemd-nspawn") if shutil.which(one) is None]
    if missing or os.getuid():
        sys.exit("This needs root, and: apt install debootstrap systemd-container")
    prepare(folder)
    if not booted(folder):
        print(f"It did not end within {LONGEST_S} s: see {folder}/srv/said.txt")
        return 1
    facts = (folder / "srv/facts.txt").read_text().splitlines()
    print("\n".join(facts))
    good = len(facts) == CHECKS.count("\nfact ") + len(guide()) and all(one[:2] == "ok" for one in facts)
    print("All held." if good else f"Something did not: see {folder}/srv/said.txt")
    return 0 if good else 1


def booted(folder: Path) -> bool:
    """Run the machine until it turns itself off, and tell whether it did in time; nothing of it runs on."""
    command = ["systemd-nspawn", "--register=no", "--keep-unit", "--private-network", "--boot"]
    boot = subprocess.Popen(
        [*command, "-D", str(folder)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        boot.wait(LONGEST_S)
    except subprocess.TimeoutExpired:
        return False
    finally:
        if boot.poll() is None:
            boot.terminate()  # which systemd-nspawn hands on as an orderly shutdown
            try:
                boot.wait(90)
            except subprocess.TimeoutExpired:
                boot.kill()
                boot.wait()
    return True


def prepare(folder: Path) -> None:
    """Make the machine's files: Debian, what is carried there, and what runs when it starts."""
    if not (folder / "usr/bin/systemctl").exists():
        subprocess.run(
            ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(folder)], check=True
        )
    carried = folder / "srv/carried"
    shutil.rmtree(folder / "srv", ignore_errors=True)
    shutil.copytree(HERE / DEPLOY, carried / DEPLOY)
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "-w", str(carried / "wheels")]
    subprocess.run([*pip, f"{HERE}[broker]"], check=True)
    lines = [f"fact guide_{number} {line}" for number, line in enumerate(guide(), 1)]
    (folder / "srv/guide.sh").write_text("\n".join([HEAD, *lines, CHECKS]))
    (folder / "etc/systemd/system/guide.service").write_text(UNIT)
    wants = folder / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(exist_ok=True)
    (wants / "guide.service").unlink(missing_ok=True)
    (wants / "guide.service").symlink_to("/etc/systemd/system/guide.service")


def guide() -> list[str]:
    """Return the guide's commands, as it says for a machine without any network; the doctor comes later."""
    section = GUIDE.read_text("utf-8").split("## One box on premises")[1]
    block = section.split("```")[1].strip().splitlines()
    offline = re.search(r"`pip (install --no-index --find-links wheels '[^']+')`", section)
    assert offline is not None, "the guide says how to install without a network"
    parts = [part for line in block for part in line.split(" && ") if " doctor " not in part]
    pip = f"sudo /opt/chevet/bin/pip {offline.group(1)}"
    return [pip if "/bin/pip" in part else part for part in parts]


if __name__ == "__main__":
    sys.exit(main())
