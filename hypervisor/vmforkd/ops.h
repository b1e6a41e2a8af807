/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The operations of the control socket: Documentation/control-protocol.md. */
#ifndef VMFORKD_OPS_H
#define VMFORKD_OPS_H

#include "server.h"
#include "vm.h"

/** struct member - one member that an operation knows. */
struct member {
	const char *name;
	json_type type;
	bool required;
};

/** ops_run() - check a request and begin what it asks for. */
void ops_run(struct request *q);
/** members_check() - pure: known ones only, of the right type, none missing. */
int members_check(const json_t *o, const struct member *known, char *why, size_t len);
/** config_parse() - pure: `config` of run -> struct vm_config; no machine: "". */
int config_parse(json_t *o, struct vm_config *ret, char *why, size_t len);
/** op_vm() - the VM named by member "vm"; NULL: the request was answered. */
struct vm *op_vm(struct request *q);
/** op_limits() - @o as in limits_parse(), and as can be had here. */
int op_limits(const json_t *o, struct limits *ret, char *why, size_t len);
int op_clones(struct request *q, unsigned int *ret_n);

void op_version(struct request *q);
void op_run(struct request *q);
void op_ps(struct request *q);
void op_stats(struct request *q);
void op_fork(struct request *q);
void op_checkpoint(struct request *q);
void op_checkpoint_rm(struct request *q);
void op_fill(struct request *q);
void op_clone(struct request *q);
void op_kill(struct request *q);
void op_console(struct request *q);
void op_wait(struct request *q);
void op_watch(struct request *q);
void op_shutdown(struct request *q);

/** control_shutdown() - end every VM, then the keeper. */
void control_shutdown(void);

#endif /* VMFORKD_OPS_H */
