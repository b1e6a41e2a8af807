# SPDX-License-Identifier: GPL-2.0-or-later
# Static TAP programs that run inside a guest.
$(call guest_program,fork_test,selftests/guest/fork_test.c)
$(call guest_program,uapi_test,selftests/guest/uapi_test.c)
$(call guest_program,checkpoint_test,selftests/guest/checkpoint_test.c)
$(call guest_program,unbind_test,selftests/guest/unbind_test.c)
$(call guest_program,kill_test,selftests/guest/kill_test.c)
$(call guest_program,agent_test,selftests/guest/agent_test.c)
$(call guest_program,secret_test,selftests/guest/secret_test.c)
$(call guest_program,identity_test,selftests/guest/identity_test.c)
$(call guest_program,params_test,selftests/guest/params_test.c)
