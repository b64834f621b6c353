"""What names a device, and what doesn't."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnbench.remote.connection import ssh_command
from mnbench.remote.target import AdbTarget, SshTarget, parse_target
from mninfer.errors import InputError

pytestmark = pytest.mark.smoke


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("ssh:host", SshTarget("host")),
        ("ssh:pi@host:2222", SshTarget("host", "pi", 2222)),
        ("ssh:pi@raspberry-pi.local", SshTarget("raspberry-pi.local", "pi")),
        ("ssh:a@b.example@host", SshTarget("host", "a@b.example")),
        ("ssh:192.168.1.7:22", SshTarget("192.168.1.7", port=22)),
        ("ssh:[::1]", SshTarget("::1")),
        ("ssh:pi@[fe80::1%eth0]:2222", SshTarget("fe80::1%eth0", "pi", 2222)),
        ("ssh:[::ffff:10.0.0.1]:1", SshTarget("::ffff:10.0.0.1", port=1)),
        ("adb", AdbTarget()),
        ("adb:emulator-5554", AdbTarget("emulator-5554")),
        ("adb:192.168.1.7:5555", AdbTarget("192.168.1.7:5555")),
        ("adb:adb-R58M (2)._adb-tls-connect._tcp", AdbTarget("adb-R58M (2)._adb-tls-connect._tcp")),
    ],
)
def test_a_device_is_read_and_written(text: str, target: SshTarget | AdbTarget) -> None:
    assert parse_target(text) == target
    assert str(target) == text


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", '"" is no device'),
        ("host", '"host" is no device'),
        ("ssh", '"ssh" is no device'),
        ("ssh:", "there is no host name"),
        ("ssh:pi@", "there is no host name"),
        ("ssh:@host", '"" is no user name'),
        ("ssh:-oProxyCommand=reboot", '"-oProxyCommand=reboot" is no host name'),
        ("ssh:-oProxyCommand=reboot@host", "is no user name"),
        ("ssh:pi@-host", '"-host" is no host name'),
        ("ssh:host name", '"host name" is no host name'),
        ("ssh: host", '" host" is no host name'),
        ("ssh:host;reboot", "is no host name"),
        ("ssh:$(reboot)@host", "is no user name"),
        ("ssh:host\n", "is no host name"),
        ("ssh:host:", '"" is no port'),
        ("ssh:host:0", '"0" is no port'),
        ("ssh:host:65536", '"65536" is no port'),
        ("ssh:host:２２", "is no port"),
        ("ssh:host:-1", '"-1" is no port'),
        ("ssh:[::1", "is no IPv6 address"),
        ("ssh:[::1]22", "is no IPv6 address"),
        ("ssh:[host]", "is no IPv6 address"),
        ("ssh:[::1]:", '"" is no port'),
        ("adb:-s", '"-s" is no serial'),
        ("adb: x", '" x" is no serial'),
        ("adb:x;reboot", "is no serial"),
    ],
)
def test_what_is_no_device_is_told(text: str, what: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_target(text)
    assert what in str(caught.value)
    assert caught.value.hints


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("shh:pi@host", 'did you mean "ssh:pi@host"?'),
        ("abd:X", 'did you mean "adb:X"?'),
        ("ssh:pi@::1", "ssh:pi@[::1]"),
    ],
)
def test_what_was_probably_meant_is_offered(text: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_target(text)
    assert caught.value.hints == (hint,)


@given(st.text() | st.text(alphabet="ssh:adb@[]%-. \n0123456789;$"))
def test_whatever_is_read_is_no_option_and_no_command(text: str) -> None:
    for prefix in ("", "ssh:", "adb:"):
        try:
            target = parse_target(prefix + text)
        except InputError:
            continue
        assert parse_target(str(target)) == target
        if isinstance(target, SshTarget):
            command = ssh_command(target, "true")
            assert command[-3:] == ["--", target.host, "true"]
            for word in (target.host, target.user or "x"):
                assert not word.startswith("-")
                assert not set(word) & set(" \t\n;&|$`'\"<>(){}*?!#~")
