#!/usr/bin/env bash
# The daemon as its users meet it: a save, a commit, a restart, a receiver that is down.
# usage: tests/integration/daemon.sh [BUILD_DIRECTORY]; needs jq and git.
build=$(realpath "${1:-${B:-build}}")
t=$(mktemp -d)
. "$(dirname "$0")/daemon_lib.sh"
trap finish EXIT

start_receiver || { echo "Bail out! no receiver"; exit 1; }
write_config
agreement one "$PROTECT" >"$t/legal/one.md"
agreement two "$GRANT" >"$t/legal/two.md"
agreement three "$CAP" >"$t/legal/three.md"
start_daemon
logged started || { cat "$t/daemon.log"; echo "Bail out! no daemon"; exit 1; }

ok "first scan: one summary with counts" heard \
	'(.type | endswith("document.added")) and .data.cause == "first-scan" and
	 .data.attributes.documents == 3 and .data.attributes.critical == 1 and
	 .data.attributes.high == 1'
ok "first scan: nothing else" are 1 true
ok "signed" are 1 '.signature == "ok"'

agreement four "$GRANT" >"$t/legal/four.md"
ok "new document: its risks in one event" heard \
	'(.type | endswith("risk.appeared")) and .data.path == "four.md" and
	 .data.attributes.new_document and .data.severity == "critical"'
ok "  with the finding" has '.data.path == "four.md" and (.data.changes | length) == 1 and
	.data.changes[0].term == "data.training-grant" and (.data.changes[0].id | startswith("CW-"))'

mark
sed -i 's/^3\. Data\. /3.1  Data.   /; s/$/ /' "$t/legal/one.md"
{ agreement one | sed '/^9\./,$d'; printf '%s\n\n' "$CAP"; agreement one "$PROTECT" | sed -n '/^3\. /,$p'; } \
	>"$t/legal/.tmp" && cat "$t/legal/.tmp" >"$t/legal/one.md"
ok "cosmetic edit is silent, a new cap is not" quiet_until \
	'(.type | endswith("risk.appeared")) and .data.path == "one.md" and
	 .data.changes[0].term == "liab.cap.vendor-low"'

agreement one "$CAP" >"$t/legal/one.md"
ok "protection deleted: protection.lost" heard \
	'(.type | endswith("protection.lost")) and .data.path == "one.md" and
	 .data.changes[0].event == "removed"'

agreement two "$PROTECT" >"$t/legal/two.md.new~" && mv "$t/legal/two.md.new~" "$t/legal/two.md"
ok "atomic save: one event with both sides" heard \
	'.data.path == "two.md" and (.data.changes | length) == 2'

mark
mv "$t/legal/two.md" "$t/legal/zwei.md"
agreement five "$CAP" >"$t/legal/five.md"
ok "rename is quiet" quiet_until '.data.path == "five.md"'
rm "$t/legal/five.md"
ok "file removed: told once" heard '(.type | endswith("document.removed")) and
	.data.path == "five.md"'
ok "the renamed one was never gone" are 0 '(.type | endswith("document.removed")) and
	.data.path == "two.md"'
agreement five "$CAP" >"$t/legal/five.md"
ok "and back: told, with no new risk" heard '.data.path == "five.md" and .data.attributes.back'
rm "$t/legal/five.md"
agreement zwei "$GRANT" >"$t/legal/zwei.md"
ok "history goes on under the new name" heard '.data.path == "zwei.md" and
	(.data.changes | length) == 2'

mark
agreement two "$PROTECT" >"$t/legal/zwei.md"
ok "version that was there before says so" heard '.data.path == "zwei.md" and
	(.data.summary | contains("returned to the version of"))'

printf '%%PDF-1.7 nothing' >"$t/legal/scan.pdf"
ok "what cannot be read is told" heard '(.type | endswith("document.unchecked")) and
	.data.path == "scan.pdf"'

mark
mkdir "$t/legal/many"
for i in 1 2 3 4 5; do agreement "many $i" "$PROTECT" >"$t/legal/many/$i.md"; done
ok "new documents: one by one" within 30 are 5 '.data.path // "" | startswith("many/")'
rm -r "$t/legal/many"
ok "a directory removed is one event" heard '(.type | endswith("document.removed")) and
	.data.attributes.documents >= 5'

# A text long enough that its loss is a collapse.
long() { agreement long "$PROTECT" "$CAP"; for i in $(seq 60); do
	printf 'Section %s of the schedule says what happens in case number %s of the list.\n\n' "$i" "$i"; done; }
long >"$t/legal/long.md"
heard '.data.path == "long.md"' >/dev/null
head -c 300 "$t/legal/long.md" >"$t/.short" && cp "$t/.short" "$t/legal/long.md"
ok "a text that vanished is one event" heard '(.type | endswith("document.collapsed")) and
	.data.path == "long.md"'
mark
long >"$t/legal/long.md"
agreement six "$CAP" >"$t/legal/six.md"
ok "its return is quiet" quiet_until '.data.path == "six.md"'

# ---- while the daemon is down ----
ok "SIGTERM ends with 0" stop_daemon
agreement one "$GRANT" >"$t/legal/one.md"
rm "$t/legal/six.md"
agreement seven "$GRANT" >"$t/legal/seven.md"
mv "$t/legal/four.md" "$t/legal/vier.md"
mark
start_daemon
ok "restart: finds what changed" heard '.data.path == "one.md" and .data.cause == "rescan" and
	.data.changes[0].term == "data.training-grant"'
ok "restart: finds what is gone" heard '(.type | endswith("document.removed")) and
	.data.path == "six.md"'
ok "restart: finds what is new" heard '.data.path == "seven.md"'
ok "restart: a rename stays quiet" are 0 '.data.path == "vier.md" or
	(.data.path == "four.md" and (.type | endswith("removed")))'
ok "restart: nothing else" test "$(since_mark | wc -l)" -eq 3

# ---- the receiver ----
stop_receiver
agreement eight "$GRANT" >"$t/legal/eight.md"
within 30 grep -q 'listening' "$t/receiver.out"
start_receiver --answer 500,503,200
ok "receiver down, then failing, then up: delivered" heard '.data.path == "eight.md"'
ok "  with the same id each time" test "$(jq -r 'select(.body | fromjson | .data.path == "eight.md") |
	."webhook-id"' "$got" | sort -u | wc -l)" -eq 1
ok "  told once" are 1 '.data.path == "eight.md"'

# ---- settings ----
cp "$t/config.yaml" "$t/good.yaml"
echo 'bogus: 1' >>"$t/config.yaml"
kill -HUP "$daemon_pid"
ok "SIGHUP with a broken file: the old settings hold" logged 'the old ones hold'
ok "  and the message names the place" logged "$t/config.yaml:"
agreement nine "$GRANT" >"$t/legal/nine.md"
ok "  and alerts still come" heard '.data.path == "nine.md"'
cp "$t/good.yaml" "$t/config.yaml"
mark
sed -i 's/"liability"\]/"liability", "fees"]/; s/"is limited to"\]/"is limited to", "within"]/' "$t/rules/test.yaml"
kill -HUP "$daemon_pid"
ok "new rules: one event, not changes of contracts" quiet_until '.data.cause == "rules" and
	.data.attributes.appeared > 5'

# ---- a repository ----
git init -q --bare -b main "$t/repo.git"
git init -q -b main "$t/work" && cd "$t/work" || exit 1
git remote add origin "$t/repo.git"
save() { # save SUBJECT
	git add -A && git commit -qm "$1" && git push -q "${@:2}" origin HEAD
}
agreement g1 "$PROTECT" >g1.md
agreement g2 "$GRANT" >g2.md
save first
sources="  - {name: repo, repository: $t/repo.git, poll_interval: 60s, trust_owner: true}"
write_config
kill -HUP "$daemon_pid"
ok "git: first scan is one summary" heard '.data.source == "repo" and .data.cause == "first-scan" and
	.data.attributes.documents == 2'
ok "git: nothing else" are 1 '.data.source == "repo"'
logged 'watched' >/dev/null
agreement g1 >g1.md
save 'Drop the data clause'
ok "git: commit with author and subject" heard '.data.source == "repo" and .data.path == "g1.md" and
	.data.commit == "'"$(git rev-parse HEAD)"'" and .data.author == "Ada Author" and
	.data.subject == "Drop the data clause" and .data.ref == "refs/heads/main" and
	(.type | endswith("protection.lost"))'
agreement g3 "$GRANT" >g3.md && git add -A && git commit -qm 'Third'
third=$(git rev-parse HEAD)
agreement g4 "$CAP" >g4.md
save 'Fourth'
ok "git: each path has the commit that touched it" heard '.data.path == "g3.md" and
	.data.commit == "'"$third"'"'
ok "git: and the other" heard '.data.path == "g4.md" and .data.subject == "Fourth"'
mark
git mv g4.md vier.md
agreement g2 "$GRANT" "$CAP" >g2.md
save 'Rename'
ok "git: rename is quiet" quiet_until '.data.path == "g2.md"'
git reset -q --hard HEAD~3
agreement g1 "$PROTECT" "$GRANT" >g1.md
save 'Rewritten' --force
ok "git: force push tells what it changed" heard '.data.path == "g1.md" and
	.data.attributes.forced and .data.subject == "Rewritten"'
ok "git: and what it took away" heard '(.type | endswith("document.removed")) and
	.data.source == "repo"'
git checkout -qb side
agreement g1 "$GRANT" >g1.md
mark
save 'On a branch'
ok "git: a branch tells what differs from where it began" quiet_until '
	.data.ref == "refs/heads/side" and .data.path == "g1.md" and
	.data.changes[0].term == "data.no-training"'
git push -q origin :side
ok "git: a deleted branch is one event" heard '(.type | endswith("document.removed")) and
	.data.ref == "refs/heads/side"'
mv "$t/repo.git" "$t/away.git"
kill -HUP "$daemon_pid"
cd "$t" || exit 1
sources="  - {name: repo, repository: $t/repo.git, poll_interval: 1s, trust_owner: true}"
write_config
kill -HUP "$daemon_pid"
ok "git: a missing repository is told" heard '(.type | endswith("watch.degraded")) and
	.data.source == "repo"'
mv "$t/away.git" "$t/repo.git"
ok "git: and its return" heard '(.type | endswith("watch.restored")) and .data.source == "repo"'

ok "every request was signed" test "$(jq -r .signature "$got" | sort -u)" = ok
ok "no event came twice" test "$(events | jq -r .id | sort | uniq -d | wc -l)" -eq 0
ok "no clause text in the log" sh -c "! grep -qiE 'train its models|is limited to .100' '$t/daemon.log'"
stop_receiver
start_receiver --answer 410
agreement ten "$GRANT" >"$t/legal/ten.md"
ok "410 Gone switches the channel off" logged 'switched off'
stop_daemon
requests=$(wc -l <"$got")
start_daemon
agreement eleven "$GRANT" >"$t/legal/eleven.md"
told=$(grep -c msg=told "$t/daemon.log")
ok "after a restart, too" within 30 sh -c 'test "$(grep -c msg=told "$1")" -gt "$2"' - "$t/daemon.log" "$told"
ok "SIGTERM ends with 0 again" stop_daemon
ok "no request was made" test "$(wc -l <"$got")" -eq "$requests"
ok "nothing was left open" sh -c "! grep -q 'left open' '$t/daemon.log'"
ok "--check says good" "$build/clausewatchd" --check --config "$t/config.yaml"
ok "--check says bad with 2" sh -c "'$build/clausewatchd' --check --config '$t/secret'; test \$? -eq 2"

echo "1..$n"
echo "# $((n - bad)) passed, $bad failed"
[ "$bad" -eq 0 ]
