// SPDX-License-Identifier: GPL-2.0-only
/*
 * What userspace enables for a VM and what KVM makes of it for a TD: exits for bus locks
 * and for the notify window, instructions that do not exit, the PMU, the frequency of the
 * TSC.  Either KVM refuses it, as it must at that time for every VM, or KVM tells the TDX
 * module, or it has no effect: the TD runs, halts and is woken as without it.
 */
#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_irq.h"
#include "tdx/tdx_kvm.h"
#include "tdx/tdx_sim.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* CPUID leaf with the TD's TSC: EBX is its frequency in units of ECX Hz, if EAX is 1. */
#define CPUID_TSC		0x15
#define TSC_UNIT_KHZ		25000

#define WAKE_VECTOR		0x41

/* Fields of a vCPU that KVM_TDX_INIT_VCPU writes: where the module posts interrupts. */
#define NR_FIELDS		3

/* When userspace asks. */
enum when {
	TD_CREATED,		/* KVM_CREATE_VM */
	TD_INITIALIZED,		/* KVM_TDX_INIT_VM */
	VCPU_CREATED,
	VCPU_INITIALIZED,
	NR_WHEN,
};

static const char * const when_names[NR_WHEN] = {
	"creation of the VM",
	"initialization of the TD",
	"creation of the vCPU",
	"initialization of the vCPU",
};

/* A capability of this KVM, and the bits that it allows. */
static u64 allowed(u32 cap)
{
	const int r = kvm_check_cap(cap);

	return r > 0 ? r : 0;
}

struct enable {
	u32 cap;
	u64 arg;
	bool with_allowed;	/* and the bits that this KVM allows */
	bool needs_allowed;	/* EINVAL where KVM allows nothing */
	int error[NR_WHEN];	/* at each time, 0: success */
};

#define NEVER		{ EINVAL, EINVAL, EINVAL, EINVAL }
#define ALWAYS		{}
#define BEFORE_VCPU	{ [VCPU_CREATED] = EINVAL, [VCPU_INITIALIZED] = EINVAL }

FIXTURE(enable)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
};

FIXTURE_VARIANT(enable)
{
	struct enable enable;
};

#define ENABLE(name, cap_name, ...)						\
FIXTURE_VARIANT_ADD(enable, name) { .enable = { .cap = cap_name, __VA_ARGS__ } }

/* KVM asks the module for these exits only if the CPU has them. */
ENABLE(bus_lock_off, KVM_CAP_X86_BUS_LOCK_EXIT, .arg = KVM_BUS_LOCK_DETECTION_OFF,
	.error = ALWAYS);
ENABLE(bus_lock_exit, KVM_CAP_X86_BUS_LOCK_EXIT, .arg = KVM_BUS_LOCK_DETECTION_EXIT,
	.error = ALWAYS);
ENABLE(bus_lock_both, KVM_CAP_X86_BUS_LOCK_EXIT,
	.arg = KVM_BUS_LOCK_DETECTION_OFF | KVM_BUS_LOCK_DETECTION_EXIT, .error = NEVER);
ENABLE(bus_lock_unknown, KVM_CAP_X86_BUS_LOCK_EXIT, .arg = BIT_ULL(2), .error = NEVER);

ENABLE(notify, KVM_CAP_X86_NOTIFY_VMEXIT, .arg = KVM_X86_NOTIFY_VMEXIT_ENABLED,
	.needs_allowed = true, .error = BEFORE_VCPU);
ENABLE(notify_user, KVM_CAP_X86_NOTIFY_VMEXIT,
	.arg = 1ull << 32 | KVM_X86_NOTIFY_VMEXIT_ENABLED | KVM_X86_NOTIFY_VMEXIT_USER,
	.needs_allowed = true, .error = BEFORE_VCPU);
ENABLE(notify_not_enabled, KVM_CAP_X86_NOTIFY_VMEXIT, .arg = KVM_X86_NOTIFY_VMEXIT_USER,
	.error = NEVER);
ENABLE(notify_unknown, KVM_CAP_X86_NOTIFY_VMEXIT,
	.arg = BIT_ULL(2) | KVM_X86_NOTIFY_VMEXIT_ENABLED, .error = NEVER);

ENABLE(disable_no_exits, KVM_CAP_X86_DISABLE_EXITS, .error = BEFORE_VCPU);
ENABLE(disable_all_exits, KVM_CAP_X86_DISABLE_EXITS, .with_allowed = true,
	.error = BEFORE_VCPU);
ENABLE(disable_unknown_exits, KVM_CAP_X86_DISABLE_EXITS, .arg = BIT_ULL(31),
	.error = NEVER);

/* The PMU of a TD is the module's.  A TD cannot get KVM's, but may do without it. */
ENABLE(pmu, KVM_CAP_PMU_CAPABILITY, .error = NEVER);
ENABLE(pmu_disabled, KVM_CAP_PMU_CAPABILITY, .arg = KVM_PMU_CAP_DISABLE,
	.needs_allowed = true, .error = BEFORE_VCPU);
ENABLE(pmu_unknown, KVM_CAP_PMU_CAPABILITY, .arg = BIT_ULL(1) | KVM_PMU_CAP_DISABLE,
	.error = NEVER);

static void guest_code(void)
{
	tdx_guest_enable_apic();
	for (;;) {
		tdvmcall_hlt(0);
		GUEST_SYNC1(0);
	}
}

FIXTURE_SETUP(enable)
{
	self->vm = __tdx_vm_create(1);
}

FIXTURE_TEARDOWN(enable)
{
	kvm_vm_free(self->vm);
}

static void ask(struct kvm_vm *vm, const struct enable *enable, enum when when)
{
	const u64 bits = allowed(enable->cap);
	const u64 arg = enable->arg | (enable->with_allowed ? bits : 0);
	const int want = enable->needs_allowed && !bits ? EINVAL : enable->error[when];
	const int got = __vm_enable_cap(vm, enable->cap, arg) ? errno : 0;

	errno = got;
	TEST_ASSERT(got == want, "capability %u, 0x%lx, after %s: wanted errno %d, got %d",
		    enable->cap, arg, when_names[when], want, got);
}

/* The number of fields that KVM writes, if the module counts. */
static void init_vcpu(struct kvm_vcpu *vcpu, const struct enable *enable)
{
	const u64 bits = allowed(enable->cap);
	u32 want = NR_FIELDS, calls, refused;

	if (!tdx_sim_has("fault")) {
		tdx_vcpu_init(vcpu);
		return;
	}

	/* Two for the notify window, which is enabled by now, and one for bus locks. */
	if (enable->cap == KVM_CAP_X86_NOTIFY_VMEXIT && bits && !enable->error[TD_CREATED])
		want += 2;
	if (enable->cap == KVM_CAP_X86_BUS_LOCK_EXIT && bits && !enable->error[TD_CREATED] &&
	    enable->arg & KVM_BUS_LOCK_DETECTION_EXIT)
		want++;

	tdx_sim_refuse("TDH_VP_WR", ~0u, TDX_OPERAND_BUSY, 1);
	tdx_vcpu_init(vcpu);
	tdx_sim_refused(&calls, &refused);
	tdx_sim_refuse_none();
	tdx_assert_value("KVM_TDX_INIT_VCPU", "TDH_VP_WR", 0, "calls", want, calls);
}

TDX_TEST_F(enable, asked)
{
	struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct kvm_tdx_init_vm *params = tdx_vm_get_init_params(self->vm);
	const struct enable *enable = &variant->enable;
	struct tdx_vcpu_thread thread;
	struct ucall uc;

	ask(self->vm, enable, TD_CREATED);
	tdx_vm_init(self->vm, params);
	free(params);
	ask(self->vm, enable, TD_INITIALIZED);
	self->vcpu = tdx_vcpu_create(self->vm, 0, guest_code);
	ask(self->vm, enable, VCPU_CREATED);
	init_vcpu(self->vcpu, enable);
	ask(self->vm, enable, VCPU_INITIALIZED);

	/*
	 * The halt exits, and userspace ends it.  If halts do not exit, KVM resets the
	 * halted state that the CPU keeps in the VMCS.  It has no access to that of a TD.
	 */
	tdx_vm_finalize(self->vm);
	tdx_vcpu_run_to_halt(self->vcpu);
	vcpu_mp_state_set(self->vcpu, &runnable);
	tdx_assert_value("halt", "KVM_GET_MP_STATE", 1, "mp_state", runnable.mp_state,
			 tdx_vcpu_mp_state(self->vcpu));
	vcpu_run(self->vcpu);
	TEST_ASSERT_EQ(get_ucall(self->vcpu, &uc), UCALL_SYNC);

	/* An interrupt ends the next one. */
	tdx_vcpu_block(&thread, self->vcpu, -1);
	tdx_vcpu_signal_msi(self->vcpu, WAKE_VECTOR);
	tdx_vcpu_join(&thread);
	TEST_ASSERT(!thread.ret, "wanted KVM_RUN to succeed, got %s", strerror(thread.err));
	TEST_ASSERT_EQ(get_ucall(self->vcpu, &uc), UCALL_SYNC);
}

/* The frequency of the TSC is one of the TD, from KVM_TDX_INIT_VM on. */
FIXTURE(tsc)
{
	struct kvm_vm *vm;
	u32 host_khz;
};

FIXTURE_VARIANT(tsc)
{
	u32 times;		/* frequency, of that of the host */
};

FIXTURE_VARIANT_ADD(tsc, of_host) { .times = 1 };
FIXTURE_VARIANT_ADD(tsc, twice_of_host) { .times = 2 };
FIXTURE_VARIANT_ADD(tsc, three_times_of_host) { .times = 3 };

FIXTURE_SETUP(tsc)
{
	self->vm = __tdx_vm_create(1);
	self->host_khz = __vm_ioctl(self->vm, KVM_GET_TSC_KHZ, NULL);
}

FIXTURE_TEARDOWN(tsc)
{
	kvm_vm_free(self->vm);
}

static int set_khz(struct kvm_vm *vm, unsigned long khz)
{
	return __vm_ioctl(vm, KVM_SET_TSC_KHZ, (void *)khz) ? errno : 0;
}

static void create_td(struct kvm_vm *vm)
{
	struct kvm_tdx_init_vm *params = tdx_vm_get_init_params(vm);

	tdx_vm_init(vm, params);
	free(params);
}

/* A vCPU and its TD have the VM's frequency. */
static struct kvm_vcpu *check_vcpu(struct kvm_vm *vm, u32 khz)
{
	struct kvm_vcpu *vcpu = tdx_vcpu_create(vm, 0, guest_code);
	const struct kvm_cpuid_entry2 *entry = vcpu_get_cpuid_entry(vcpu, CPUID_TSC);

	tdx_assert_value("TSC", "KVM_GET_TSC_KHZ", 0, "kHz", khz,
			 __vcpu_ioctl(vcpu, KVM_GET_TSC_KHZ, NULL));
	tdx_assert_value("TSC", "CPUID", CPUID_TSC, "EAX", 1, entry->eax);
	tdx_assert_value("TSC", "CPUID", CPUID_TSC, "EBX", khz / TSC_UNIT_KHZ, entry->ebx);
	return vcpu;
}

TDX_TEST_F(tsc, frequency_set_before_td)
{
	const u32 khz = variant->times * self->host_khz;

	TEST_ASSERT_EQ(set_khz(self->vm, khz), 0);
	create_td(self->vm);
	check_vcpu(self->vm, khz);
}

/* KVM takes no other frequency for the VM, and tells of none. */
TDX_TEST_F(tsc, frequency_set_after_vcpu)
{
	const u32 khz = variant->times * self->host_khz;
	struct kvm_vcpu *vcpu;

	create_td(self->vm);
	vcpu = check_vcpu(self->vm, self->host_khz);

	TEST_ASSERT_EQ(set_khz(self->vm, khz), EINVAL);
	tdx_assert_value("TSC of the VM", "KVM_GET_TSC_KHZ", 1, "kHz", self->host_khz,
			 __vm_ioctl(self->vm, KVM_GET_TSC_KHZ, NULL));

	tdx_vcpu_init(vcpu);
	TEST_ASSERT_EQ(set_khz(self->vm, khz), EINVAL);
	tdx_vm_finalize(self->vm);
	TEST_ASSERT_EQ(set_khz(self->vm, khz), EINVAL);
	tdx_assert_value("TSC of the VM", "KVM_GET_TSC_KHZ", 2, "kHz", self->host_khz,
			 __vm_ioctl(self->vm, KVM_GET_TSC_KHZ, NULL));
	tdx_assert_value("TSC of the vCPU", "KVM_GET_TSC_KHZ", 2, "kHz", self->host_khz,
			 __vcpu_ioctl(vcpu, KVM_GET_TSC_KHZ, NULL));
}

/* The TD has its frequency by then: KVM must not believe another one. */
TDX_TEST_F(tsc, frequency_set_after_td)
{
	const u32 khz = variant->times * self->host_khz;

	create_td(self->vm);
	set_khz(self->vm, khz);
	check_vcpu(self->vm, self->host_khz);
}

TDX_FINDING(23, "tsc.twice_of_host.frequency_set_after_td");
TDX_FINDING(23, "tsc.three_times_of_host.frequency_set_after_td");

TDX_TEST_MAIN()
