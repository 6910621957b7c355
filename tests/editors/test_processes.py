"""What a test started is found and ended, wherever it went."""

import os
import subprocess
import sys

from tests.editors.processes import Family

SLEEP = "import time; time.sleep(60)"


def test_a_process_in_a_session_of_its_own_is_found_and_ended() -> None:
    family, other = Family(), Family()
    environment = {**os.environ, **family.environment}
    with subprocess.Popen([sys.executable, "-c", SLEEP], env=environment, start_new_session=True) as child:
        assert family.alive() == {child.pid: f"{sys.executable} -c {SLEEP}"}
        assert family.servers() == []
        other.kill()
        assert child.poll() is None
        family.kill()
        assert family.alive() == {}
        assert child.wait(5.0) != 0


def test_a_grandchild_whose_parent_has_gone_is_found() -> None:
    family = Family()
    start = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEP!r}], start_new_session=True)"
    subprocess.run([sys.executable, "-c", start], env={**os.environ, **family.environment}, check=True, timeout=20.0)
    assert list(family.alive().values()) == [f"{sys.executable} -c {SLEEP}"]
    family.kill()
    family.wait_until_gone(timeout_s=0.0)
