# SPDX-License-Identifier: GPL-2.0-or-later
DEBGRAPH_SRCS := $(addprefix examples/debgraph/,index.c names.c graph.c closure.c result.c)

$(call guest_program,debgraph,$(DEBGRAPH_SRCS) examples/debgraph/main.c examples/debgraph/share.c \
	examples/debgraph/print.c $(LIBVMFORK_SRCS),,)
$(call unit_test,debgraph_test,$(DEBGRAPH_SRCS) examples/debgraph/test_debgraph.c,,)
