/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a new control role must know: state.json in the runtime directory. */
#ifndef VMFORKD_STATE_H
#define VMFORKD_STATE_H

#include <jansson.h>

/** state_changed() - write the file soon. */
void state_changed(void);
/** state_save_now() - write it before going on. */
void state_save_now(void);
void state_save_if_changed(void);
/** state_load() - read it and take the machines over (adopt.h). -ENOENT: none there. */
int state_load(void);
/** state_done() - orderly end: the file goes. */
void state_done(void);

/* state_json.c */
struct vm;
struct ticket;
struct checkpoint;

json_t *vm_to_json(const struct vm *vm);
json_t *ticket_to_json(const struct ticket *t);
json_t *checkpoint_to_json(const struct checkpoint *cp);
/* NULL: not a description that one of the above made */
struct vm *vm_from_json(json_t *o);
struct ticket *ticket_from_json(json_t *o);
struct checkpoint *checkpoint_from_json(json_t *o);

#endif /* VMFORKD_STATE_H */
