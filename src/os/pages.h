/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef OS_PAGES_H
#define OS_PAGES_H

/* The pages of memory that is mapped already, a process's own or shared. Linux alone has these. */

#include "os/os.h"

/* Whether @p flags ask for huge pages. */
bool os_wants_huge(unsigned flags);
/* The size of a default huge page. */
size_t os_huge_page_size(void);
/* There are not so many reserved: E_UNSUPPORTED, by errno and with what helps. */
int os_refuse_huge(size_t size, size_t page);
/*
 * Make huge pages of shared ones, now and whatever the policy is (MADV_COLLAPSE, Linux 6.1): whether
 * each that lies whole within @p base and @p size is one, and there is such a one.
 */
bool os_collapse(void *base, size_t size);
/* Pages that are allocated from now on are @p node's; E_INVAL, E_UNSUPPORTED. */
int os_bind_node(void *base, size_t size, int node);
/* Touch all of them, and change nothing; E_NOMEM if the kernel says that there are none. */
int os_prefault(void *base, size_t size);

#endif
