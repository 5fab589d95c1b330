#!/usr/bin/env bash
# The daemon as its users meet it: a save, a commit, a restart, a receiver that is down.
# usage: tests/integration/daemon.sh [BUILD_DIRECTORY]; needs jq and git.
build=$(realpath "${1:-build}")
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

ok "SIGTERM ends with 0" stop_daemon
ok "nothing was left open" sh -c "! grep -q 'left open' '$t/daemon.log'"

echo "1..$n"
echo "# $((n - bad)) passed, $bad failed"
[ "$bad" -eq 0 ]
