// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <unistd.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_cpus.h"
#include "tdx/tdx_ops.h"
#include "tdx/tdx_util.h"

char tdx_op_source[PAGE_SIZE] __aligned(PAGE_SIZE);

#define VM_CMD(_cmd, _locks)	{ #_cmd, _locks, false, _cmd, KVM_MEMORY_ENCRYPT_OP }
#define VCPU_CMD(_cmd, _locks)	{ #_cmd, _locks, true, _cmd, KVM_MEMORY_ENCRYPT_OP }
#define IOCTL(_name, _locks, _of_vcpu, _request)				\
	{ _name, _locks, _of_vcpu, TDX_NO_CMD, _request }
#define OTHER(_name, _locks, _of_vcpu)	{ _name, _locks, _of_vcpu, TDX_NO_CMD, 0 }

const struct tdx_op tdx_ops[TDX_NR_OPS] = {
	[TDX_OP_CAPABILITIES]	= VM_CMD(KVM_TDX_CAPABILITIES, 0),
	[TDX_OP_INIT_VM]	= VM_CMD(KVM_TDX_INIT_VM, TDX_STATE_LOCKS),
	[TDX_OP_FINALIZE_VM]	= VM_CMD(KVM_TDX_FINALIZE_VM, TDX_STATE_LOCKS),
	[TDX_OP_INIT_VCPU]	= VCPU_CMD(KVM_TDX_INIT_VCPU, TDX_STATE_LOCKS),
	[TDX_OP_INIT_MEM_REGION] = VCPU_CMD(KVM_TDX_INIT_MEM_REGION, TDX_STATE_LOCKS),
	/* KVM looks for a command that needs all of the locks first. */
	[TDX_OP_GET_CPUID]	= VCPU_CMD(KVM_TDX_GET_CPUID, TDX_STATE_LOCKS),
	[TDX_OP_SET_CPUID2]	= IOCTL("KVM_SET_CPUID2", TDX_LOCK_VCPU, true, KVM_SET_CPUID2),
	[TDX_OP_SET_ATTRIBUTES]	= IOCTL("KVM_SET_MEMORY_ATTRIBUTES", TDX_LOCK_SLOTS, false,
					KVM_SET_MEMORY_ATTRIBUTES),
	[TDX_OP_DELETE_SLOT]	= IOCTL("deletion of the slot", TDX_LOCK_SLOTS, false,
					KVM_SET_USER_MEMORY_REGION2),
	[TDX_OP_MOVE_SLOT]	= IOCTL("move of the slot", TDX_LOCK_SLOTS, false,
					KVM_SET_USER_MEMORY_REGION2),
	[TDX_OP_CREATE_VCPU]	= OTHER("KVM_CREATE_VCPU", TDX_LOCK_VM, false),
	[TDX_OP_RUN]		= OTHER("KVM_RUN", TDX_LOCK_VCPU, true),
	[TDX_OP_PUNCH_HOLE]	= OTHER("hole in the guest_memfd", 0, false),
	[TDX_OP_CLOSE_MEMFD]	= OTHER("close of the guest_memfd", TDX_LOCK_SLOTS, false),
	[TDX_OP_CLOSE_VCPU]	= OTHER("close of the vCPU", 0, true),
	[TDX_OP_CLOSE_VM]	= OTHER("close of the VM", 0, false),
};

static int model_init_mem_region(struct tdx_model *m)
{
	if (!m->vcpu_initialized || m->finalized || !m->slot)
		return -EINVAL;
	if (!m->memfd)
		return -EFAULT;
	if (!m->private)
		return -EINVAL;
	if (m->page)
		return -EIO;
	m->page = true;
	return 0;
}

static int model_create_vcpu(struct tdx_model *m)
{
	/* The limit is the number of CPUs, and is checked before the number of the vCPU. */
	if (m->vcpu)
		return tdx_nr_present_cpus() > 1 ? -EEXIST : -EINVAL;
	if (!m->initialized)
		return -EIO;
	m->vcpu = true;
	return 0;
}

/* A step that succeeds if @good, and then sets *@change. */
static int model_step(bool good, bool *change)
{
	if (!good)
		return -EINVAL;
	*change = true;
	return 0;
}

/* The end of *@what, after which the page is not mapped either. */
static int model_drop(struct tdx_model *m, bool *what)
{
	m->page = false;
	*what = false;
	return 0;
}

int tdx_model_op(struct tdx_model *m, enum tdx_op_id id)
{
	switch (id) {
	case TDX_OP_INIT_VM:
		return model_step(!m->initialized, &m->initialized);
	case TDX_OP_FINALIZE_VM:
		return model_step(m->vcpu_initialized && !m->finalized, &m->finalized);
	case TDX_OP_INIT_VCPU:
		return model_step(m->cpuid && !m->vcpu_initialized && !m->finalized,
				  &m->vcpu_initialized);
	case TDX_OP_INIT_MEM_REGION:
		return model_init_mem_region(m);
	case TDX_OP_GET_CPUID:
		return m->finalized ? -EINVAL : 0;
	case TDX_OP_SET_CPUID2:
		return model_step(true, &m->cpuid);
	case TDX_OP_SET_ATTRIBUTES:
		return model_drop(m, &m->private);
	case TDX_OP_DELETE_SLOT:
		return m->slot ? model_drop(m, &m->slot) : -EINVAL;
	case TDX_OP_MOVE_SLOT:
		/* A slot with guest_memfd cannot be changed, only be deleted. */
		return -EINVAL;
	case TDX_OP_CREATE_VCPU:
		return model_create_vcpu(m);
	case TDX_OP_RUN:
		/* There is no memory at the reset vector. */
		return m->finalized ? -EFAULT : -EINVAL;
	case TDX_OP_PUNCH_HOLE:
		return model_drop(m, &m->page);
	case TDX_OP_CLOSE_MEMFD:
		return model_drop(m, &m->memfd);
	default:
		return 0;
	}
}

static int close_file(int *fd)
{
	int r = close(*fd) ? -errno : 0;

	*fd = -1;
	return r;
}

static int create_vcpu(struct tdx_op_td *td)
{
	int fd = ioctl(td->vm, KVM_CREATE_VCPU, 0);

	if (fd < 0)
		return -errno;
	td->vcpu = fd;
	return 0;
}

int tdx_op_issue(struct tdx_op_td *td, enum tdx_op_id id, void *data)
{
	const struct tdx_op *op = &tdx_ops[id];

	if (op->request)
		return ioctl(op->of_vcpu ? td->vcpu : td->vm, op->request, data) ? -errno : 0;

	switch (id) {
	case TDX_OP_CREATE_VCPU:
		return create_vcpu(td);
	case TDX_OP_RUN:
		return ioctl(td->vcpu, KVM_RUN, NULL) ? -errno : 0;
	case TDX_OP_PUNCH_HOLE:
		return fallocate(td->memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
				 PAGE_SIZE) ? -errno : 0;
	case TDX_OP_CLOSE_MEMFD:
		return close_file(&td->memfd);
	case TDX_OP_CLOSE_VCPU:
		return close_file(&td->vcpu);
	case TDX_OP_CLOSE_VM:
		return close_file(&td->vm);
	default:
		TEST_FAIL("no operation %d", id);
	}
	return 0;
}

static size_t copy(void *to, const void *from, size_t header, u32 nent)
{
	const size_t size = header + nent * sizeof(struct kvm_cpuid_entry2);

	TEST_ASSERT(size <= TDX_OP_OPERAND_SIZE, "an operand of %zu bytes does not fit", size);
	memcpy(to, from, size);
	return size;
}

static size_t copy_slot(void *to, struct kvm_userspace_memory_region2 slot)
{
	memcpy(to, &slot, sizeof(slot));
	return sizeof(slot);
}

size_t tdx_op_operand(const struct tdx_op_td *td, enum tdx_op_id id, void *operand, void *source)
{
	const struct kvm_tdx_init_mem_region region = {
		.source_addr = (u64)source, .gpa = TDX_OP_GPA, .nr_pages = 1,
	};
	const struct kvm_memory_attributes shared = { .address = TDX_OP_GPA, .size = PAGE_SIZE };
	struct kvm_userspace_memory_region2 slot = td->slot;

	switch (id) {
	case TDX_OP_CAPABILITIES:
		return copy(operand, td->caps, sizeof(*td->caps), td->caps->cpuid.nent);
	case TDX_OP_INIT_VM:
		return copy(operand, td->params, sizeof(*td->params), td->params->cpuid.nent);
	case TDX_OP_GET_CPUID:
	case TDX_OP_SET_CPUID2:
		return copy(operand, td->cpuid, sizeof(*td->cpuid), td->cpuid->nent);
	case TDX_OP_INIT_MEM_REGION:
		memcpy(operand, &region, sizeof(region));
		return sizeof(region);
	case TDX_OP_SET_ATTRIBUTES:
		memcpy(operand, &shared, sizeof(shared));
		return sizeof(shared);
	case TDX_OP_DELETE_SLOT:
		slot.memory_size = 0;
		return copy_slot(operand, slot);
	case TDX_OP_MOVE_SLOT:
		slot.guest_phys_addr += PAGE_SIZE;
		return copy_slot(operand, slot);
	default:
		return 0;
	}
}

struct kvm_tdx_cmd tdx_op_cmd(enum tdx_op_id id, void *operand)
{
	return (struct kvm_tdx_cmd) { .id = tdx_ops[id].cmd, .data = (u64)operand };
}

/* The steps to a TD with an initialized vCPU. */
static const enum tdx_op_id steps[] = {
	TDX_OP_INIT_VM, TDX_OP_CREATE_VCPU, TDX_OP_SET_CPUID2, TDX_OP_INIT_VCPU,
};

static void take_step(struct tdx_op_td *td, enum tdx_op_id id)
{
	static u64 operand[TDX_OP_OPERAND_SIZE / sizeof(u64)];
	struct kvm_tdx_cmd cmd = tdx_op_cmd(id, operand);
	int r;

	tdx_op_operand(td, id, operand, NULL);
	r = tdx_op_issue(td, id, cmd.id == TDX_NO_CMD ? (void *)operand : &cmd);
	TEST_ASSERT(!r, "%s: wanted success, got %s", tdx_ops[id].name, strerror(-r));
	tdx_model_op(&td->model, id);
}

static int must(int r, const char *what)
{
	TEST_ASSERT(r >= 0, "%s: %m", what);
	return r;
}

void tdx_op_td_build(struct tdx_op_td *td, enum tdx_op_id id)
{
	struct kvm_enable_cap split_irqchip = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { 24 } };
	struct kvm_create_guest_memfd memfd = { .size = PAGE_SIZE };
	struct kvm_memory_attributes private = {
		.address = TDX_OP_GPA, .size = PAGE_SIZE,
		.attributes = KVM_MEMORY_ATTRIBUTE_PRIVATE,
	};
	int kvm = open_kvm_dev_path_or_exit();
	size_t i;

	td->vm = must(ioctl(kvm, KVM_CREATE_VM, KVM_X86_TDX_VM), "KVM_CREATE_VM");
	td->vcpu = -1;
	close(kvm);
	must(ioctl(td->vm, KVM_ENABLE_CAP, &split_irqchip), "KVM_CAP_SPLIT_IRQCHIP");
	td->memfd = must(ioctl(td->vm, KVM_CREATE_GUEST_MEMFD, &memfd), "KVM_CREATE_GUEST_MEMFD");
	td->slot = (struct kvm_userspace_memory_region2) {
		.slot = TDX_OP_SLOT, .flags = KVM_MEM_GUEST_MEMFD, .guest_phys_addr = TDX_OP_GPA,
		.memory_size = PAGE_SIZE, .userspace_addr = (u64)tdx_op_source,
		.guest_memfd = td->memfd,
	};
	must(ioctl(td->vm, KVM_SET_USER_MEMORY_REGION2, &td->slot), "KVM_SET_USER_MEMORY_REGION2");
	must(ioctl(td->vm, KVM_SET_MEMORY_ATTRIBUTES, &private), "KVM_SET_MEMORY_ATTRIBUTES");
	td->model = (struct tdx_model) { .slot = true, .memfd = true, .private = true };

	for (i = 0; i < ARRAY_SIZE(steps) && steps[i] != id; i++)
		take_step(td, steps[i]);
}

void tdx_op_td_destroy(struct tdx_op_td *td)
{
	if (td->vcpu >= 0)
		close(td->vcpu);
	if (td->memfd >= 0)
		close(td->memfd);
	if (td->vm >= 0)
		close(td->vm);
}

/* KVM needs the widths of addresses: a test that cuts off the last entry must not lose them. */
static void put_widths_first(struct kvm_cpuid2 *cpuid)
{
	const struct kvm_cpuid_entry2 first = cpuid->entries[0];
	u32 i;

	for (i = 1; i < cpuid->nent; i++) {
		if (cpuid->entries[i].function != TDX_CPUID_ADDRESS_WIDTHS)
			continue;
		cpuid->entries[0] = cpuid->entries[i];
		cpuid->entries[i] = first;
		return;
	}
}

void tdx_op_td_init(struct tdx_op_td *td)
{
	struct kvm_vm *vm = vm_create_barebones_type(KVM_X86_TDX_VM);
	struct kvm_tdx_cmd cmd = { .id = KVM_TDX_GET_CPUID };
	u32 i;

	td->params = tdx_vm_get_init_params(vm);
	put_widths_first(&td->params->cpuid);
	td->caps = tdx_vm_get_capabilities(vm);
	kvm_vm_free(vm);

	/* Only a TD knows the CPUID of its vCPUs. */
	td->cpuid = allocate_kvm_cpuid2(KVM_MAX_CPUID_ENTRIES);
	tdx_op_td_build(td, TDX_OP_SET_CPUID2);
	cmd.data = (u64)td->cpuid;
	must(ioctl(td->vcpu, KVM_MEMORY_ENCRYPT_OP, &cmd), "KVM_TDX_GET_CPUID");
	tdx_op_td_destroy(td);

	/* As tdx_vcpu_create() does. */
	for (i = 0; i < td->cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *entry = &td->cpuid->entries[i];

		if (entry->function == TDX_CPUID_ADDRESS_WIDTHS)
			entry->eax = (entry->eax & ~GENMASK(7, 0)) | TDX_GPA_WIDTH;
	}
}
