# SPDX-License-Identifier: GPL-2.0-or-later
PAGER_TEST := selftests/host/pager
$(call program,vmfork-pager-bench,$(addprefix $(PAGER_TEST)/,bench.c pgclient.c) $(LIB_SRCS),,)
