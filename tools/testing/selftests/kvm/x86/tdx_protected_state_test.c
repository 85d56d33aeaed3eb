// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctls of ordinary VMs that KVM must refuse for a TD, since it can neither read nor
 * change its state: before the TD is finalized, and after it has run.  KVM accepts a
 * few of them.  None does harm: the TD runs to its end.
 */
#include <linux/sizes.h>

#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_cmd.h"
#include "tdx/tdx_mem.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* Below the 39 bits of GPA that every CPU with EPT supports. */
#define TEST_GPA	0x1234600000ULL
#define TEST_SLOT	21

/* MCi_STATUS ("IA32_MCi_STATUS MSRs", Intel SDM): valid, uncorrected. */
#define MCI_STATUS_VAL	BIT_ULL(63)
#define MCI_STATUS_UC	BIT_ULL(61)

/* Large enough for any operand, also that of KVM_GET_XSAVE2. */
#define OPERAND_SIZE	SZ_64K

/* More slots than KVM reserves for itself. */
#define RING_ENTRIES	4096

static void guest_code(void)
{
	GUEST_SYNC1(0);
	GUEST_DONE();
}

#define IOCTL(_name, _errno) { #_name, _name, _errno }

/* The operand is zeros, which KVM accepts for an ordinary VM. */
static const struct request {
	const char *name;
	unsigned long number;
	int error;		/* 0 if KVM accepts it */
} vcpu_requests[] = {
	IOCTL(KVM_GET_REGS, EINVAL),
	IOCTL(KVM_SET_REGS, EINVAL),
	IOCTL(KVM_GET_SREGS, EINVAL),
	IOCTL(KVM_SET_SREGS, EINVAL),
	IOCTL(KVM_GET_SREGS2, EINVAL),
	IOCTL(KVM_SET_SREGS2, EINVAL),
	IOCTL(KVM_GET_FPU, EINVAL),
	IOCTL(KVM_SET_FPU, EINVAL),
	IOCTL(KVM_GET_XSAVE, EINVAL),
	IOCTL(KVM_GET_XSAVE2, EINVAL),
	IOCTL(KVM_SET_XSAVE, EINVAL),
	IOCTL(KVM_GET_XCRS, EINVAL),
	IOCTL(KVM_SET_XCRS, EINVAL),
	IOCTL(KVM_GET_DEBUGREGS, EINVAL),
	IOCTL(KVM_SET_DEBUGREGS, EINVAL),
	IOCTL(KVM_GET_LAPIC, EINVAL),
	IOCTL(KVM_SET_LAPIC, EINVAL),
	IOCTL(KVM_SET_GUEST_DEBUG, EINVAL),
	IOCTL(KVM_SMI, ENOTTY),
	/* These return what is not true of a TD, or have no effect on it. */
	IOCTL(KVM_TPR_ACCESS_REPORTING, 0),
	IOCTL(KVM_SET_VAPIC_ADDR, 0),
	IOCTL(KVM_GET_MP_STATE, 0),
	IOCTL(KVM_SET_MP_STATE, 0),
	IOCTL(KVM_GET_VCPU_EVENTS, 0),
	IOCTL(KVM_SET_VCPU_EVENTS, 0),
};

/* For the encrypted memory of VMs of another vendor. */
static const struct request vm_requests[] = {
	IOCTL(KVM_MEMORY_ENCRYPT_REG_REGION, ENOTTY),
	IOCTL(KVM_MEMORY_ENCRYPT_UNREG_REGION, ENOTTY),
};

static void check_requests(int fd, const struct request *requests, size_t nr)
{
	void *operand = calloc(1, OPERAND_SIZE);
	size_t i;
	int r;

	TEST_ASSERT(operand, "No memory for operands");

	for (i = 0; i < nr; i++) {
		memset(operand, 0, OPERAND_SIZE);
		r = ioctl(fd, requests[i].number, operand);
		if (requests[i].error)
			TEST_ASSERT(r == -1 && errno == requests[i].error,
				    "%s: wanted %s, got %s", requests[i].name,
				    strerror(requests[i].error),
				    r == -1 ? strerror(errno) : "success");
		else
			TEST_ASSERT(!r, "%s: wanted success, got %m", requests[i].name);
	}

	free(operand);
}

/* KVM_GET_MSRS and KVM_SET_MSRS return the number of MSRs that they have handled. */
static int access_msr(struct kvm_vcpu *vcpu, unsigned long request, u32 index)
{
	struct {
		struct kvm_msrs header;
		struct kvm_msr_entry entry;
	} msrs = {
		.header.nmsrs = 1,
		.entry.index = index,
	};

	return ioctl(vcpu->fd, request, &msrs);
}

/* The same MSR as a register. */
static void one_reg_refused(struct kvm_vcpu *vcpu, u64 id)
{
	u64 value = 0;
	struct kvm_one_reg reg = { .id = id, .addr = (u64)&value };

	TEST_ASSERT_EQ(ioctl(vcpu->fd, KVM_GET_ONE_REG, &reg), -1);
	TEST_ASSERT_EQ(errno, EINVAL);
	TEST_ASSERT_EQ(ioctl(vcpu->fd, KVM_SET_ONE_REG, &reg), -1);
	TEST_ASSERT_EQ(errno, EINVAL);
}

/* MSRs that are private to the TD, and one that KVM emulates. */
static void check_msrs(struct kvm_vcpu *vcpu)
{
	static const u32 protected[] = {
		MSR_IA32_SYSENTER_EIP, MSR_STAR, MSR_LSTAR, MSR_SYSCALL_MASK, MSR_FS_BASE,
		MSR_GS_BASE, MSR_KERNEL_GS_BASE, MSR_TSC_AUX, MSR_IA32_TSC, MSR_IA32_XSS,
		MSR_IA32_SPEC_CTRL, MSR_IA32_DEBUGCTLMSR,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(protected); i++) {
		tdx_assert_value("KVM_GET_MSRS", "MSR", protected[i], "number read", 0,
				 access_msr(vcpu, KVM_GET_MSRS, protected[i]));
		tdx_assert_value("KVM_SET_MSRS", "MSR", protected[i], "number written", 0,
				 access_msr(vcpu, KVM_SET_MSRS, protected[i]));
		one_reg_refused(vcpu, KVM_X86_REG_MSR(protected[i]));
	}

	tdx_assert_value("KVM_GET_MSRS", "MSR", MSR_IA32_MISC_ENABLE, "number read", 1,
			 access_msr(vcpu, KVM_GET_MSRS, MSR_IA32_MISC_ENABLE));
}

/*
 * The TDX module owns the TSC of a TD.  KVM refuses to set its frequency, even to that
 * of the host, which 0 stands for.  KVM returns the offset, and accepts another one
 * without effect.
 */
static void check_tsc(struct kvm_vcpu *vcpu)
{
	u64 module, offset;

	TEST_ASSERT_EQ(__vcpu_ioctl(vcpu, KVM_SET_TSC_KHZ, NULL), -1);
	TEST_ASSERT_EQ(errno, EINVAL);

	vcpu_device_attr_get(vcpu, KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET, &module);
	offset = module + BIT_ULL(40);
	vcpu_device_attr_set(vcpu, KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET, &offset);
	vcpu_device_attr_get(vcpu, KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET, &offset);
	tdx_assert_value("KVM_VCPU_TSC_OFFSET", "after", 1, "offset", module, offset);
}

/* Registers in kvm_run, which KVM does not offer for a TD. */
static void check_sync_regs(struct kvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	TEST_ASSERT_EQ(vm_check_cap(vcpu->vm, KVM_CAP_SYNC_REGS), 0);

	run->kvm_valid_regs = KVM_SYNC_X86_REGS;
	TEST_ASSERT_EQ(__vcpu_run(vcpu), -1);
	TEST_ASSERT_EQ(errno, EINVAL);
	run->kvm_valid_regs = 0;

	run->kvm_dirty_regs = KVM_SYNC_X86_EVENTS;
	TEST_ASSERT_EQ(__vcpu_run(vcpu), -1);
	TEST_ASSERT_EQ(errno, EINVAL);
	run->kvm_dirty_regs = 0;
}

FIXTURE(protected_state)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
};

FIXTURE_VARIANT(protected_state)
{
	bool entered;		/* the TD is finalized and has run */
};

FIXTURE_VARIANT_ADD(protected_state, before_finalize)	{ .entered = false };
FIXTURE_VARIANT_ADD(protected_state, after_run)		{ .entered = true };

FIXTURE_SETUP(protected_state)
{
	struct ucall uc;

	self->vm = tdx_vm_create(1);
	self->vcpu = tdx_vcpu_add(self->vm, 0, guest_code);
	if (!variant->entered)
		return;

	tdx_vm_finalize(self->vm);
	tdx_vcpu_run_to_ucall(self->vcpu, UCALL_SYNC, &uc);
}

FIXTURE_TEARDOWN(protected_state)
{
	struct ucall uc;

	if (!variant->entered) {
		tdx_vm_finalize(self->vm);
		tdx_vcpu_run_to_ucall(self->vcpu, UCALL_SYNC, &uc);
	}

	tdx_vcpu_run_to_ucall(self->vcpu, UCALL_DONE, &uc);
	kvm_vm_free(self->vm);
}

TDX_TEST_F(protected_state, vcpu_ioctls)
{
	check_requests(self->vcpu->fd, vcpu_requests, ARRAY_SIZE(vcpu_requests));
}

/* KVM has no page tables of a TD. */
TDX_TEST_F(protected_state, translate)
{
	static const struct request translate[] = { IOCTL(KVM_TRANSLATE, EINVAL) };

	check_requests(self->vcpu->fd, translate, ARRAY_SIZE(translate));
}

TDX_FINDING(18, "protected_state.before_finalize.translate");
TDX_FINDING(18, "protected_state.after_run.translate");

TDX_TEST_F(protected_state, vm_ioctls)
{
	check_requests(self->vm->fd, vm_requests, ARRAY_SIZE(vm_requests));
}

TDX_TEST_F(protected_state, msrs)
{
	check_msrs(self->vcpu);
}

TDX_TEST_F(protected_state, tsc)
{
	check_tsc(self->vcpu);
}

TDX_TEST_F(protected_state, sync_regs)
{
	check_sync_regs(self->vcpu);
}

/* A vCPU that waits for a SIPI.  A TD never gets one. */
TDX_TEST_F(protected_state, wait_for_sipi)
{
	struct kvm_mp_state state = { .mp_state = KVM_MP_STATE_INIT_RECEIVED };

	vcpu_mp_state_set(self->vcpu, &state);
	TEST_ASSERT_EQ(__vcpu_run(self->vcpu), -1);
	TEST_ASSERT_EQ(errno, EINVAL);

	state.mp_state = KVM_MP_STATE_RUNNABLE;
	vcpu_mp_state_set(self->vcpu, &state);
}

/*
 * An uncorrected machine check from userspace.  CR4.MCE is set in each TD, but KVM
 * cannot see that.  It shuts the vCPU down, as it does if CR4.MCE is clear.
 */
TEST(machine_check)
{
	struct kvm_x86_mce mce = {
		.status = MCI_STATUS_VAL | MCI_STATUS_UC,
		.mcg_status = 1,
	};
	u64 mcg_cap = 1;		/* one bank */
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;

	vm = tdx_vm_create(1);
	vcpu = tdx_vcpu_add(vm, 0, guest_code);
	vcpu_ioctl(vcpu, KVM_X86_SETUP_MCE, &mcg_cap);
	tdx_vm_finalize(vm);
	tdx_vcpu_run_to_ucall(vcpu, UCALL_SYNC, &uc);

	vcpu_ioctl(vcpu, KVM_X86_SET_MCE, &mce);
	vcpu_run(vcpu);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_SHUTDOWN);
	kvm_vm_free(vm);
}

static int set_slot(struct kvm_vm *vm, u32 flags, int guest_memfd, void *hva)
{
	return __vm_set_user_memory_region2(vm, TEST_SLOT, flags, TEST_GPA, SZ_4K, hva,
					    guest_memfd, 0);
}

static void slot_refused(struct kvm_vm *vm, u32 flags, int guest_memfd, void *hva)
{
	int r = set_slot(vm, flags, guest_memfd, hva);

	TEST_ASSERT(r == -1 && errno == EINVAL, "slot with flags 0x%x: wanted EINVAL, got %s",
		    flags, r ? strerror(errno) : "success");
}

static void slot_set(struct kvm_vm *vm, u32 flags, int guest_memfd, void *hva)
{
	int r = set_slot(vm, flags, guest_memfd, hva);

	TEST_ASSERT(!r, "slot with flags 0x%x: wanted success, got %m", flags);
}

/*
 * KVM can neither log private memory nor make it read-only.  It cannot make the shared
 * memory of a TD read-only either, but can log it.
 */
TDX_TEST_F(protected_state, memory_slots)
{
	void *hva = kvm_mmap(SZ_4K, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	const int gmem = vm_create_guest_memfd(self->vm, SZ_4K, 0);

	TEST_ASSERT_EQ(vm_check_cap(self->vm, KVM_CAP_READONLY_MEM), 0);

	slot_refused(self->vm, KVM_MEM_GUEST_MEMFD | KVM_MEM_LOG_DIRTY_PAGES, gmem, hva);
	slot_refused(self->vm, KVM_MEM_GUEST_MEMFD | KVM_MEM_READONLY, gmem, hva);
	slot_refused(self->vm, KVM_MEM_READONLY, -1, hva);

	slot_set(self->vm, 0, -1, hva);
	slot_set(self->vm, KVM_MEM_LOG_DIRTY_PAGES, -1, hva);
	slot_set(self->vm, 0, -1, hva);
	TEST_ASSERT_EQ(__vm_set_user_memory_region2(self->vm, TEST_SLOT, 0, TEST_GPA, 0, hva,
						    -1, 0), 0);

	/* The kind of a slot cannot be changed afterwards. */
	slot_set(self->vm, KVM_MEM_GUEST_MEMFD, gmem, hva);
	slot_refused(self->vm, KVM_MEM_GUEST_MEMFD, gmem, hva);
	slot_refused(self->vm, KVM_MEM_LOG_DIRTY_PAGES, -1, hva);
	TEST_ASSERT_EQ(__vm_set_user_memory_region2(self->vm, TEST_SLOT, 0, TEST_GPA, 0, hva,
						    -1, 0), 0);

	kvm_close(gmem);
	kvm_munmap(hva, SZ_4K);
}

/*
 * A dirty ring is for shared memory: writes of a TD to its private memory do not get
 * there.
 */
TEST(dirty_ring)
{
	struct kvm_vm *vm = tdx_vm_create(1);
	struct kvm_dirty_gfn *gfns;
	struct kvm_vcpu *vcpu;
	struct ucall uc;

	vm_enable_dirty_ring(vm, RING_ENTRIES * sizeof(*gfns));
	vcpu = tdx_vcpu_add(vm, 0, guest_code);
	gfns = vcpu_map_dirty_ring(vcpu);
	tdx_vm_finalize(vm);
	tdx_vcpu_run_to_ucall(vcpu, UCALL_SYNC, &uc);
	tdx_vcpu_run_to_ucall(vcpu, UCALL_DONE, &uc);

	tdx_assert_value("dirty ring", "entry", 0, "flags", 0, gfns[0].flags);
	TEST_ASSERT_EQ(__vm_ioctl(vm, KVM_RESET_DIRTY_RINGS, NULL), 0);
	kvm_vm_free(vm);
}

/* The split irqchip is the only possible one, and can be created once. */
TEST(irqchip)
{
	struct kvm_vm *vm = vm_create_barebones_type(KVM_X86_TDX_VM);

	TEST_ASSERT_EQ(__vm_ioctl(vm, KVM_CREATE_IRQCHIP, NULL), -1);
	TEST_ASSERT_EQ(errno, ENOTTY);
	vm_enable_cap(vm, KVM_CAP_SPLIT_IRQCHIP, 24);
	TEST_ASSERT_EQ(__vm_enable_cap(vm, KVM_CAP_SPLIT_IRQCHIP, 24), -1);
	TEST_ASSERT_EQ(errno, EEXIST);
	kvm_vm_free(vm);
}

/* The state of a TD can be neither copied nor moved to another VM. */
TEST(state_not_moved)
{
	struct kvm_vm *from = tdx_vm_create(1);
	struct kvm_vm *vm = vm_create_barebones_type(KVM_X86_TDX_VM);

	TEST_ASSERT_EQ(__vm_enable_cap(vm, KVM_CAP_VM_COPY_ENC_CONTEXT_FROM, from->fd), -1);
	TEST_ASSERT_EQ(errno, EINVAL);
	TEST_ASSERT_EQ(__vm_enable_cap(vm, KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM, from->fd), -1);
	TEST_ASSERT_EQ(errno, EINVAL);
	kvm_vm_free(vm);
	kvm_vm_free(from);
}

/* The answers of KVM_CHECK_EXTENSION for a TD. */
TEST(capabilities)
{
	struct kvm_vm *vm = vm_create_barebones_type(KVM_X86_TDX_VM);

	TEST_ASSERT_EQ(vm_check_cap(vm, KVM_CAP_X86_SMM), 0);
	TEST_ASSERT_EQ(vm_check_cap(vm, KVM_CAP_SYNC_REGS), 0);
	TEST_ASSERT_EQ(vm_check_cap(vm, KVM_CAP_READONLY_MEM), 0);
	if (!tdx_mem_has_memfd_attributes(vm))
		TEST_ASSERT_EQ(vm_check_cap(vm, KVM_CAP_MEMORY_ATTRIBUTES),
			       KVM_MEMORY_ATTRIBUTE_PRIVATE);
	TEST_ASSERT(vm_check_cap(vm, KVM_CAP_GUEST_MEMFD), "no guest_memfd for a TD");
	kvm_vm_free(vm);
}

TDX_TEST_MAIN()
