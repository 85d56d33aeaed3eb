// SPDX-License-Identifier: GPL-2.0-only
/*
 * State of the host's CPU across KVM_RUN of a TD.  The TDX module leaves some registers
 * with values that are neither the host's nor the TD's.  KVM restores them before
 * userspace, or any other code, depends on them.  It never asks the CPU for the VMCS of a
 * TD, which is the module's.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "apic.h"
#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_irq.h"
#include "tdx/tdx_msr.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"
#include "tdx/tdx_warning.h"

#define NR_ROUNDS	2
#define MSI_VECTOR	0xa5

#define XFAM_PKRU	BIT_ULL(9)

static inline u32 rdpkru(void)
{
	u32 eax, edx;

	asm volatile("rdpkru" : "=a"(eax), "=d"(edx) : "c"(0));
	return eax;
}

/* Some consumers make the reason of a skip a part of the result's name: keep them. */
#define NO_MSR_REASON		"userspace cannot read the MSRs of this CPU"
#define NOT_KEPT_REASON		"this CPU does not keep the value of the MSR"
#define NO_PKRU_REASON		"no protection keys for the host and for TDs"

/* A TD's own values.  Key 0 is the one of all its pages. */
#define TD_PKRU		0xaaaaaaa8u
#define TD_MSRS(X)							\
	TDX_OWN_MSRS(X)							\
	X(MSR_IA32_SYSENTER_CS,	0x0000000000000050ULL)			\
	X(MSR_IA32_SYSENTER_ESP, 0x0000333312345600ULL)			\
	X(MSR_IA32_CR_PAT,	0x0006060606060606ULL)

static void guest_code(u64 has_pkru)
{
	u64 dr = 0xd0000;

#define TD_WRMSR(msr, value)	wrmsr(msr, value);
	TD_MSRS(TD_WRMSR)
	x2apic_write_reg(APIC_TASKPRI, 0x20);
	asm volatile("mov %0, %%cr2; mov %0, %%dr0; mov %0, %%dr3" : : "r"(dr));
	if (has_pkru) {
		set_cr4(get_cr4() | X86_CR4_PKE);
		wrpkru(TD_PKRU);
	}
	for (;;)
		GUEST_SYNC1(0);
}

/* NMIs and interrupts that the TD took. */
static u64 nr_events;

static void guest_event(struct ex_regs *regs)
{
	nr_events++;
}

static void guest_msi(struct ex_regs *regs)
{
	nr_events++;
	tdx_guest_eoi();
}

static void pin_to_last_cpu(void)
{
	int cpu, last = -1;
	cpu_set_t allowed;

	TEST_ASSERT_EQ(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &allowed))
			last = cpu;
	}
	pin_self_to_cpu(last);
}

/* Create a TD with those features of @xfam that there are, on the last CPU of the caller. */
static struct kvm_vm *create_td(struct kvm_vcpu **vcpu, void *code, u64 xfam)
{
	struct kvm_tdx_capabilities *caps;
	struct kvm_tdx_init_vm *params;
	struct kvm_vm *vm;

	pin_to_last_cpu();
	vm = __tdx_vm_create(1);
	caps = tdx_vm_get_capabilities(vm);
	xfam &= caps->supported_xfam;
	free(caps);

	params = tdx_vm_get_init_params(vm);
	params->xfam |= xfam;
	tdx_vm_init(vm, params);
	free(params);

	*vcpu = tdx_vcpu_add(vm, 0, code);
	tdx_vcpu_args_set(*vcpu, 1, xfam & XFAM_PKRU);
	vm_install_exception_handler(vm, NMI_VECTOR, guest_event);
	vm_install_exception_handler(vm, MSI_VECTOR, guest_msi);
	tdx_vm_finalize(vm);

	return vm;
}

TDX_FIXTURE(host);

FIXTURE_SETUP(host)
{
	self->vm = create_td(&self->vcpu, guest_code, XFAM_PKRU);
}

static void run_to_sync(struct kvm_vcpu *vcpu)
{
	struct ucall uc;

	tdx_vcpu_run_to_ucall(vcpu, UCALL_SYNC, &uc);
}

static int open_msrs(void)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/cpu/%d/msr", sched_getcpu());
	return open(path, O_RDWR);
}

/* Returns the value of the MSR on the CPU whose file is @fd. */
static u64 read_msr(int fd, u32 msr)
{
	u64 value;

	TEST_ASSERT(pread(fd, &value, sizeof(value), msr) == sizeof(value),
		    "MSR 0x%x cannot be read: %m", msr);
	return value;
}

/* Returns true if the MSR has @value then. */
static bool write_msr(int fd, u32 msr, u64 value)
{
	return pwrite(fd, &value, sizeof(value), msr) == sizeof(value) &&
	       read_msr(fd, msr) == value;
}

TDX_FIXTURE(host_msr);

FIXTURE_VARIANT(host_msr)
{
	const char *name;
	u32 msr;
	u64 write;		/* before KVM_RUN, 0: what it has anyway */
};

#define HOST_MSR(row, _msr, arg...)					\
	FIXTURE_VARIANT_ADD(host_msr, row) { .name = #_msr, .msr = _msr, arg }

/* Of these a TD leaves a constant.  KVM restores them when KVM_RUN returns. */
HOST_MSR(star,			MSR_STAR);
HOST_MSR(lstar,			MSR_LSTAR);
HOST_MSR(syscall_mask,		MSR_SYSCALL_MASK);
HOST_MSR(tsc_aux,		MSR_TSC_AUX);
HOST_MSR(kernel_gs_base,	MSR_KERNEL_GS_BASE);
/* The TDX module clears what it does not preserve: only BTF is left of these. */
HOST_MSR(debugctl,		MSR_IA32_DEBUGCTLMSR, .write = DEBUGCTLMSR_LBR | DEBUGCTLMSR_BTF);
HOST_MSR(xss,			MSR_IA32_XSS);
/* These the TDX module brings back. */
HOST_MSR(fs_base,		MSR_FS_BASE);
HOST_MSR(sysenter_cs,		MSR_IA32_SYSENTER_CS);
HOST_MSR(sysenter_esp,		MSR_IA32_SYSENTER_ESP);
HOST_MSR(sysenter_eip,		MSR_IA32_SYSENTER_EIP);
HOST_MSR(pat,			MSR_IA32_CR_PAT);
HOST_MSR(efer,			MSR_EFER);
HOST_MSR(spec_ctrl,		MSR_IA32_SPEC_CTRL, .write = SPEC_CTRL_IBRS);

FIXTURE_SETUP(host_msr)
{
	self->vm = create_td(&self->vcpu, guest_code, 0);
}

TDX_TEST_F(host_msr, kept)
{
	int i, fd = open_msrs();
	u64 before, old = 0;
	bool kept = true;

	if (fd < 0)
		SKIP(return, NO_MSR_REASON);

	if (variant->write) {
		old = read_msr(fd, variant->msr);
		kept = write_msr(fd, variant->msr, variant->write);
	}
	before = read_msr(fd, variant->msr);
	for (i = 0; kept && i < NR_ROUNDS; i++) {
		run_to_sync(self->vcpu);
		tdx_assert_value(variant->name, "KVM_RUN", i, "value", before,
				 read_msr(fd, variant->msr));
	}
	if (variant->write)
		write_msr(fd, variant->msr, old);
	close(fd);
	if (!kept)
		SKIP(return, NOT_KEPT_REASON);
}

/* The kernel leaves PKRU alone between KVM_RUN and userspace. */
TDX_TEST_F(host, pkru_kept)
{
	const u32 mine = 0x55555550;
	u32 before, after;
	int i;

	if (!this_cpu_has(X86_FEATURE_OSPKE))
		SKIP(return, NO_PKRU_REASON);

	for (i = 0; i < NR_ROUNDS; i++) {
		wrpkru(mine + i * 4);
		before = rdpkru();
		run_to_sync(self->vcpu);
		after = rdpkru();
		tdx_assert_value("host", "KVM_RUN", i, "PKRU", before, after);
	}
}

/*
 * KVM has no VMCS for the vCPU of a TD.  It warns if it reads or writes one, since
 * VMREAD and VMWRITE fail.  Of the exits, one is for userspace, one ends in KVM, one
 * halts the vCPU, and an NMI and an interrupt are delivered.
 */
static void guest_exits(u64 has_pkru)
{
	tdx_guest_enable_apic();
	for (;;) {
		struct tdcall_regs regs = { .r11 = TDVMCALL_GET_TD_VM_CALL_INFO };

		GUEST_SYNC1(nr_events);
		tdvmcall(&regs);
		tdvmcall_hlt(0);
		sti_nop_cli();
	}
}

TDX_FIXTURE(host_vmcs);

FIXTURE_SETUP(host_vmcs)
{
	self->vm = create_td(&self->vcpu, guest_exits, 0);
}

TDX_TEST_F(host_vmcs, not_touched)
{
	const u64 warnings = tdx_count_warnings();
	struct ucall uc;
	int i;

	for (i = 0; i <= NR_ROUNDS; i++) {
		tdx_vcpu_run_to_ucall(self->vcpu, UCALL_SYNC, &uc);
		tdx_assert_value("host", "round", i, "NMIs and interrupts of the TD", 2 * i,
				 uc.args[0]);
		vcpu_ioctl(self->vcpu, KVM_NMI, NULL);
		tdx_vcpu_signal_msi(self->vcpu, MSI_VECTOR);
	}
	tdx_assert_no_warning(warnings);
}

TDX_TEST_MAIN()
