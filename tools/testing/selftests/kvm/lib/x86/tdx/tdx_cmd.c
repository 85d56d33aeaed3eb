// SPDX-License-Identifier: GPL-2.0-only
#include <sys/mman.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_cmd.h"

/* Enough for the largest operand, with as many CPUID entries as KVM allows. */
#define BUFFER_SIZE	(4 * PAGE_SIZE)

static const char * const cmd_names[] = {
	[KVM_TDX_CAPABILITIES] = "KVM_TDX_CAPABILITIES",
	[KVM_TDX_INIT_VM] = "KVM_TDX_INIT_VM",
	[KVM_TDX_INIT_VCPU] = "KVM_TDX_INIT_VCPU",
	[KVM_TDX_INIT_MEM_REGION] = "KVM_TDX_INIT_MEM_REGION",
	[KVM_TDX_FINALIZE_VM] = "KVM_TDX_FINALIZE_VM",
	[KVM_TDX_GET_CPUID] = "KVM_TDX_GET_CPUID",
};

static const char *cmd_name(const struct kvm_tdx_cmd *cmd)
{
	return cmd->id < ARRAY_SIZE(cmd_names) ? cmd_names[cmd->id] : "unknown command";
}

void *tdx_cmd_buffer_end(const struct tdx_cmd_buffer *buffer)
{
	return buffer->map + BUFFER_SIZE;
}

void tdx_cmd_buffer_set(struct tdx_cmd_buffer *buffer, const void *from, size_t size)
{
	TEST_ASSERT(size <= BUFFER_SIZE && !(size % sizeof(u64)),
		    "an operand of %zu bytes does not fit", size);

	if (!buffer->map) {
		buffer->map = kvm_mmap(BUFFER_SIZE + PAGE_SIZE, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1);
		TEST_ASSERT_EQ(mprotect(tdx_cmd_buffer_end(buffer), PAGE_SIZE, PROT_NONE), 0);
	}

	buffer->data = tdx_cmd_buffer_end(buffer) - size;
	memmove(buffer->data, from, size);
}

void tdx_cmd_buffer_resize(struct tdx_cmd_buffer *buffer, size_t size)
{
	tdx_cmd_buffer_set(buffer, buffer->data, size);
}

void tdx_cmd_refused(int fd, struct kvm_tdx_cmd *cmd, const struct tdx_cmd_refusal *refusal)
{
	int r;

	cmd->flags = refusal->flags;
	cmd->hw_error = refusal->given;
	if (refusal->no_operand)
		cmd->data = 0;

	r = ioctl(fd, KVM_MEMORY_ENCRYPT_OP, cmd);
	TEST_ASSERT(r == -1 && errno == refusal->error, "%s: wanted %s, got %s",
		    cmd_name(cmd), strerror(refusal->error), r ? strerror(errno) : "success");
	tdx_assert_value(cmd_name(cmd), "refusal", 1, "hw_error",
			 refusal->given ? refusal->given : refusal->hw_error, cmd->hw_error);
}

void tdx_cmd_carried_out(int fd, struct kvm_tdx_cmd *cmd)
{
	int r = ioctl(fd, KVM_MEMORY_ENCRYPT_OP, cmd);

	TEST_ASSERT(!r, "%s: wanted success, got %s, hw_error 0x%llx", cmd_name(cmd),
		    strerror(errno), cmd->hw_error);
}
