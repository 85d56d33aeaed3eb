// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program in the memory of a TD, where each page costs time.  A TD gets the pages
 * without those that only the host needs.
 */
#include <elf.h>
#include <sys/auxv.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_image.h"
#include "tdx/tdx_libkvm.h"

/* Read @size bytes of a file, from @offset on. */
static void read_file(int fd, void *buffer, u64 size, u64 offset)
{
	ssize_t r = pread(fd, buffer, size, offset);

	TEST_ASSERT(r == (ssize_t)size, "wanted 0x%lx bytes of the program from 0x%lx on, got %ld",
		    size, offset, r);
}

/*
 * Load what a segment has from @begin to @end, which are addresses of pages.  Of a segment
 * that the program can write, the TD has what is in the file, not what has become of it.
 */
static void load_pages(struct kvm_vm *vm, const Elf64_Phdr *phdr, gva_t begin, gva_t end,
		       int fd)
{
	const gva_t first = begin > phdr->p_vaddr ? begin : phdr->p_vaddr;
	gva_t file_end = phdr->p_vaddr + phdr->p_filesz;
	gva_t gva;

	if (begin == end)
		return;

	gva = __vm_alloc(vm, end - begin, begin, MEM_REGION_CODE);
	TEST_ASSERT(gva == begin, "wanted the program at 0x%lx, got 0x%lx", begin, gva);

	/* The rest of the last page with contents of the file is zero, as the slot's memory is. */
	if (file_end > end)
		file_end = end;
	if (file_end > first)
		read_file(fd, addr_gva2hva(vm, first), file_end - first,
			  phdr->p_offset - phdr->p_vaddr + first);
}

static void load_segment(struct kvm_vm *vm, const Elf64_Phdr *phdr, int fd)
{
	const gva_t end = (phdr->p_vaddr + phdr->p_memsz + PAGE_SIZE - 1) & PAGE_MASK;
	const gva_t begin = phdr->p_vaddr & PAGE_MASK;
	const gva_t host_begin = (gva_t)tdx_host_begin, host_end = (gva_t)tdx_host_end;

	if (host_begin < begin || host_begin >= end) {
		load_pages(vm, phdr, begin, end, fd);
		return;
	}

	load_pages(vm, phdr, begin, host_begin, fd);
	load_pages(vm, phdr, host_end, end, fd);
}

void __wrap_kvm_vm_elf_load(struct kvm_vm *vm, const char *filename)
{
	/* The program is the one that runs: the kernel has said where its headers are. */
	const Elf64_Phdr *phdr = (const Elf64_Phdr *)getauxval(AT_PHDR);
	const Elf64_Phdr *end = phdr + getauxval(AT_PHNUM);
	int fd;

	if (!is_tdx_vm(vm)) {
		__real_kvm_vm_elf_load(vm, filename);
		return;
	}

	fd = open(filename, O_RDONLY);
	TEST_ASSERT(fd >= 0, "open() of %s: %s", filename, strerror(errno));
	for (; phdr < end; phdr++) {
		if (phdr->p_type == PT_LOAD)
			load_segment(vm, phdr, fd);
	}
	close(fd);
}
