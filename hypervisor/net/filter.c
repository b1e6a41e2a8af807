// SPDX-License-Identifier: GPL-2.0-or-later
/* What may pass a family's bridge: rules of nftables. */
#include "filter.h"

#include <errno.h>
#include <nftables/libnftables.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "util.h"

/*
 * A machine that is shut has its tap down; who still uses its parent's addresses is not
 * heard. 0.0.0.0 is what DHCP and the probe for a taken address begin with.
 */
static const char bridge_chain[] =
" chain prerouting {\n"
"  type filter hook prerouting priority -300; policy accept;\n"
"  iifname != \"%1$s*\" accept\n"
"  ether type arp iifname . arp saddr ether . arp saddr ip @members"
" iifname . ether saddr . arp saddr ip @members accept\n"
"  ether type ip udp sport 67 counter drop\n"
"  ether type ip ip saddr 0.0.0.0 udp dport != 67 counter drop\n"
"  ether type ip ip saddr 0.0.0.0 meta l4proto != udp counter drop\n"
"  ether type ip iifname . ether saddr . ip saddr @members accept\n"
"  counter drop\n"
" }\n";

static const char isolation_chain[] =
" chain forward {\n"
"  type filter hook forward priority 0; policy accept;\n"
"  iifname \"%1$s*\" oifname \"%1$s*\" counter drop\n"
" }\n";

/* Bridged packets come by in "forward" too where bridge-nf-call-iptables is on. */
static const char ip_table[] =
"table ip %1$s {\n"
" chain input {\n"
"  type filter hook input priority 0; policy accept;\n"
"  iifname != \"%1$s\" accept\n"
"  ct state established,related accept\n"
"  ip daddr { %2$s, 255.255.255.255 } udp dport { 53, 67 } accept\n"
"  ip daddr %2$s tcp dport 53 accept\n"
"  ip daddr %2$s icmp type echo-request accept\n"
"  counter drop\n"
" }\n"
" chain forward {\n"
"  type filter hook forward priority 0; policy accept;\n"
"  iifname \"%1$s\" oifname \"%1$s\" accept\n"
"  iifname \"%1$s\" oifname \"vfb*\" counter drop\n"
"  iifname \"%1$s\" ip saddr != %3$s/%4$d counter drop\n"
"  iifname \"%1$s\" accept\n"
"  oifname != \"%1$s\" accept\n"
"  ct state established,related accept\n"
"  counter drop\n"
" }\n"
" chain postrouting {\n"
"  type nat hook postrouting priority 100; policy accept;\n"
"  ip saddr %3$s/%4$d oifname != \"%1$s\" masquerade\n"
" }\n"
"}\n";

static const char uplink_table[] =
"table ip vmfork-%1$s {\n"
" chain forward {\n"
"  type filter hook forward priority 0; policy accept;\n"
"  iifname \"%1$s\" oifname != \"vfb*\" counter drop\n"
" }\n"
"}\n";

static struct nft_ctx *nft;

static int ready(void)
{
	if (nft)
		return 0;
	nft = nft_ctx_new(NFT_CTX_DEFAULT);
	if (!nft)
		return -ENOMEM;
	nft_ctx_buffer_error(nft);
	nft_ctx_buffer_output(nft);
	return 0;
}

void filter_close(void)
{
	if (nft)
		nft_ctx_free(nft);
	nft = NULL;
}

static int run(const char *commands)
{
	const char *said;
	int r = ready();

	if (r < 0)
		return r;
	if (nft_run_cmd_from_buffer(nft, commands) == 0)
		return 0;
	said = nft_ctx_get_error_buffer(nft);
	log_err("nftables: %.*s", (int)strcspn(said, "\n"), said);
	return -EIO;
}

static int runf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static int runf(const char *fmt, ...)
{
	_cleanup_free_ char *commands = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&commands, fmt, ap);
	va_end(ap);
	return n < 0 ? -ENOMEM : run(commands);
}

/* Every tap that there can be, with its addresses. */
static void write_members(FILE *out, const struct filter_family *f)
{
	char m[NET_MAC_STRLEN], a[NET_ADDRESS_STRLEN];
	uint8_t mac[NET_MAC_LEN];

	fputs(" set members {\n  type ifname . ether_addr . ipv4_addr\n  elements = { ", out);
	for (unsigned int i = 0; i <= NET_INDEX_MAX; i++) {
		net_mac(f->family, i, mac);
		net_mac_str(mac, m);
		net_address_str(net_address(f->subnet, i), a);
		fprintf(out, "%s\"%s%u\" . %s . %s, \"%s%u\" . %s . 0.0.0.0", i ? ", " : "",
			f->taps, i, m, a, f->taps, i, m);
	}
	fputs(" }\n }\n", out);
}

char *filter_rules(const struct filter_family *f)
{
	char gateway[NET_ADDRESS_STRLEN], subnet[NET_ADDRESS_STRLEN], *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	fprintf(out, "table bridge %s {\n", f->name);
	write_members(out, f);
	fprintf(out, bridge_chain, f->taps);
	if (f->isolated)
		fprintf(out, isolation_chain, f->taps);
	fputs("}\n", out);
	fprintf(out, ip_table, f->name, net_address_str(net_gateway(f->subnet), gateway),
		net_address_str(f->subnet, subnet), NET_SUBNET_PREFIX);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

int filter_add(const struct filter_family *f)
{
	_cleanup_free_ char *rules = filter_rules(f);

	return rules ? run(rules) : -ENOMEM;
}

/* "add" first, so that it is no error if the table is not there. */
int filter_del(const char *name)
{
	return runf("add table bridge %1$s\ndelete table bridge %1$s\n"
		    "add table ip %1$s\ndelete table ip %1$s\n", name);
}

int filter_add_uplink(const char *uplink)
{
	return runf(uplink_table, uplink);
}

int filter_del_uplink(const char *uplink)
{
	return runf("add table ip vmfork-%1$s\ndelete table ip vmfork-%1$s\n", uplink);
}
