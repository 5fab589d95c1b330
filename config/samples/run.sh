#!/bin/bash
# Shows clausewatch at work: a folder and a repository are watched, something in each is changed,
# and the alerts arrive at a receiver on this machine.  Everything lives in a temporary directory.
#
#   run.sh [--once]     --once: stop when the alerts have arrived (the default without a terminal)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=${BUILD:-$here/../../build}
dir=$(mktemp -d "${TMPDIR:-/tmp}/clausewatch-run.XXXXXX")
once=no
[ "${1:-}" = --once ] && once=yes
[ -t 1 ] || once=yes
daemon='' receiver=''

stop() {
	trap - EXIT INT TERM
	echo
	echo "== stopping"
	[ -z "$daemon" ] || { kill -TERM "$daemon" 2>/dev/null && wait "$daemon" || true; }
	[ -z "$receiver" ] || { kill -TERM "$receiver" 2>/dev/null && wait "$receiver" || true; }
	rm -rf "$dir"
}
trap 'stop' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# wait_for WHAT COMMAND...: up to 30 seconds, and says what did not happen
wait_for() {
	what=$1
	shift
	for _ in $(seq 300); do
		"$@" && return 0
		kill -0 "$daemon" 2>/dev/null || break
		sleep 0.1
	done
	echo "error: $what did not happen; the daemon said:" >&2
	tail -20 "$dir/daemon.log" >&2
	exit 1
}
alerts() { [ "$(wc -l <"$dir/alerts.jsonl")" -ge "$1" ]; }

export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
git_sample() {
	git -c user.name='Dana Miller' -c user.email=dana@example.com -C "$dir/agreements" "$@"
}

mkdir -p "$dir/contracts" "$dir/state" "$dir/run"
cp "$here"/contracts/* "$dir/contracts/"
git -c init.defaultBranch=main init -q "$dir/agreements"
cp "$here/contracts/ai-assistant-terms.md" "$dir/agreements/"
git_sample add -A
git_sample commit -qm 'Add the terms of the assistant'

secret=whsec_$(head -c 32 /dev/urandom | base64 | tr -d '\n')
(umask 077 && echo "$secret" >"$dir/secret")
: >"$dir/alerts.jsonl"
: >"$dir/receiver.log"
"$build/tests/receiver" --port 0 --secret "$secret" --log "$dir/alerts.jsonl" \
	> >(tee "$dir/receiver.log") &
receiver=$!
for _ in $(seq 100); do
	port=$(sed -n 's/.*:\([0-9][0-9]*\).*/\1/p' "$dir/receiver.log" | head -1)
	[ -n "$port" ] && break
	sleep 0.05
done

cat >"$dir/clausewatch.yaml" <<EOF
state_dir: $dir/state
runtime_dir: $dir/run
sources:
  - name: contracts
    folder: $dir/contracts
  - name: agreements
    repository: $dir/agreements
channels:
  - name: legal
    url: http://127.0.0.1:$port/alerts
    secret_file: $dir/secret
    include_text: true
EOF

echo "== watching $dir/contracts and the repository $dir/agreements"
"$build/clausewatchd" --config "$dir/clausewatch.yaml" 2>"$dir/daemon.log" &
daemon=$!
wait_for 'the summary of the first scan' alerts 2

echo
echo "== somebody deletes the no-training clause of an agreement and saves it"
grep -v -e '^7\. NO AI TRAINING' -e '^intelligence model' "$here/contracts/master-services-agreement.txt" \
	>"$dir/contracts/master-services-agreement.txt"
wait_for 'the alert about the folder' alerts 3

echo
echo "== Dana commits new terms: training is allowed now"
sed -i 's/We will not use your content, prompts or output to train our models or the models of any third party/We may use your content, prompts and output to train our models/; s/\*\*No training\.\*\*/**Training.**/' \
	"$dir/agreements/ai-assistant-terms.md"
git_sample commit -qam 'Update the terms of the assistant'
wait_for 'the alert about the repository' alerts 4

echo
echo "== ask the daemon: $build/clausewatch status --config $dir/clausewatch.yaml"
"$build/clausewatch" status --config "$dir/clausewatch.yaml" || true
if [ "$once" = no ]; then
	echo
	echo "== edit a file in $dir/contracts and watch; Ctrl-C stops"
	while kill -0 "$daemon" 2>/dev/null; do
		sleep 1 &
		wait $! || true
	done
fi
