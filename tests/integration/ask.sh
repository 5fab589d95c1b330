#!/usr/bin/env bash
# Questions to the running daemon: every verb, the socket's manners, and a daemon that is not there.
# usage: tests/integration/ask.sh [BUILD_DIRECTORY]; needs jq and python3.
build=$(realpath "${1:-${B:-build}}")
t=$(mktemp -d)
. "$(dirname "$0")/daemon_lib.sh"
trap finish EXIT
cw=$build/clausewatch
export CLAUSEWATCH_CONFIG="$t/config.yaml"
unset NO_COLOR

run() { # run ARGS...: keeps status, .out and .err
	"$cw" "$@" >"$t/.out" 2>"$t/.err" </dev/null
	status=$?
}
is() { # is STATUS [WORDS on standard error]
	[ "$status" -eq "$1" ] || { echo "status $status, not $1"; cat "$t/.out" "$t/.err"; return 1; }
	[ $# -lt 2 ] || grep -qF -- "$2" "$t/.err" || { echo "no '$2' in:"; cat "$t/.err"; return 1; }
}
out_has() { grep -qF -- "$1" "$t/.out" || { echo "no '$1' in:"; cat "$t/.out"; return 1; }; }
out_lacks() { ! out_has "$1" >/dev/null || { echo "'$1' in:"; cat "$t/.out"; return 1; }; }
lines() { jq -se "$1" "$t/.out"; }
json() { jq -e "$1" "$t/.out"; }
narrow() { awk 'length($0) > 100 { print; bad = 1 } END { exit bad }' "$t/.out"; }
answers() { run "$@"; is 0; }
socket=$t/run/control.sock
# raw SCRIPT: python with ask(line): the answers, and connected(): a socket
raw() {
	python3 - "$socket" <<PY
import json, socket, sys, time
def connected():
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(8)
    s.connect(sys.argv[1])
    return s
def rest(s):
    data = b''
    while True:
        try:
            got = s.recv(65536)
        except ConnectionResetError:  # what was sent was not all read
            got = b''
        if not got:
            return [json.loads(line) for line in data.decode().splitlines()]
        data += got
def ask(line):
    s = connected()
    try:
        s.sendall(line.encode() if isinstance(line, str) else line)
    except BrokenPipeError:
        pass
    return rest(s)
def until_answered():
    end = time.time() + 8
    while ask('{"op":"status"}\n')[-1]["kind"] != "end":
        assert time.time() < end
        time.sleep(0.02)
$1
PY
}

# ---- nobody is there ----

start_receiver || { echo "Bail out! no receiver"; exit 1; }
write_config
for verb in status events 'backup x' 'export -' 'deliveries list' legacy 'similar --clause CW-111111' 'waiver list' reload rescan; do
	# shellcheck disable=SC2086
	run $verb
	ok "no daemon: $verb exits 4, with the cure" is 4 'systemctl status clausewatchd'
done
run status --config "$t/none.yaml"
ok "no such configuration: 2" is 2 none.yaml
run status --socket "$t/$(printf 'x%.0s' {1..120})"
ok "a path too long for a socket: 2" is 2 'over 107 bytes'
python3 -c "import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])" "$t/run/dead.sock"
run status --socket "$t/run/dead.sock"
ok "a socket that nobody listens on: 4" is 4 refused

# ---- somebody is ----

agreement one "$PROTECT" >"$t/legal/one.md"
agreement two "$GRANT" >"$t/legal/two.md"
{
	echo '# Services Agreement'
	echo
	echo 'This agreement is dated March 3, 2014 between Acme Inc. and Beta Corp.'
	echo
	echo '10. Content'
	echo
	echo '10.4 Data. Supplier may train its models on Customer Data.'
} >"$t/legal/old.md"
python3 -c "import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])" "$socket"
start_daemon
logged 'first scan done' || { cat "$t/daemon.log"; echo "Bail out! no daemon"; exit 1; }
ok "the socket of a dead daemon is taken over" answers status
ok "the socket is for owner and group" test "$(stat -c %a "$socket")" = 660
heard '.type | endswith("document.added")' >/dev/null

ok "status" within 8 eval 'answers status && out_has "1 delivered"'
ok "  of sources, documents, risks" out_has 'folder  inotify'
ok "  severities" out_has '2 critical'
ok "  no colours in a pipe" out_lacks $'\033'
run status --format json
ok "status --format json: one object" json \
	'.kind == "status" and .store.documents == 3 and .sources[0].name == "legal" and
	 .store.findings.critical == 2 and .channels[0].name == "team"'
run status --format jsn
ok "wrong format: the nearest" is 2 "did you mean 'json'?"
run status --sockt x
ok "wrong option: the nearest" is 2 "did you mean '--socket'?"
run statsu
ok "wrong verb: the nearest" is 2 "did you mean 'status'?"

"$cw" events --follow --since 1h --format jsonl >"$t/follow.out" 2>"$t/follow.err" &
follower=$!
ok "follow: what was comes first" within 8 grep -q document.added "$t/follow.out"
agreement "four" "$GRANT" >"$t/legal/$(printf 'fo\033[31mur.md')"
ok "follow: then what happens" within 8 grep -q risk.appeared "$t/follow.out"
ok "  each once, in order" eval 'jq -se "map(.seq) == (map(.seq) | unique)" "$t/follow.out"'
run events
ok "events" out_has 'new risk: Training of models'
ok "  control characters are harmless" out_has '\x1b[31m'
ok "  within 100 columns" narrow
run events --since 2001-01-01 --limit 1 --format jsonl
ok "events --limit: the newest" json '.event.type == "dev.clausewatch.risk.appeared"'
run events --since 2999-01-01
ok "events of the future: none" eval 'is 0 && [ ! -s "$t/.out" ]'
run events --since 2026-02-30
ok "a day that is none" is 2 "no time"
run events --since 5y
ok "a time that is none" is 2 "no time"
run events --limit 0
ok "a limit that is none" is 2 "no number"

ok "deliveries list" within 8 eval 'answers deliveries list --state delivered && out_has ":team"'
run deliveries list --state ded
ok "  wrong state: the nearest" is 2 "did you mean 'dead'?"
run deliveries retry
ok "retry: needs to be told which" is 2 "--all"
run deliveries retry nothing:team
ok "retry of what is not there: 2" is 2
run deliveries list --format jsonl --channel team
id=$(head -n 1 "$t/.out" | jq -r .id)
sent=$(wc -l <"$got")
run deliveries retry "$id"
ok "retry by id" out_has '1 delivery is sent again now'
ok "  arrives again under the same id" within 8 eval \
	'[ "$(wc -l <"$got")" -gt "$sent" ] && tail -n 1 "$got" | jq -e ".\"webhook-id\" == \"${id%:*}\""'
run deliveries lst
ok "deliveries: nearest word" is 2 "did you mean 'list'?"

run legacy
ok "legacy: the old agreement" out_has '2014-03-03'
ok "  its clause and parties" eval 'out_has "section 10.4" && out_has "Acme Inc.; Beta Corp."'
ok "  the same words elsewhere" out_has 'the same words in 2 other documents'
ok "  one document" out_has '1 legacy agreement, 1 clause'
run legacy --before 2014-03-03
ok "legacy --before that day: none" out_has '0 legacy agreements'
run legacy --before 2014-03-04 --source legal --format csv
ok "legacy --before the day after, as csv" eval 'out_has "legal,,old.md,2014-03-03" && [ "$(wc -l <"$t/.out")" -eq 2 ]'
run legacy --before 2014-13-01
ok "legacy: a day that is none" is 2 "no day"
run legacy --format jsonl
finding=$(jq -r '.clauses[0].id' "$t/.out")

run similar --clause "$finding"
ok "similar to a finding" eval 'is 0 && out_has old.md && out_has two.md'
printf '%s\n' "$GRANT" >"$t/text"
run similar --text "$t/text" --min 0.9 --format jsonl
ok "similar to a text" lines 'any(.path == "two.md" and .similarity > 0.9)'
run similar --clause CW-000000
ok "  no such finding" is 2 'no finding CW-000000'
run similar
ok "  to nothing" is 2 '--clause'
run similar --text "$t/none"
ok "  to a file that is not there" is 2 "$t/none"
run similar --text "$t/text" --min 2
ok "  a share beyond all" is 2 'from 0.4 to 1'

later=$(date -d '+30 days' +%F)
run waiver add "$finding" --approver Ada --expires "$later"
ok "waiver: needs a reason" is 2 --reason
run waiver add "$finding" --reason why --approver Ada --expires "$(date +%F)"
ok "  and a day to come" is 2 'not after today'
run waiver add "$finding" --reason why --approver Ada --expires 2030-02-30
ok "  that exists" is 2 'no day'
run waiver add CW-000000 --reason why --approver Ada --expires "$later"
ok "  and a finding" is 2 'no finding CW-000000'
run waiver add "${finding,,}" --reason 'agreed with the vendor' --approver Ada --expires "$later"
ok "waiver add" is 0
run waiver list
ok "waiver list" eval 'out_has "$finding  active  $later" && out_has "agreed with the vendor (Ada)"'
ok "  and it is an event" within 8 eval 'answers events -n 5 && out_has waiver.created'
agreement five "$GRANT" >"$t/legal/five.md"
agreement six "$CAP" >"$t/legal/six.md"
heard '.data.path == "six.md"' >/dev/null
ok "waived words in a new document do not alert" eval '! has ".data.path == \"five.md\" and (.type | endswith(\"risk.appeared\"))"'
run waiver expire "$finding"
ok "waiver expire" is 0
run waiver expire "$finding"
ok "  twice: there is none" is 2 'no waiver'
ok "  the list is empty" eval 'answers waiver list && out_has "no waivers"'

run notify test team
ok "notify test" eval 'is 0 && out_has "accepted with status 200"'
ok "  arrived, signed" within 8 eval 'tail -n 1 "$got" | jq -e ".signature == \"ok\" and (.body | contains(\"clausewatch.test\"))"'
run notify test taem
ok "  wrong channel: the nearest" is 2 "did you mean 'team'?"

run doctor
ok "doctor: all is well" eval 'is 0 && out_has "0 failed" && out_has "nothing is degraded"'
run rescan lagal
ok "rescan: no such source" is 2 lagal
ok "rescan" answers rescan legal
ok "reload" answers reload
cp "$t/config.yaml" "$t/config.good"
echo 'surces: []' >>"$t/config.yaml"
run reload --socket "$socket"
ok "reload of a wrong configuration: 2, with the place" is 2 "$t/config.yaml:"
ok "  what held goes on" is 2 'before it stay in force'
run status --socket "$socket"
ok "  and status says so" out_has FAILED
run doctor
ok "doctor: wrong configuration fails" eval 'is 2 && out_has "FAIL  configuration"'
{ cat "$t/config.good"; echo '  - {name: bare, url: "https://example.com/", secret_file: '"$t"'/no-secret}'; } >"$t/config.yaml"
sed -i "s|^sources:|&\n  - {name: gone, folder: $t/gone}\n  - {name: repo, repository: $t/legal}|" "$t/config.yaml"
run doctor
ok "doctor: secret, folder and repository that are not there" eval \
	'is 2 && out_has no-secret && out_has "$t/gone" && out_has "3 failed"'
cp "$t/config.good" "$t/config.yaml"

run backup "$t/copy"
ok "backup" eval 'is 0 && [ -s "$t/copy/data.mdb" ]'
run backup "$t/copy"
ok "  not over another" is 2 'holds a store already'
run backup "$t/none/deep/copy"
ok "  a place that cannot be made" is 2 'cannot make'
run export "$t/all.jsonl"
ok "export" eval 'is 0 && [ "$(stat -c %a "$t/all.jsonl")" = 600 ] && [ ! -e "$t/all.jsonl.part" ] &&
	grep -q "\"path\":\"old.md\"" "$t/all.jsonl"'
ok "  to standard output: the same" eval '"$cw" export - | cmp - "$t/all.jsonl"'
run export "$t/no/such/dir"
ok "  to nowhere" is 2 'No such file'
ok "  to one who leaves: the daemon goes on" eval '"$cw" export - | head -c 10 >"$t/.out"; answers status'
run import "$t/all.jsonl"
ok "import beside a running daemon is refused" is 2

# ---- the socket's manners ----

ok "not JSON" raw 'a = ask("hello\n"); assert a[-1]["code"] == "invalid", a'
ok "no operation" raw 'a = ask("{}\n"); assert "op" in a[-1]["message"], a'
ok "unknown operation: the nearest" raw 'a = ask("{\"op\":\"stats\"}\n"); assert "status" in a[-1]["message"], a'
ok "kind is first" raw 's = connected(); s.sendall(b"{\"op\":\"counts\"}\n"); assert s.recv(9) == b"{\"kind\":\"", 1'
ok "a question in pieces" raw '
s = connected()
for c in b"{\"op\":\"status\"}\n": s.sendall(bytes([c]))
a = rest(s)
assert [x["kind"] for x in a] == ["status", "end"], a'
ok "a question without end is refused" raw 'a = ask(b"x" * ((4 << 20) + 70000)); assert a[-1]["code"] == "full", a'
ok "those who leave early are no trouble" raw '
for line in [b"", b"{\"op\"", b"{\"op\":\"legacy\"}\n", b"{\"op\":\"follow\"}\n", b"{\"op\":\"reload\"}\n"] * 20:
    s = connected(); s.sendall(line); s.close()
until_answered()'
ok "one too many is told so" raw '
held = [connected() for i in range(80)]
a = rest(held[-1])
assert a[-1]["code"] == "full", a
for s in held: s.close()
until_answered()'
ok "follow from now: no old events" raw '
s = connected(); s.sendall(b"{\"op\":\"follow\"}\n")
s.settimeout(0.3)
try:
    assert not s.recv(10), "something came"
    raise SystemExit("it ended")
except TimeoutError: pass'

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 711 "$t" "$t/run"
	cp "$cw" "$t/cw" && chmod 755 "$t/cw"
	setpriv --reuid=65534 --regid=65534 --clear-groups "$t/cw" status --socket "$socket" \
		>"$t/.out" 2>"$t/.err" </dev/null
	status=$?
else
	chmod 0 "$socket"
	run status
	chmod 660 "$socket"
fi
ok "not permitted: 4, with the group to join" is 4 'usermod -aG'

ok "second daemon on one socket is no answer" eval \
	'sed "s,^state_dir:.*,state_dir: $t/state2," "$t/config.good" >"$t/second.yaml"
	 { timeout 3 "$build/clausewatchd" --config "$t/second.yaml" 2>&1; } | grep -q "another daemon answers there"'
ok "  and the first still answers" answers status

ok "the daemon stops with followers connected" stop_daemon
wait "$follower"
ok "  who hear of it" test $? -eq 4
ok "  and the socket is gone" test ! -e "$socket"

mkdir "$t/state3"
sed "s,^state_dir:.*,state_dir: $t/state3," "$t/config.good" >"$t/third.yaml"
run import "$t/all.jsonl" --config "$t/third.yaml"
ok "import into an empty store" is 0
run import "$t/all.jsonl" --config "$t/third.yaml"
ok "  twice: refused" is 2
printf '{"kind":"nonsense' >"$t/half.jsonl"
run import "$t/half.jsonl" --config "$t/third.yaml"
ok "  what is damaged: refused" is 2
echo "1..$n"
exit $((bad > 0))
