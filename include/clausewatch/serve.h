/** @file
 * The control socket: questions to the running daemon, answered in JSON lines.
 *
 * A client connects to the Unix socket, writes one object on one line, {"op":"status"}, and reads
 * lines until the connection ends: answers, each with "kind" first, then {"kind":"end"}; or
 * {"kind":"error","code":"...","message":"..."}.  Who may connect is the affair of the socket's
 * file permissions.  {"op":"follow"} ends only with the connection: events as they are committed,
 * from now on or "after" a sequence number or from "since_ms".  Operations are the rows of a table
 * in daemon/serve/requests.c.
 */
#pragma once

#include <uv.h>

#include "clausewatch/error.h"
#include "clausewatch/pipeline.h"

/** A request line longer than this is refused. */
#define CW_REQUEST_MAX ((size_t)4 << 20)
/** Connections at a time; one more is told "full". */
#define CW_SERVER_CLIENTS_MAX 64

struct cw_server;

/**
 * Listen.  Loop thread, as everything here.  A socket that a dead daemon left behind is replaced;
 * one that answers is CW_EDENIED.
 *
 * @param path  at most 107 bytes; its directory must exist
 * @param out   set only on success; close with cw_server_close()
 */
int cw_server_open(uv_loop_t *loop, const char *path, struct cw_pipeline *pipeline,
		   struct cw_server **out, struct cw_error *err);
/** Events were committed: those who follow get them. */
void cw_server_committed(struct cw_server *s);
/**
 * Stop listening, drop the clients, let running questions end; then closed(ctx) is called.  Before
 * the pipeline is closed.
 */
void cw_server_close(struct cw_server *s, void (*closed)(void *ctx), void *ctx);
