#include "alert/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define V4(a, b, c, d, n)                                                                          \
	{                                                                                          \
		{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d } }, 96 + (n)             \
	}
#define V6(n, ...)                                                                                 \
	{                                                                                          \
		{ { __VA_ARGS__ } }, n                                                             \
	}

/* IANA's special-purpose registries, and multicast. */
static const struct cw_net private_nets[] = {
	V4(0, 0, 0, 0, 8), /* this network */
	V4(10, 0, 0, 0, 8), /* private */
	V4(100, 64, 0, 0, 10), /* carrier NAT */
	V4(127, 0, 0, 0, 8), /* loopback */
	V4(169, 254, 0, 0, 16), /* link-local, cloud metadata */
	V4(172, 16, 0, 0, 12), /* private */
	V4(192, 0, 0, 0, 24), /* protocol assignments */
	V4(192, 0, 2, 0, 24), /* documentation */
	V4(192, 88, 99, 0, 24), /* 6to4 relay */
	V4(192, 168, 0, 0, 16), /* private */
	V4(198, 18, 0, 0, 15), /* benchmarking */
	V4(198, 51, 100, 0, 24), /* documentation */
	V4(203, 0, 113, 0, 24), /* documentation */
	V4(224, 0, 0, 0, 4), /* multicast */
	V4(240, 0, 0, 0, 4), /* reserved, broadcast */
	V6(96, 0), /* unspecified, loopback, IPv4-compatible */
	V6(48, 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01), /* local NAT64 */
	V6(64, 0x01), /* discard */
	V6(23, 0x20, 0x01, 0x00), /* Teredo and other assignments */
	V6(32, 0x20, 0x01, 0x0d, 0xb8), /* documentation */
	V6(16, 0x20, 0x02), /* 6to4 */
	V6(20, 0x3f, 0xff), /* documentation */
	V6(7, 0xfc), /* unique local */
	V6(10, 0xfe, 0x80), /* link-local */
	V6(10, 0xfe, 0xc0), /* site-local */
	V6(8, 0xff), /* multicast */
};

static const struct cw_net mapped = V4(0, 0, 0, 0, 0);
static const struct cw_net nat64 = V6(96, 0x00, 0x64, 0xff, 0x9b);
static const struct cw_net loopback_v4 = V4(127, 0, 0, 0, 8);
static const struct cw_net loopback_v6 = { .addr.b[15] = 1, .bits = 128 };

static void from_v4(const void *four, struct cw_addr *out)
{
	static const unsigned char prefix[12] = { [10] = 0xff, [11] = 0xff };

	memcpy(out->b, prefix, sizeof(prefix));
	memcpy(out->b + 12, four, 4);
}

bool cw_addr_from(const struct sockaddr *sa, struct cw_addr *out)
{
	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, sa, sizeof(in));
		from_v4(&in.sin_addr, out);
		return true;
	}
	if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, sa, sizeof(in6));
		memcpy(out->b, &in6.sin6_addr, sizeof(out->b));
		return true;
	}
	return false;
}

bool cw_addr_parse(const char *text, struct cw_addr *out)
{
	char host[INET6_ADDRSTRLEN];
	size_t len = strcspn(text, "%");
	unsigned char four[4];

	if (len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	if (inet_pton(AF_INET, host, four) == 1) {
		from_v4(four, out);
		return true;
	}
	return inet_pton(AF_INET6, host, out->b) == 1;
}

void cw_addr_text(const struct cw_addr *addr, char *out, size_t size)
{
	bool v4 = cw_net_has(&mapped, addr);
	const char *text =
		inet_ntop(v4 ? AF_INET : AF_INET6, addr->b + (v4 ? 12 : 0), out, (socklen_t)size);

	if (!text)
		(void)snprintf(out, size, "?");
}

int cw_net_parse(const char *text, struct cw_net *out, struct cw_error *err)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	char host[INET6_ADDRSTRLEN];
	struct cw_net net = { .bits = 128 };

	if (len >= sizeof(host))
		return cw_fail(err, CW_EINVAL, "'%s' is no address", text);
	memcpy(host, text, len);
	host[len] = '\0';
	if (strchr(host, '%') || !cw_addr_parse(host, &net.addr))
		return cw_fail(err, CW_EINVAL, "'%s' is no address", text);
	if (slash) {
		unsigned most = strchr(host, ':') ? 128 : 32;
		size_t digits = strspn(slash + 1, "0123456789");
		unsigned long bits = strtoul(slash + 1, NULL, 10);
		if (digits == 0 || digits > 3 || slash[1 + digits] || bits > most)
			return cw_fail(err, CW_EINVAL, "'%s': the prefix is not 0 to %u", text,
				       most);
		net.bits = (unsigned)bits + 128 - most;
	}
	*out = net;
	return CW_OK;
}

bool cw_net_has(const struct cw_net *net, const struct cw_addr *addr)
{
	unsigned whole = net->bits / 8, rest = net->bits % 8;

	if (memcmp(net->addr.b, addr->b, whole) != 0)
		return false;
	return rest == 0 || (net->addr.b[whole] ^ addr->b[whole]) >> (8 - rest) == 0;
}

bool cw_addr_private(const struct cw_addr *addr)
{
	struct cw_addr plain = *addr;

	/* Where only IPv6 is routed every IPv4 address looks like this; what counts is inside. */
	if (cw_net_has(&nat64, addr))
		from_v4(addr->b + 12, &plain);
	for (size_t i = 0; i < COUNT(private_nets); i++) {
		if (cw_net_has(&private_nets[i], &plain))
			return true;
	}
	return false;
}

bool cw_addr_loopback(const struct cw_addr *addr)
{
	return cw_net_has(&loopback_v4, addr) || cw_net_has(&loopback_v6, addr);
}

bool cw_host_loopback(const char *host)
{
	char bare[INET6_ADDRSTRLEN];
	size_t len = strlen(host);
	struct cw_addr addr;

	if (strcasecmp(host, "localhost") == 0)
		return true;
	if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	}
	if (len >= sizeof(bare))
		return false;
	memcpy(bare, host, len);
	bare[len] = '\0';
	return cw_addr_parse(bare, &addr) && cw_addr_loopback(&addr);
}
