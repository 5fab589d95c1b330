/** @file
 * Which network addresses a webhook may go to.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "clausewatch/error.h"

/** An IPv6 address; IPv4 as ::ffff:a.b.c.d, so that both forms of it are one. */
struct cw_addr {
	unsigned char b[16];
};

struct cw_net {
	struct cw_addr addr;
	unsigned bits;
};

/** false for a family that is neither IPv4 nor IPv6. */
bool cw_addr_from(const struct sockaddr *sa, struct cw_addr *out);
/** A literal address, a %zone ignored. */
bool cw_addr_parse(const char *text, struct cw_addr *out);
/** As people write it. */
void cw_addr_text(const struct cw_addr *addr, char *out, size_t size);
/** "10.1.0.0/16", "fd00::/8" or a single address. */
int cw_net_parse(const char *text, struct cw_net *out, struct cw_error *err);
bool cw_net_has(const struct cw_net *net, const struct cw_addr *addr);
/** Not an address of the public internet: private, local, reserved, multicast, a tunnel to such. */
bool cw_addr_private(const struct cw_addr *addr);
bool cw_addr_loopback(const struct cw_addr *addr);
/** "localhost" or a literal loopback address, as a URL has it ("[::1]"). */
bool cw_host_loopback(const char *host);
