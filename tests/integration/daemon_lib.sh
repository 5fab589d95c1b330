# Shared by the tests of the daemon: a folder, a receiver, a daemon, and waiting with a deadline.
# Needs: build (directory of the programs), t (a directory of its own).
set -u
export LC_ALL=C.UTF-8 TZ=UTC GIT_CONFIG_NOSYSTEM=1 HOME="$t"
export GIT_AUTHOR_NAME='Ada Author' GIT_AUTHOR_EMAIL=ada@example.com
export GIT_COMMITTER_NAME='Ada Author' GIT_COMMITTER_EMAIL=ada@example.com
n=0
bad=0
got="$t/got.jsonl"
secret=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
receiver_pid=
daemon_pid=

ok() { # ok NAME COMMAND...
	local name=$1
	shift
	n=$((n + 1))
	if "$@" >"$t/.check" 2>&1; then
		echo "ok $n - $name"
	else
		bad=$((bad + 1))
		echo "not ok $n - $name"
		sed 's/^/# /' "$t/.check" | head -n 20
		[ -z "${VERBOSE:-}" ] || tail -n 15 "$t/daemon.log" | sed 's/^/#   /'
	fi
}

within() { # within SECONDS COMMAND...: again and again until it succeeds or time is up
	local end=$((SECONDS + $1)) status=0
	shift
	until "$@" 2>/dev/null; do
		status=$?
		[ "$SECONDS" -lt "$end" ] || return "$status"
		sleep 0.03
	done
}

# Bodies that were accepted, one a line, with the headers beside them.
events() { [ ! -s "$got" ] || jq -c 'select(.status == 200) | {id: ."webhook-id", signature} +
	(.body | fromjson)' "$got"; }
# An event for which a jq expression holds.
has() { events | jq -se "any(.[]; $1)" >/dev/null; }
count() { events | jq -s "map(select($1)) | length"; }
are() { [ "$(count "$2")" -eq "$1" ] || { echo "$(count "$2") of: $2"; events | jq -c "[.type, .data.path, .data.summary]" | tail -n 6; return 1; }; }
heard() { within 30 has "$1" || { echo "never heard: $1"; events | jq -c "[.type, .data.path, .data.summary]" | tail -n 6; return 1; }; }
mark() { marked=$(events | wc -l); }
# Nothing since mark.  The daemon works in order, so a later event proves that none is coming.
since_mark() { events | tail -n +$((marked + 1)); }
quiet_until() { # quiet_until EXPRESSION: the next event after mark is this one
	heard "$1" && since_mark | head -n 1 | jq -e "$1" >/dev/null ||
		{ since_mark; return 1; }
}

start_receiver() { # start_receiver [OPTION]...
	"$build/tests/receiver" --port "${port:-0}" --secret "$secret" --log "$got" --quiet "$@" \
		>"$t/receiver.out" 2>&1 &
	receiver_pid=$!
	within 30 grep -q listening "$t/receiver.out" || return 1
	port=$(sed -n 's/.*:\([0-9]*\)\/.*/\1/p' "$t/receiver.out")
}
stop_receiver() { kill "$receiver_pid" && wait "$receiver_pid" 2>/dev/null; receiver_pid=; }

start_daemon() { # start_daemon [OPTION]...
	"$build/clausewatchd" --config "$t/config.yaml" --log-level debug "$@" >>"$t/daemon.log" 2>&1 &
	daemon_pid=$!
}
stop_daemon() { # the status it ends with
	kill -TERM "$daemon_pid" && wait "$daemon_pid"
	local status=$?
	daemon_pid=
	return "$status"
}
logged() { within 30 grep -qF -- "$1" "$t/daemon.log" || { echo "not logged: $1"; return 1; }; }

finish() {
	[ -z "$daemon_pid" ] || kill -KILL "$daemon_pid" 2>/dev/null
	[ -z "$receiver_pid" ] || kill "$receiver_pid" 2>/dev/null
	wait 2>/dev/null
	[ -n "${KEEP:-}" ] || rm -rf "$t"
}

write_config() { # write_config [LINES]: with the folder, more lines of YAML at its end
	cat >"$t/config.yaml" <<YAML
state_dir: $t/state
runtime_dir: $t/run
rules: [$t/rules]
watch: {settle: 40ms, settle_max: 500ms}
alerts: {min_severity: medium}
sources:
  - {name: legal, folder: $t/legal}
${sources:-}
channels:
  - name: team
    url: http://127.0.0.1:$port/
    secret_file: $t/secret
    include_text: true
    retry: [0s, 200ms, 200ms, 200ms, 500ms, 1s]
    max_attempts: 100
    allow_private: [127.0.0.0/8]
${1:-}
YAML
}

# Rules of its own, so that these tests say nothing of the shipped ones.
mkdir -p "$t/rules" "$t/none" "$t/legal" "$t/run"
export CLAUSEWATCH_RULES="$t/none"
cat >"$t/none/none.yaml" <<'YAML'
pack: none
YAML
cat >"$t/rules/test.yaml" <<'YAML'
pack: test
lexicons:
  t-vendor: {part: who, words: ["supplier", "vendor"]}
  t-may: {part: may, words: ["may"]}
  t-not: {part: may, words: ["shall not", "must not"]}
  t-train: {part: does, words: ["train", "fine tune"]}
  t-model: {part: what, words: ["model", "models"]}
  t-cap: {part: what, words: ["liability"]}
  t-limit: {part: does, words: ["is limited to"]}
terms:
  data.training-grant:
    codes: [USE-04]
    title: Training of models
    polarity: risk
    severity: critical
    why: Models are trained.
    advice: Strike it.
  data.no-training:
    codes: [USE-01]
    title: No training of models
    polarity: protection
    severity: high
    why: The customer is protected.
    advice: Keep it.
  liab.cap.vendor-low:
    codes: [LIA-01]
    title: Liability cap
    polarity: risk
    severity: high
    why: A cap.
    advice: Raise it.
rules:
  - id: data.training-grant/t
    term: data.training-grant
    frames: ["t-vendor ..3 t-may ..3 t-train ..6 t-model"]
    match: ["Supplier may train its models on Customer Data."]
    no_match: ["Supplier shall not train models."]
  - id: data.no-training/t
    term: data.no-training
    frames: ["t-vendor ..3 t-not ..3 t-train ..6 t-model"]
    match: ["Supplier shall not train models on Customer Data."]
  - id: liab.cap.vendor-low/t
    term: liab.cap.vendor-low
    frames: ["t-cap ..6 t-limit"]
    match: ["Supplier's liability under this agreement is limited to $100."]
YAML
printf '%s\n' "$secret" >"$t/secret"
chmod 600 "$t/secret"

agreement() { # agreement NAME [SENTENCE]...: a whole small agreement on standard output
	local name=$1
	shift
	printf '# Services Agreement of %s\n\n1. Services\n\nSupplier provides the services.\n\n' "$name"
	printf '2. Fees\n\nCustomer pays the fees within thirty days after the invoice.\n\n'
	for sentence in "$@"; do
		printf '%s\n\n' "$sentence"
	done
	printf '9. General\n\nThis agreement is governed by the laws of the State of New York.\n'
}
PROTECT='3. Data. Supplier shall not train models on Customer Data.'
GRANT='3. Data. Supplier may train its models on Customer Data.'
CAP="4. Limit. Supplier's liability under this agreement is limited to \$100."
