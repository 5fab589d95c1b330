/** @file
 * A watched folder, for the files that look after it: pipeline_folder.c (what the watcher says, and
 * reading), pipeline_gone.c (removing) and pipeline_look.c (the first look).
 */
#pragma once

#include "pipeline.h"
#include "pipeline_known.h"

#define CW_RETRY_MS 2000
#define CW_PAGE 500

struct cw_task;

struct cw_task_queue {
	struct cw_task *head, **tail;
};

/** A path, or all that is below it, that may be gone. */
struct cw_gone {
	struct cw_gone *next;
	int64_t due_ms;
	bool sweep; /* a listing of prefix `path` ended; listed: what it saw */
	bool is_dir;
	uint64_t *listed;
	size_t nlisted;
	char path[];
};

struct cw_folder {
	void *tasks; /* tsearch() by path */
	size_t ntasks, running;
	struct cw_task_queue hot, cold; /* saved; listed */
	int64_t retry_ms; /* nothing starts before */
	struct cw_known known;
	size_t awaited; /* listed, and not yet reported as settled */
	struct cw_gone *gone, **gone_tail;
	bool loaded, watched, scanned, ending;
	uint64_t *listed;
	size_t nlisted, cap_listed;
};

void cw_gone_free(struct cw_gone *g);
/** Is this path of a folder a document that is asked for?  Any thread. */
bool cw_folder_wants(const struct cw_config_source *cfg, const char *path);
/** Find out which of f->gone are gone, and remove those.  Exclusive. */
void cw_folder_start_gone(struct cw_source *s);
/** Load what is known of the folder.  Exclusive. */
void cw_folder_start_look(struct cw_source *s);
/** Tell the summary of the first scan.  Exclusive. */
void cw_folder_start_end(struct cw_source *s);
