// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's hypercalls that have an effect besides their result, issued by a TD.  The TD
 * gets IPIs of KVM_HC_SEND_IPI as posted interrupts.  KVM_HC_CLOCK_PAIRING writes its
 * result to memory that the TD does not see.
 */
#include <asm/kvm_para.h>
#include <linux/kvm_para.h>
#include <linux/sizes.h>

#include "apic.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_cpus.h"
#include "tdx/tdx_irq.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define ERROR(error)	(-(u64)(error))

#define IPI_VECTOR	0x45

/* Contents of the page that the TD passes to KVM. */
#define PAGE_PATTERN	0x7a6e7a6e7a6e7a6eULL

#define NO_TSC_SKIP_REASON	"the host's clock source is not the TSC"

struct td {
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	gpa_t page;		/* private, filled with PAGE_PATTERN */
};

/* After each call take pending interrupts, and report them. */
static void guest_code(const u64 *page, bool apic_off)
{
	/* KVM delivers no interrupt to a local APIC that is off.  It is off at first. */
	if (!apic_off)
		tdx_guest_enable_apic();

	for (;;) {
		tdvmcall_guest_fetch();
		sti_nop_cli();
		tdx_guest_tell_irqs();
		GUEST_SYNC1(READ_ONCE(*page));
	}
}

static void create(struct td *td, bool apic_off)
{
	gva_t page;
	u64 *words;
	size_t i;

	td->vm = tdx_vm_create(1);
	td->vcpu = tdx_vcpu_add(td->vm, 0, guest_code);

	tdx_vm_record_irqs(td->vm);

	page = vm_alloc_page(td->vm);
	td->page = addr_gva2gpa(td->vm, page);
	words = addr_gpa2hva(td->vm, td->page);
	for (i = 0; i < PAGE_SIZE / sizeof(u64); i++)
		words[i] = PAGE_PATTERN;

	tdx_vcpu_args_set(td->vcpu, 2, page, (u64)apic_off);
	tdx_vm_finalize(td->vm);
}

/*
 * Issue the hypercall of @regs.  After it R10 must be @result and the other registers
 * unchanged.  The TD must take @vector, unless that is 0, and its page must not change.
 */
static void issue(struct td *td, const char *name, struct tdcall_regs *regs, u64 result,
		  u8 vector)
{
	struct ucall uc;

	tdvmcall_issue(td->vcpu, name, regs);
	tdvmcall_poison_exit(td->vcpu);
	regs->r10 = result;
	tdvmcall_finish(td->vcpu, name, 0, regs);

	vcpu_run(td->vcpu);
	tdx_vcpu_check_irqs(td->vcpu, name, &vector, !!vector);

	vcpu_run(td->vcpu);
	tdx_vcpu_get_sync(td->vcpu, name, &uc);
	tdx_assert_value(name, "TD's page", 0, "word", PAGE_PATTERN, uc.args[0]);
}

FIXTURE(hypercall_ipi)
{
	struct td td;
};

FIXTURE_VARIANT(hypercall_ipi)
{
	const char *name;
	bool apic_off;
	u64 low;		/* R11: APIC IDs from R13 on, a bit each */
	u64 high;		/* R12: those after them */
	u64 first;		/* R13 */
	u64 icr;		/* R14 */
	u64 result;		/* how many vCPUs got it, or an error */
	u8 taken;		/* vector that this vCPU, of APIC ID 0, took, 0 if none */
};

#define IPI(row, args...)						\
	FIXTURE_VARIANT_ADD(hypercall_ipi, row) { .name = #row, args }

#define IPI_TAKEN(row, vector, args...)					\
	IPI(row, .result = 1, .taken = (vector), args)

#define IPI_REFUSED(row, bits)						\
	IPI(row, .low = 1, .icr = (bits) | IPI_VECTOR, .result = ERROR(KVM_EINVAL))

IPI_TAKEN(to_self,	IPI_VECTOR, .low = 1, .icr = IPI_VECTOR);
IPI_TAKEN(lowest_to_self, IPI_VECTOR, .low = 1, .icr = APIC_DM_LOWEST | IPI_VECTOR);
IPI_TAKEN(nmi_to_self,	NMI_VECTOR, .low = 1, .icr = APIC_DM_NMI);
/* This reaches the vCPU, but has no effect on a TD. */
IPI(remote_read_to_self, .low = 1, .icr = APIC_DM_REMRD, .result = 1);
/* A TD gets neither INIT nor SIPI, and has no system management mode. */
IPI(init_to_self,	.low = 1, .icr = APIC_DM_INIT);
IPI(startup_to_self,	.low = 1, .icr = APIC_DM_STARTUP);
IPI(smi_to_self,	.low = 1, .icr = APIC_DM_SMI);
/* The vCPUs that exist get it, and are counted. */
IPI_TAKEN(to_all,	IPI_VECTOR, .low = ~0ULL, .high = ~0ULL, .icr = IPI_VECTOR);
IPI(to_no_one,		.icr = IPI_VECTOR);
IPI(to_absent,		.low = ~1ULL, .icr = IPI_VECTOR);
IPI(to_absent_64,	.high = ~0ULL, .icr = IPI_VECTOR);
IPI(first_is_absent,	.low = ~0ULL, .high = ~0ULL, .first = 1, .icr = IPI_VECTOR);
IPI(first_is_bit_31,	.low = ~0ULL, .high = ~0ULL, .first = BIT_ULL(31), .icr = IPI_VECTOR);
/* Only the low half of R14 counts. */
IPI_TAKEN(first_is_bit_32, IPI_VECTOR, .low = 1, .first = BIT_ULL(32), .icr = IPI_VECTOR);
IPI(apic_off,		.apic_off = true, .low = 1, .icr = IPI_VECTOR);
/* A level that is deasserted is no interrupt. */
IPI(deassert,		.low = 1, .icr = APIC_INT_LEVELTRIG | IPI_VECTOR);
IPI(external,		.low = 1, .icr = APIC_DM_EXTINT | IPI_VECTOR);
/* R11 to R13 are the destination, which is physical. */
IPI_REFUSED(logical,		APIC_DEST_LOGICAL);
IPI_REFUSED(shorthand_self,	APIC_DEST_SELF);
IPI_REFUSED(shorthand_all,	APIC_DEST_ALLINC);
IPI_REFUSED(shorthand_others,	APIC_DEST_ALLBUT);

FIXTURE_SETUP(hypercall_ipi)
{
	create(&self->td, variant->apic_off);
}

FIXTURE_TEARDOWN(hypercall_ipi)
{
	kvm_vm_free(self->td.vm);
}

TDX_TEST_F(hypercall_ipi, is_delivered)
{
	struct tdcall_regs regs;

	tdvmcall_seed_regs(&regs);
	regs.r10 = KVM_HC_SEND_IPI;
	regs.r11 = variant->low;
	regs.r12 = variant->high;
	regs.r13 = variant->first;
	regs.r14 = variant->icr;
	issue(&self->td, variant->name, &regs, variant->result, variant->taken);
}

TDX_FINDING(14, "hypercall_ipi.init_to_self.is_delivered");
TDX_FINDING(14, "hypercall_ipi.startup_to_self.is_delivered");

#define NR_VCPUS	2

/* A TD with two vCPUs, whose APIC IDs are 0 and 1; the first sends. */
FIXTURE(hypercall_ipi_vcpus)
{
	struct kvm_vcpu *vcpus[NR_VCPUS];
	struct kvm_vm *vm;
};

FIXTURE_VARIANT(hypercall_ipi_vcpus)
{
	const char *name;
	u64 low;		/* R11 */
	u64 high;		/* R12 */
	u64 first;		/* R13 */
	u8 vector;
	u32 mode;		/* R14 without the vector */
	u64 result;
	bool taken[NR_VCPUS];
};

#define VECTOR_VCPUS(row, nr, args...)					\
	FIXTURE_VARIANT_ADD(hypercall_ipi_vcpus, row) {			\
		.name = #row, .vector = (nr), args			\
	}
#define IPI_VCPUS(row, args...) VECTOR_VCPUS(row, IPI_VECTOR, args)

IPI_VCPUS(to_both,	.low = BIT(0) | BIT(1), .result = 2, .taken = { true, true });
IPI_VCPUS(to_sender,	.low = BIT(0), .result = 1, .taken = { true, false });
IPI_VCPUS(to_other,	.low = BIT(1), .result = 1, .taken = { false, true });
IPI_VCPUS(to_other_and_absent, .low = ~BIT_ULL(0), .high = ~0ULL, .result = 1,
	  .taken = { false, true });
/* Bit 0 is the APIC ID in R13. */
IPI_VCPUS(from_first,	.low = BIT(0), .first = 1, .result = 1, .taken = { false, true });
VECTOR_VCPUS(nmi_to_both, NMI_VECTOR, .low = BIT(0) | BIT(1), .mode = APIC_DM_NMI,
	     .result = 2, .taken = { true, true });

/*
 * A vCPU forgets the vectors that it has taken by its last ucall, so that the other one
 * can report its own.
 */
static void guest_sender(void)
{
	tdx_guest_enable_apic();
	tdvmcall_guest_fetch();
	sti_nop_cli();
	tdx_guest_tell_irqs();
	GUEST_SYNC1(0);
}

static void guest_receiver(void)
{
	tdx_guest_enable_apic();
	GUEST_SYNC1(0);
	sti_nop_cli();
	tdx_guest_tell_irqs();
	GUEST_SYNC1(0);
}

FIXTURE_SETUP(hypercall_ipi_vcpus)
{
	/* A TD has no more vCPUs than the host has CPUs. */
	if (tdx_nr_present_cpus() < NR_VCPUS)
		SKIP(return, TDX_TWO_CPUS_REASON);

	self->vm = tdx_vm_create(NR_VCPUS);
	self->vcpus[0] = tdx_vcpu_add(self->vm, 0, guest_sender);
	self->vcpus[1] = tdx_vcpu_add(self->vm, 1, guest_receiver);
	tdx_vm_record_irqs(self->vm);
	tdx_vm_finalize(self->vm);
}

TDX_FIXTURE_TEARDOWN(hypercall_ipi_vcpus);

TDX_TEST_F(hypercall_ipi_vcpus, is_delivered)
{
	struct tdcall_regs regs;
	struct ucall uc;
	int i;

	vcpu_run(self->vcpus[1]);
	tdx_vcpu_get_sync(self->vcpus[1], variant->name, &uc);

	tdvmcall_seed_regs(&regs);
	regs.r10 = KVM_HC_SEND_IPI;
	regs.r11 = variant->low;
	regs.r12 = variant->high;
	regs.r13 = variant->first;
	regs.r14 = variant->mode | variant->vector;
	tdvmcall_issue(self->vcpus[0], variant->name, &regs);
	tdvmcall_poison_exit(self->vcpus[0]);
	regs.r10 = variant->result;
	tdvmcall_finish(self->vcpus[0], variant->name, 0, &regs);

	for (i = 0; i < NR_VCPUS; i++) {
		vcpu_run(self->vcpus[i]);
		tdx_vcpu_check_irqs(self->vcpus[i], variant->name, &variant->vector,
				    variant->taken[i]);
		vcpu_run(self->vcpus[i]);
		tdx_vcpu_get_sync(self->vcpus[i], variant->name, &uc);
	}
}

FIXTURE(hypercall_clock_pairing)
{
	struct td td;
};

FIXTURE_SETUP(hypercall_clock_pairing)
{
	create(&self->td, true);
}

FIXTURE_TEARDOWN(hypercall_clock_pairing)
{
	kvm_vm_free(self->td.vm);
}

/* KVM can pair clocks only if the clock of the host is based on the TSC. */
static bool host_clock_is_tsc(void)
{
	const char *path = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
	FILE *f = fopen(path, "r");
	char name[32] = "";

	if (!f)
		return false;
	if (!fgets(name, sizeof(name), f))
		name[0] = '\0';
	fclose(f);

	return !strncmp(name, "tsc", 3);
}

static void pair_clocks(struct td *td, const char *name, gpa_t gpa, u64 result)
{
	struct tdcall_regs regs;

	tdvmcall_seed_regs(&regs);
	regs.r10 = KVM_HC_CLOCK_PAIRING;
	regs.r11 = gpa;
	regs.r12 = KVM_CLOCK_PAIRING_WALLCLOCK;
	issue(td, name, &regs, result, 0);
}

static void check_pairing(const struct kvm_clock_pairing *pairing, const char *name)
{
	size_t i;

	TEST_ASSERT(pairing->sec >= 0 && pairing->nsec >= 0 && pairing->nsec < 1000000000,
		    "wanted a time, got %lld s, %lld ns", pairing->sec, pairing->nsec);
	TEST_ASSERT(pairing->tsc && pairing->tsc != PAGE_PATTERN, "wanted a TSC, got 0x%llx",
		    pairing->tsc);
	tdx_assert_value(name, "clock pairing", 0, "flags", 0, pairing->flags);
	for (i = 0; i < ARRAY_SIZE(pairing->pad); i++)
		tdx_assert_value(name, "clock pairing: pad", i, "word", 0, pairing->pad[i]);
}

/* Pair clocks in a shared page, whose GPA the TD gives with @bits. */
static void pair_in_shared_page(struct td *td, const char *name, u64 bits)
{
	/* Unused memory of slot 0 is shared. */
	const gpa_t gpa = vm_phy_page_alloc(td->vm, td->page, 0);
	struct kvm_clock_pairing *pairing = addr_gpa2hva(td->vm, gpa);
	u64 *next = (void *)(pairing + 1);

	*next = PAGE_PATTERN;
	pairing->tsc = PAGE_PATTERN;
	pair_clocks(td, name, bits | gpa, 0);
	check_pairing(pairing, name);
	tdx_assert_value(name, "after the pairing", 0, "word", PAGE_PATTERN, *next);
}

TDX_TEST_F(hypercall_clock_pairing, shared_page)
{
	if (!host_clock_is_tsc())
		SKIP(return, NO_TSC_SKIP_REASON);

	pair_in_shared_page(&self->td, "shared page", 0);
}

/* The TD says by the shared bit that the page is shared. */
TDX_TEST_F(hypercall_clock_pairing, shared_bit)
{
	if (!host_clock_is_tsc())
		SKIP(return, NO_TSC_SKIP_REASON);

	pair_in_shared_page(&self->td, "shared bit", TDX_SHARED_BIT);
}

TDX_FINDING(9, "hypercall_clock_pairing.shared_bit");

/*
 * KVM can write only to the memory that userspace has mapped at a GPA.  For a private
 * GPA that is not the memory of the TD, which would see nothing of a success.
 */
TDX_TEST_F(hypercall_clock_pairing, private_page_is_efault)
{
	const u64 *words = addr_gpa2hva(self->td.vm, self->td.page);

	if (!host_clock_is_tsc())
		SKIP(return, NO_TSC_SKIP_REASON);

	pair_clocks(&self->td, "private page", self->td.page, ERROR(KVM_EFAULT));
	pair_clocks(&self->td, "private page, shared bit", TDX_SHARED_BIT | self->td.page,
		    ERROR(KVM_EFAULT));
	tdx_assert_value("private page", "host's page", 0, "word", PAGE_PATTERN, words[0]);
}

TDX_FINDING(9, "hypercall_clock_pairing.private_page_is_efault");

TDX_TEST_F(hypercall_clock_pairing, no_memory_is_efault)
{
	if (!host_clock_is_tsc())
		SKIP(return, NO_TSC_SKIP_REASON);

	pair_clocks(&self->td, "no memory", 0x1234600000ULL, ERROR(KVM_EFAULT));
}

TDX_TEST_MAIN()
