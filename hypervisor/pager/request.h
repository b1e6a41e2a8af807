/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parsing and checking of requests: pure functions on (buf, len, nfds). */
#ifndef VMFORK_PAGER_REQUEST_H
#define VMFORK_PAGER_REQUEST_H

#include <stddef.h>

#include "pager_proto.h"

/** REQUEST_PAGES_MAX - largest RAM that is taken: 4 TiB. */
#define REQUEST_PAGES_MAX	(1ULL << 30)

/** request_seq() - the sequence number to answer with; 0 if there is none. */
uint32_t request_seq(const void *buf, size_t len);

/**
 * request_parse() - check one message and copy it out.
 * @nfds:	how many descriptors came with it
 * Return: 0; -EINVAL for a wrong size, number, address, slot or count of
 * descriptors; -EOPNOTSUPP for an op, source or flag that is not known.
 * @ret_req is untouched on failure.
 */
int request_parse(const void *buf, size_t len, unsigned int nfds, struct pager_req *ret_req);

#endif /* VMFORK_PAGER_REQUEST_H */
