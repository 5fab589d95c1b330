#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "clausewatch/config.h"
#include "clausewatch/file.h"
#include "config/config.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static struct cw_config *parse(const char *text)
{
	struct cw_config *cfg = NULL;
	struct cw_error err = { 0 };

	if (cw_config_parse("t.yaml", text, strlen(text), &cfg, &err) != CW_OK)
		fail_msg("%s", err.msg);
	return cfg;
}

static void test_defaults(void **state)
{
	static const char *const empties[] = { "", "# nothing\n", "log:\nsources:\nterms:\n", "~" };

	(void)state;
	for (size_t i = 0; i < COUNT(empties); i++) {
		struct cw_config *cfg = parse(empties[i]);

		assert_string_equal(cfg->state_dir, "/var/lib/clausewatch");
		assert_string_equal(cfg->socket, "/run/clausewatch/control.sock");
		assert_string_equal(cfg->legacy_before, "2022-11-30");
		assert_int_equal(cfg->rules.count, 0);
		assert_int_equal(cfg->log.level, CW_LOG_INFO);
		assert_int_equal(cfg->log.format, CW_LOG_AUTO);
		assert_int_equal(cfg->watch.settle, 400);
		assert_int_equal(cfg->watch.settle_max, 5000);
		assert_int_equal(cfg->watch.reconcile, 6 * 3600 * 1000);
		assert_int_equal(cfg->watch.max_file_size, 64 << 20);
		assert_true(cfg->watch.jobs >= 1);
		assert_int_equal(cfg->alerts.min_severity, CW_MEDIUM);
		assert_int_equal(cfg->alerts.first_scan, CW_FIRST_SUMMARY);
		assert_int_equal(cfg->alerts.group_window, 30000);
		assert_int_equal(cfg->hook.fail_on, CW_HIGH);
		assert_int_equal(cfg->hook.timeout, 4500);
		assert_int_equal(cfg->hook.on_timeout, CW_POLICY_REJECT);
		assert_int_equal(cfg->nsources + cfg->nchannels + cfg->nterms, 0);
		cw_config_free(cfg);
	}
	cw_config_free(NULL);
}

static const char whole[] =
	"state_dir: /data/state/\n"
	"runtime_dir: /data/run\n"
	"rules: [/data/rules, /more]\n"
	"legacy_before: 2020-01-31\n"
	"log: { level: warning, format: json }\n"
	"sources:\n"
	"  - name: legal\n"
	"    folder: /srv/a folder/\n"
	"    include: '**/*.md'\n"
	"    exclude: [drafts/**]\n"
	"    poll: always\n"
	"    poll_interval: 1m\n"
	"  - name: git\n"
	"    repository: /srv/git\n"
	"    paths: [contracts/**]\n"
	"    trust_owner: yes\n"
	"    web_url: https://git.example.com/{commit}/{path}#L{line}\n"
	"watch: { settle: 1s, settle_max: 1m30s, jobs: 3, max_file_size: 1MiB }\n"
	"alerts: { min_severity: low, first_scan: none }\n"
	"channels:\n"
	"  - name: team\n"
	"    url: https://example.com/hook/T0/x\n"
	"    secret_files: [/etc/new, 'credential:old']\n"
	"    include_text: true\n"
	"    min_severity: critical\n"
	"    types: [risk.*, dev.clausewatch.protection.lost]\n"
	"    sources: [legal]\n"
	"    timeout: 20s\n"
	"    allow_private: [10.0.0.0/8, 'fd00::7', 192.168.1.1]\n"
	"    retry: [0, 1s]\n"
	"  - name: chat\n"
	"    enabled: false\n"
	"    format: slack\n"
	"    url_file: credential:chat\n"
	"    max_attempts: 3\n"
	"  - name: local\n"
	"    url: http://127.0.0.1:8080\n"
	"    secret_file: /etc/s\n"
	"terms:\n"
	"  data.*: { severity: low }\n"
	"  data.training-grant: { severity: critical, mode: block }\n"
	"hook: { on_timeout: accept, max_findings: 5 }\n";

static void test_whole(void **state)
{
	struct cw_config *cfg = parse(whole);
	const struct cw_config_source *legal = &cfg->sources[0], *git = &cfg->sources[1];
	const struct cw_config_channel *team = &cfg->channels[0], *chat = &cfg->channels[1];

	(void)state;
	assert_string_equal(cfg->state_dir, "/data/state");
	assert_string_equal(cfg->socket, "/data/run/control.sock");
	assert_int_equal(cfg->rules.count, 2);
	assert_string_equal(cfg->rules.items[1], "/more");
	assert_null(cfg->rules.items[2]);
	assert_int_equal(cfg->log.level, CW_LOG_WARNING);
	assert_int_equal(cfg->log.format, CW_LOG_JSON);
	assert_int_equal(cfg->watch.settle_max, 90000);
	assert_int_equal(cfg->watch.jobs, 3);
	assert_int_equal(cfg->hook.on_timeout, CW_POLICY_ACCEPT);

	assert_int_equal(cfg->nsources, 2);
	assert_string_equal(legal->folder, "/srv/a folder");
	assert_null(legal->repository);
	assert_string_equal(legal->include.items[0], "**/*.md");
	assert_int_equal(legal->poll, CW_POLL_ALWAYS);
	assert_int_equal(legal->poll_interval, 60000);
	assert_string_equal(git->repository, "/srv/git");
	assert_string_equal(git->refs.items[0], "refs/heads/*");
	assert_true(git->trust_owner);
	assert_int_equal(git->poll_interval, 30000);

	assert_int_equal(cfg->nchannels, 3);
	assert_int_equal(team->secret_files.count, 2);
	assert_string_equal(team->secret_files.items[1], "credential:old");
	assert_int_equal(team->min_severity, CW_CRITICAL);
	assert_true(team->include_text && team->enabled);
	assert_int_equal(team->retry.count, 2);
	assert_int_equal(team->max_attempts, 2);
	assert_int_equal(chat->format, CW_CHANNEL_SLACK);
	assert_int_equal(chat->min_severity, -1);
	assert_int_equal(chat->max_attempts, 3);
	assert_int_equal(chat->retry.count, 10);
	assert_int_equal(chat->retry.items[9], 24 * 3600 * 1000);
	assert_false(chat->enabled);
	cw_config_free(cfg);
}

static void test_terms(void **state)
{
	struct cw_config *cfg = parse(whole);
	int severity = CW_HIGH, mode = CW_MODE_WARN;

	(void)state;
	cw_config_term(cfg, "liab.cap", &severity, &mode);
	assert_int_equal(severity, CW_HIGH);
	cw_config_term(cfg, "data.resale", &severity, &mode);
	assert_int_equal(severity, CW_LOW);
	assert_int_equal(mode, CW_MODE_WARN);
	cw_config_term(cfg, "data.training-grant", &severity, &mode);
	assert_int_equal(severity, CW_CRITICAL);
	assert_int_equal(mode, CW_MODE_BLOCK);
	cw_config_free(cfg);
}

#define CHANNEL "channels:\n  - name: c\n    url: https://h.example/\n    secret_file: /s\n"

static const struct {
	const char *text, *msg;
} bad[] = {
	{ "- a\n", "t.yaml:1:1: expected a map, found a list" },
	{ "alert: {}\n", "t.yaml:1:1: unknown key 'alert', did you mean 'alerts'?" },
	{ "log:\n  levl: info\n", "t.yaml:2:3: unknown key 'levl', did you mean 'level'?" },
	{ "log:\n  level: inof\n", "t.yaml:2:10: unknown level 'inof', did you mean 'info'?" },
	{ "log: info\n", "t.yaml:1:6: expected a map, found text" },
	{ "log:\n  level:\n", "t.yaml:2:9: expected text, found nothing" },
	{ "state_dir: lib\n", "t.yaml:1:12: state_dir: 'lib' is not an absolute path" },
	{ "rules: [/a, b]\n", "t.yaml:1:13: rules: 'b' is not an absolute path" },
	{ "legacy_before: 30.11.2022\n",
	  "t.yaml:1:16: expected a date as YYYY-MM-DD, found '30.11.2022'" },
	{ "watch: { settle: 5 }\n",
	  "t.yaml:1:18: expected a duration such as 500ms, 30s, 5m, 4h or 7d, found '5'" },
	{ "watch: { settle: 2h }\n",
	  "t.yaml:1:18: settle: 2h is out of range, 0 to 1m is allowed" },
	{ "watch: { settle: 10s }\n", "t.yaml:1:18: settle_max is shorter than settle" },
	{ "watch: { max_file_size: 10 }\n",
	  "t.yaml:1:25: max_file_size: 10 is out of range, 1KiB to 1GiB is allowed" },
	{ "watch: { jobs: -1 }\n", "t.yaml:1:16: jobs: -1 is out of range, 0 to 256 is allowed" },
	{ "alerts: { min_severity: urgent }\n",
	  "t.yaml:1:25: unknown min_severity 'urgent', known: info, low, medium, high, critical" },
	{ "hook: { on_timeout: allow }\n",
	  "t.yaml:1:21: unknown on_timeout 'allow', known: reject, accept" },
	{ "log: {}\nlog: {}\n", "t.yaml:2:1: key 'log' is already on line 1" },
	{ "runtime_dir: /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaa\n",
	  "t.yaml:1:14: the path of the control socket is longer than 107 bytes" },

	{ "sources: {}\n", "t.yaml:1:10: expected a list, found a map" },
	{ "sources: [a]\n", "t.yaml:1:11: expected a map, found text" },
	{ "sources:\n  - folder: /a\n", "t.yaml:2:5: a source needs a name" },
	{ "sources:\n  - name: A b\n    folder: /a\n",
	  "t.yaml:2:11: name: 'A b' is no name, 1 to 64 of a-z, 0-9, '.', '_' and '-' are" },
	{ "sources:\n  - name: a\n", "t.yaml:2:5: source 'a' needs a folder or a repository" },
	{ "sources:\n  - name: a\n    folder: /a\n    repository: /b\n",
	  "t.yaml:2:5: source 'a' has both a folder and a repository" },
	{ "sources:\n  - name: a\n    repository: /b\n    poll: never\n",
	  "t.yaml:4:11: 'poll' is for a folder, source 'a' is a repository" },
	{ "sources:\n  - name: a\n    folder: /b\n    refs: [x]\n",
	  "t.yaml:4:11: 'refs' is for a repository, source 'a' is a folder" },
	{ "sources:\n  - name: a\n    repository: /b\n    refs: []\n",
	  "t.yaml:4:11: source 'a' has no reference to watch" },
	{ "sources:\n  - name: a\n    folder: /a\n  - name: a\n    folder: /b\n",
	  "t.yaml:4:11: source 'a' is already on line 2" },
	{ "sources:\n  - name: a\n    folder: /a\n  - name: b\n    folder: /a/\n",
	  "t.yaml:5:13: '/a' is already the folder of source 'a'" },
	{ "sources:\n  - name: a\n    folder: /a\n    include: ['[a']\n",
	  "t.yaml:4:15: include: pattern '[a' has no ']'" },
	{ "sources:\n  - name: a\n    folder: /a\n    foldr: /a\n",
	  "t.yaml:4:5: unknown key 'foldr', did you mean 'folder'?" },
	{ "sources:\n  - name: a\n    repository: /a\n    web_url: https://x/{comit}\n",
	  "t.yaml:4:14: web_url: unknown {comit}, did you mean {commit}?" },
	{ "sources:\n  - name: a\n    repository: /a\n    web_url: https://x/{\n",
	  "t.yaml:4:14: web_url: '{' is no placeholder, {commit}, {path} and {line} are" },
	{ "sources:\n  - name: a\n    repository: /a\n    web_url: ftp://x\n",
	  "t.yaml:4:14: web_url: 'ftp://x' is no http or https address" },

	{ "channels:\n  - name: c\n    secret_file: /s\n", "t.yaml:2:5: channel 'c' needs a url" },
	{ "channels:\n  - name: c\n    url: https://h.example/\n",
	  "t.yaml:2:5: channel 'c' needs a secret_file, its webhooks are signed" },
	{ CHANNEL "    url_file: /u\n", "t.yaml:5:15: channel 'c' has both url and url_file" },
	{ CHANNEL "    secret_files: [/a]\n",
	  "t.yaml:4:18: 'secret_file' and 'secret_files' mean the same, give one" },
	{ CHANNEL "    secret: whsec_abc\n",
	  "t.yaml:5:13: 'secret': secrets are never written here; put it into a file and name "
	  "that with secret_file" },
	{ "channels:\n  - name: c\n    url: https://h.example/\n    secret_file: whsec_abc\n",
	  "t.yaml:4:18: secret_file: a secret is never written here, only the file that holds "
	  "it" },
	{ "channels:\n  - name: c\n    url: https://h.example/\n    secret_file: hunter2\n",
	  "t.yaml:4:18: secret_file: expected an absolute path or credential:NAME" },
	{ "channels:\n  - name: c\n    url: https://h.example/\n    secret_file: credential:../x\n",
	  "t.yaml:4:18: secret_file: expected an absolute path or credential:NAME" },
	{ "channels:\n  - name: c\n    url: http://h.example/a\n    secret_file: /s\n",
	  "t.yaml:3:10: url: 'http' to 'h.example'; only https is allowed, and http to "
	  "localhost" },
	{ "channels:\n  - name: c\n    url: http://127.0.0.1.example/\n    secret_file: /s\n",
	  "t.yaml:3:10: url: 'http' to '127.0.0.1.example'; only https is allowed, and http to "
	  "localhost" },
	{ "channels:\n  - name: c\n    url: https://u:hunter2@h.example/\n    secret_file: /s\n",
	  "t.yaml:3:10: url: a user name or password does not belong here" },
	{ CHANNEL "    types: [risk.apeared]\n",
	  "t.yaml:5:13: types: unknown event type 'risk.apeared', did you mean "
	  "'risk.appeared'?" },
	{ CHANNEL "    types: [clause.*]\n",
	  "t.yaml:5:13: types: no event type matches 'clause.*'" },
	{ CHANNEL "    sources: [legl]\nsources: [{ name: legal, folder: /a }]\n",
	  "t.yaml:5:14: unknown source 'legl', did you mean 'legal'?" },
	{ CHANNEL "    sources: [other]\n", "t.yaml:5:14: there is no source 'other'" },
	{ CHANNEL "    allow_private: [10.0.0.0/33]\n",
	  "t.yaml:5:21: allow_private: '10.0.0.0/33': the prefix has 0 to 32 bits" },
	{ CHANNEL "    allow_private: [intranet]\n",
	  "t.yaml:5:21: allow_private: 'intranet' is no network such as 10.1.2.0/24" },
	{ CHANNEL "    retry: [5s]\n",
	  "t.yaml:5:12: the first attempt is made at once, so retry begins with 0" },
	{ CHANNEL "    retry: []\n",
	  "t.yaml:5:12: the first attempt is made at once, so retry begins with 0" },
	{ CHANNEL "    retry: [0, 8d]\n",
	  "t.yaml:5:16: retry: 8d is out of range, 0 to 7d is allowed" },
	{ CHANNEL "    max_attempts: 0\n",
	  "t.yaml:5:19: max_attempts: 0 is out of range, 1 to 100 is allowed" },
	{ CHANNEL "  - name: c\n", "t.yaml:5:11: channel 'c' is already on line 2" },

	{ "terms: [a]\n", "t.yaml:1:8: expected a map, found a list" },
	{ "terms: { a: { mode: block, sev: low } }\n",
	  "t.yaml:1:28: unknown key 'sev', known: severity, mode" },
	{ "terms: { a: { mode: blok } }\n",
	  "t.yaml:1:21: unknown mode 'blok', did you mean 'block'?" },
	{ "terms: { 'a[': { mode: off } }\n", "t.yaml:1:10: pattern 'a[' has no ']'" },
	{ "terms: { a: {} }\n", "t.yaml:1:10: term 'a' has no severity and no mode" },
	{ "terms: { a: off }\n", "t.yaml:1:13: expected a map, found text" },
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct cw_config *cfg = NULL;
		struct cw_error err = { 0 };
		int ret = cw_config_parse("t.yaml", bad[i].text, strlen(bad[i].text), &cfg, &err);

		assert_string_equal(err.msg, bad[i].msg);
		assert_int_equal(ret, CW_EINVAL);
		assert_null(cfg);
	}
}

static const char *const good_urls[] = {
	"https://h.example",       "https://h.example:8443/a?b=c",
	"http://localhost:8080/x", "http://127.0.0.9/",
	"http://[::1]:80/",        "HTTPS://H.example/",
};

static void test_urls(void **state)
{
	static const char *const refused[] = { "",
					       "h.example",
					       "https://",
					       "ftp://h/",
					       "http://h/",
					       "http://[::2]/",
					       "file:///etc",
					       "https://a b/",
					       "http://128.0.0.1/",
					       "https:/h.example",
					       "https:///h.example" };

	(void)state;
	for (size_t i = 0; i < COUNT(good_urls); i++)
		assert_int_equal(cw_check_url(good_urls[i], NULL), CW_OK);
	for (size_t i = 0; i < COUNT(refused); i++)
		assert_int_equal(cw_check_url(refused[i], NULL), CW_EINVAL);
}

/** What config show says without saying where from. */
static char *shown(const struct cw_config *cfg)
{
	struct cw_buf out = { 0 }, bare = { 0 };

	cw_config_show(cfg, &out);
	for (const char *line = cw_buf_str(&out); *line;) {
		size_t len = strcspn(line, "\n");
		const char *origin = memmem(line, len, " # ", 3);

		cw_buf_put(&bare, line, origin ? (size_t)(origin - line) : len);
		cw_buf_putc(&bare, '\n');
		line += len + 1;
	}
	cw_buf_release(&out);
	return cw_buf_take(&bare);
}

static void test_show_means_the_same(void **state)
{
	struct cw_config *cfg = parse(whole);
	char *first = shown(cfg);
	struct cw_config *again = parse(first);
	char *second = shown(again);

	(void)state;
	assert_string_equal(first, second);
	assert_non_null(strstr(first, "    url: \"https://example.com/***\"\n"));
	assert_null(strstr(first, "T0"));
	assert_non_null(strstr(first, "\n  - name: legal\n    folder: \"/srv/a folder\"\n"));
	assert_non_null(strstr(first, "\n    retry: [0, 1s]\n"));
	assert_non_null(strstr(first, "\n  \"data.*\":\n    severity: low\n"));
	assert_non_null(strstr(first, "\n  settle_max: 90s\n"));
	assert_int_equal(again->nchannels, 3);
	assert_int_equal(again->channels[0].secret_files.count, 2);
	free(first);
	free(second);
	cw_config_free(cfg);
	cw_config_free(again);
}

static void write_file(const char *dir, const char *name, const char *text, mode_t mode)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static int make_dir(void **state)
{
	char name[] = "/tmp/cw-test-config-XXXXXX";

	*state = mkdtemp(name) ? strdup(name) : NULL;
	return *state ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -r '%s'", (char *)*state);
	free(*state);
	return system(command);
}

static void test_files(void **state)
{
	const char *dir = *state;
	char path[128], conf_d[128], want[512];
	struct cw_config *cfg = NULL;
	struct cw_error err = { 0 };

	(void)snprintf(path, sizeof(path), "%s/clausewatch.yaml", dir);
	(void)snprintf(conf_d, sizeof(conf_d), "%s/conf.d", dir);
	assert_int_equal(cw_config_load(path, &cfg, &err), CW_ENOTFOUND);
	(void)snprintf(want, sizeof(want), "%s: No such file or directory", path);
	assert_string_equal(err.msg, want);
	assert_int_equal(cw_config_load(dir, &cfg, &err), CW_EINVAL);

	write_file(dir, "clausewatch.yaml",
		   "log: { level: debug, format: json }\n" CHANNEL
		   "sources: [{ name: a, folder: /a }, { name: b, folder: /b }]\n"
		   "terms: { x: { mode: off }, y: { mode: off } }\n",
		   0600);
	assert_int_equal(mkdir(conf_d, 0700), 0);
	write_file(conf_d, "20-b.yaml",
		   "log:\n  level: error\nsources:\n  - { name: c, folder: /c }\n"
		   "channels:\n  - name: c\n    secret_files: [/new, /old]\n",
		   0600);
	write_file(conf_d, "10-a.yaml",
		   "log: { level: notice }\nsources:\n  - name: b\n    poll: never\n"
		   "terms: { x: { severity: low } }\n",
		   0600);
	write_file(conf_d, ".hidden.yaml", "nonsense", 0600);
	write_file(conf_d, "30.yaml~", "nonsense", 0600);

	if (cw_config_load(path, &cfg, &err) != CW_OK)
		fail_msg("%s", err.msg);
	assert_string_equal(cfg->path, path);
	assert_int_equal(cfg->log.level, CW_LOG_ERR);
	assert_int_equal(cfg->log.format, CW_LOG_JSON);
	assert_int_equal(cfg->nsources, 3);
	assert_string_equal(cfg->sources[1].folder, "/b");
	assert_int_equal(cfg->sources[1].poll, CW_POLL_NEVER);
	assert_string_equal(cfg->sources[2].name, "c");
	assert_int_equal(cfg->nterms, 2);
	assert_int_equal(cfg->terms[0].severity, CW_LOW);
	assert_int_equal(cfg->terms[0].mode, CW_MODE_OFF);
	assert_int_equal(cfg->channels[0].secret_files.count, 2);

	const struct cw_place *at = cw_config_where(cfg->where, "log", "level");
	(void)snprintf(want, sizeof(want), "%s/20-b.yaml", conf_d);
	assert_string_equal(at->file, want);
	assert_int_equal(at->line, 2);
	at = cw_config_where(cfg->channels[0].where, "channels", "secret_file");
	assert_string_equal(at->file, want);
	assert_string_equal(cfg->sources[1].at.file, path);
	assert_null(cw_config_where(cfg->where, "watch", "jobs")->file);
	assert_null(cw_config_where(cfg->where, "watch", "jbos"));
	cw_config_free(cfg);

	write_file(conf_d, "40.yml", "", 0600);
	cfg = NULL;
	assert_int_equal(cw_config_load(path, &cfg, &err), CW_EINVAL);
	(void)snprintf(want, sizeof(want), "%s/40.yml: only *.yaml is read, rename it", conf_d);
	assert_string_equal(err.msg, want);
	assert_null(cfg);
}

static const struct {
	const char *text;
	mode_t mode;
	int ret;
	const char *msg; /**< behind the path */
} secrets[] = {
	{ " whsec_abc\r\n", 0600, CW_OK, "whsec_abc" },
	{ "x", 0640, CW_OK, "x" },
	{ "hunter2", 0644, CW_EDENIED, ": everyone may read or change it (chmod o-rw)" },
	{ "\n", 0600, CW_EINVAL, ": empty" },
	{ "", 0600, CW_EINVAL, ": empty" },
};

static void test_secrets(void **state)
{
	const char *dir = *state;
	struct cw_error err = { 0 };
	char path[128], want[256], large[5000];

	(void)snprintf(path, sizeof(path), "%s/secret", dir);
	for (size_t i = 0; i < COUNT(secrets); i++) {
		struct cw_buf out = { 0 };

		write_file(dir, "secret", secrets[i].text, secrets[i].mode);
		assert_int_equal(cw_secret_read(path, &out, &err), secrets[i].ret);
		(void)snprintf(want, sizeof(want), "%s%s", path, secrets[i].msg);
		if (secrets[i].ret == CW_OK)
			assert_string_equal(cw_buf_str(&out), secrets[i].msg);
		else
			assert_string_equal(err.msg, want);
		cw_buf_release(&out);
	}

	struct cw_buf out = { 0 };
	memset(large, 'a', sizeof(large));
	large[sizeof(large) - 1] = '\0';
	write_file(dir, "secret", large, 0600);
	assert_int_equal(cw_secret_read(path, &out, &err), CW_EFULL);
	assert_int_equal(cw_secret_read("whsec_abc", &out, &err), CW_EINVAL);
	assert_null(strstr(err.msg, "abc"));

	unsetenv("CREDENTIALS_DIRECTORY");
	assert_int_equal(cw_secret_read("credential:secret", &out, &err), CW_ENOTFOUND);
	assert_string_equal(err.msg, "credential:secret: the service manager handed over no "
				     "credentials (LoadCredential=)");
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	write_file(dir, "secret", "from systemd", 0400);
	assert_int_equal(cw_secret_read("credential:secret", &out, &err), CW_OK);
	assert_string_equal(cw_buf_str(&out), "from systemd");
	cw_buf_release(&out);
}

static void check_row(void *ctx, const struct cw_option_info *option)
{
	size_t *rows = ctx;

	(*rows)++;
	assert_non_null(option->type);
	assert_non_null(cw_config_section_text(option->section));
	/* Sentences: the manual prints them as they are. */
	size_t len = strlen(option->manual);
	assert_int_equal(option->manual[len - 1], '.');
	if (strcmp(option->type, "word") == 0)
		assert_non_null(option->words);
	if (strcmp(option->name, "settle") == 0) {
		assert_string_equal(option->min, "0");
		assert_string_equal(option->max, "1m");
		assert_string_equal(option->def, "400ms");
	}
}

static void test_describe(void **state)
{
	size_t rows = 0;

	(void)state;
	cw_config_describe(check_row, &rows);
	assert_int_equal(rows, cw_noptions);
}

/** The example with every option switched on: '#' goes where no prose follows. */
static char *uncommented(const char *text)
{
	struct cw_buf out = { 0 };

	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n"), blank = strspn(line, " ");
		const char *hash = line + blank;
		bool option = *hash == '#' && hash[1] != '\n' && (hash[1] != ' ' || hash[2] == ' ');

		cw_buf_put(&out, line, blank);
		cw_buf_put(&out, hash + option, len - blank - option);
		cw_buf_putc(&out, '\n');
		line += len + 1;
	}
	return cw_buf_take(&out);
}

static void test_example(void **state)
{
	struct cw_buf text = { 0 };
	struct cw_error err = { 0 };

	(void)state;
	if (cw_file_read("config/clausewatch.yaml", 1 << 20, &text, NULL, &err) != CW_OK)
		fail_msg("%s", err.msg);
	struct cw_config *plain = parse(text.data);
	char *all = uncommented(text.data);
	struct cw_config *full = parse(all);

	assert_int_equal(plain->nsources, 0);
	assert_int_equal(full->nsources, 2);
	assert_int_equal(full->nchannels, 2);
	assert_int_equal(full->nterms, 2);
	/* What it shows as defaults are the defaults. */
	assert_string_equal(full->state_dir, plain->state_dir);
	assert_string_equal(full->socket, plain->socket);
	assert_string_equal(full->legacy_before, plain->legacy_before);
	assert_memory_equal(&full->log, &plain->log, sizeof(plain->log));
	assert_memory_equal(&full->watch, &plain->watch, sizeof(plain->watch));
	assert_memory_equal(&full->alerts, &plain->alerts, sizeof(plain->alerts));
	assert_memory_equal(&full->hook, &plain->hook, sizeof(plain->hook));
	for (size_t i = 0; i < cw_noptions; i++) {
		if (cw_options[i].words && cw_options[i].def)
			assert_non_null(strstr(text.data, cw_options[i].name));
	}
	free(all);
	cw_buf_release(&text);
	cw_config_free(plain);
	cw_config_free(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_terms),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_show_means_the_same),
		cmocka_unit_test_setup_teardown(test_files, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(test_secrets, make_dir, remove_dir),
		cmocka_unit_test(test_describe),
		cmocka_unit_test(test_example),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
