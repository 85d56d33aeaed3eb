// SPDX-License-Identifier: GPL-2.0-only
#include <elf.h>
#include <fcntl.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_watch.h"

/* A word of /proc/PID/pagemap, see Documentation/admin-guide/mm/pagemap.rst. */
#define PAGEMAP_PFN	GENMASK_ULL(54, 0)
#define PAGEMAP_PRESENT	BIT_ULL(63)

static bool read_at(const char *path, void *data, size_t size, off_t offset)
{
	int fd = open(path, O_RDONLY);
	bool done;

	if (fd < 0)
		return false;

	done = pread(fd, data, size, offset) == (ssize_t)size;
	close(fd);
	return done;
}

/* Without the right to see page frames all of them are 0. */
static bool physical_address(u64 va, u64 *pa)
{
	u64 word;

	if (!read_at("/proc/self/pagemap", &word, sizeof(word),
		     va / PAGE_SIZE * sizeof(word)))
		return false;
	if (!(word & PAGEMAP_PRESENT) || !(word & PAGEMAP_PFN))
		return false;

	*pa = (word & PAGEMAP_PFN) * PAGE_SIZE + va % PAGE_SIZE;
	return true;
}

/*
 * Finds the address at which the kernel maps @pa, by the segments of /proc/kcore.  The
 * lowest address counts: memory of the former kernel image has two.
 */
static bool kernel_address(u64 pa, u64 *kva)
{
	bool found = false;
	Elf64_Phdr segment;
	Elf64_Ehdr head;
	int i;

	if (!read_at("/proc/kcore", &head, sizeof(head), 0))
		return false;

	for (i = 0; i < head.e_phnum; i++) {
		if (!read_at("/proc/kcore", &segment, sizeof(segment),
			     head.e_phoff + i * sizeof(segment)))
			return false;
		if (segment.p_type != PT_LOAD || pa < segment.p_paddr ||
		    pa - segment.p_paddr >= segment.p_memsz)
			continue;
		if (found && segment.p_vaddr > *kva)
			continue;
		*kva = segment.p_vaddr + (pa - segment.p_paddr);
		found = true;
	}

	return found;
}

bool tdx_watch_open(struct tdx_watch *watch, const __u64 *word)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT,
		.size = sizeof(attr),
		.bp_type = HW_BREAKPOINT_RW,
		.bp_len = HW_BREAKPOINT_LEN_8,
		.exclude_user = true,
		.exclude_hv = true,
		.pinned = true,
	};
	u64 pa, kva;

	watch->fd = -1;
	/* Only a page that was accessed has a frame. */
	READ_ONCE(*word);
	if (!physical_address((u64)word, &pa) || !kernel_address(pa, &kva))
		return false;

	attr.bp_addr = kva;
	watch->fd = syscall(__NR_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	return watch->fd >= 0;
}

void tdx_watch_close(struct tdx_watch *watch)
{
	close(watch->fd);
}

u64 tdx_watch_count(struct tdx_watch *watch)
{
	u64 count;

	TEST_ASSERT_EQ(read(watch->fd, &count, sizeof(count)), sizeof(count));
	TEST_ASSERT(!ioctl(watch->fd, PERF_EVENT_IOC_RESET, 0),
		    "cannot reset the count of a watchpoint: %m");
	return count;
}
