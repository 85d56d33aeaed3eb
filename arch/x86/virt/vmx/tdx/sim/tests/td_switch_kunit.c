// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the simulated TDX module: what the host finds in the CPU after
 * TDH.VP.ENTER, and what the TD finds there after the host.
 *
 * A TD reads a register, writes another value, waits for the host, and reads it again.
 * Around each TDH.VP.ENTER the host has a value of its own in the register.
 */
#include <linux/array_size.h>
#include <linux/string.h>

#include <asm/apic.h>
#include <asm/debugreg.h>
#include <asm/fpu/types.h>
#include <asm/fpu/xcr.h>
#include <asm/msr.h>
#include <asm/processor-flags.h>
#include <asm/special_insns.h>
#include <asm/vmx.h>

#include "tests/sim_test.h"
#include "tests/sim_test_code.h"
#include "tests/sim_test_vcpu.h"

#define PAT_START		0x0007040600070406ULL
#define EFER_START		(EFER_SCE | EFER_LME | EFER_NX)
#define DR7_START		DR7_FIXED_1
#define TPR_MSR			0x808

/* Exits of a TD that spins, and of one that executes UD2 without an IDT. */
#define SPINS			(TDX_OPERAND_BUSY | TDX_OPERAND_ID_SEPT)
#define ENDS			(TDX_NON_RECOVERABLE_VCPU | EXIT_REASON_TRIPLE_FAULT)

enum reg {
	MSR, XCR0, PKRU, XMM0, TPR,
	CR2, DR0, DR1, DR2, DR3, DR6, DR7,
};

/* What the host finds after TDH.VP.ENTER: its own value, bits of it, or always the same. */
enum after {
	KEPT,
	MASKED,
	SET,
};

/*
 * @host:    the host's value before TDH.VP.ENTER; 0: the one that it has anyway
 * @start:   what a TD finds at its first instruction
 * @td:      what it writes
 * @after:   what becomes of @host; MASKED: @left of it, SET: @left is in the CPU
 * @cr4:     bits that the TD needs in CR4
 * @xfam:    state components of the TD besides x87 and SSE
 */
struct reg_case {
	const char *name;
	enum reg reg;
	u32 msr;
	u64 host;
	u64 start;
	u64 td;
	enum after after;
	u64 left;
	u32 cr4;
	u64 xfam;
};

#define MSR_CASE(_msr, ...)	{ .name = #_msr, .reg = MSR, .msr = _msr, __VA_ARGS__ }
#define REG_CASE(_reg, ...)	{ .name = #_reg, .reg = _reg, __VA_ARGS__ }

static const struct reg_case reg_cases[] = {
	MSR_CASE(MSR_STAR, .host = 0x1111222200000000ULL, .td = 0x0012002300000000ULL,
		 .after = SET, .left = 0),
	MSR_CASE(MSR_LSTAR, .host = 0x711112222333ULL, .td = 0x7abc12345600ULL,
		 .after = SET, .left = 0),
	MSR_CASE(MSR_SYSCALL_MASK, .host = X86_EFLAGS_DF, .td = 0x47700, .start = TDX_FMASK_INIT,
		 .after = SET, .left = TDX_FMASK_INIT),
	MSR_CASE(MSR_TSC_AUX, .host = 0x1057, .td = 0x5eed, .after = SET, .left = 0),
	MSR_CASE(MSR_KERNEL_GS_BASE, .host = 0x1057000, .td = 0x2222deadb000ULL,
		 .after = SET, .left = 0),
	MSR_CASE(MSR_FS_BASE, .host = 0x1057000, .td = 0x5eed000),
	MSR_CASE(MSR_GS_BASE, .td = 0x5eed000),
	MSR_CASE(MSR_IA32_SYSENTER_CS, .td = 0x10),
	MSR_CASE(MSR_IA32_SYSENTER_ESP, .td = 0x5eed000),
	MSR_CASE(MSR_IA32_SYSENTER_EIP, .td = 0x5eed100),
	MSR_CASE(MSR_IA32_CR_PAT, .start = PAT_START, .td = 0x0606060606060606ULL),
	/* KVM leaves a guest's SCE in the CPU until the task returns to userspace. */
	MSR_CASE(MSR_EFER, .host = EFER_NX | EFER_LME | EFER_LMA, .start = EFER_START,
		 .td = EFER_LME | EFER_NX),
	MSR_CASE(MSR_IA32_DEBUGCTLMSR, .host = DEBUGCTLMSR_LBR | DEBUGCTLMSR_BTF,
		 .td = DEBUGCTLMSR_BTF, .after = MASKED, .left = DEBUGCTLMSR_BTF),
	/* The TD's is that of its virtual APIC. */
	REG_CASE(TPR, .msr = TPR_MSR, .host = 0x10, .td = 0x20),
	REG_CASE(CR2, .host = 0x1057000, .td = 0x5eed000, .after = SET, .left = 0),
	REG_CASE(DR0, .host = 0x1057000, .td = 0x5eed000, .after = SET, .left = 0),
	REG_CASE(DR1, .host = 0x1057001, .td = 0x5eed001, .after = SET, .left = 0),
	REG_CASE(DR2, .host = 0x1057002, .td = 0x5eed002, .after = SET, .left = 0),
	REG_CASE(DR3, .host = 0x1057003, .td = 0x5eed003, .after = SET, .left = 0),
	REG_CASE(DR6, .host = DR6_RESERVED | DR_TRAP0, .start = DR6_RESERVED,
		 .td = DR6_RESERVED | DR_TRAP1, .after = SET, .left = DR6_RESERVED),
	/* No breakpoint is enabled: only that of the length of two bytes is set up. */
	REG_CASE(DR7, .host = DR7_FIXED_1 | BIT(18), .start = DR7_START, .td = DR7_START | BIT(22),
		 .after = SET, .left = DR7_FIXED_1),
	REG_CASE(XCR0, .start = XFEATURE_MASK_FP, .td = XFEATURE_MASK_FPSSE | XFEATURE_MASK_YMM,
		 .after = SET, .left = XFEATURE_MASK_FPSSE | XFEATURE_MASK_YMM,
		 .cr4 = X86_CR4_OSXSAVE, .xfam = XFEATURE_MASK_YMM),
	REG_CASE(PKRU, .host = 0x55555554, .td = 0x55550000, .after = SET, .left = 0,
		 .cr4 = X86_CR4_PKE, .xfam = XFEATURE_MASK_PKRU),
	REG_CASE(XMM0, .host = 0x1057, .td = 0x5eed, .after = SET, .left = 0,
		 .cr4 = X86_CR4_OSFXSR),
};

KUNIT_ARRAY_PARAM_DESC(reg, reg_cases, name);

/* How the host reads and writes each register: by a function, with @msr if it is one. */
static u64 read_msr(u32 msr)
{
	return __rdmsr(msr);
}

static void write_msr(u32 msr, u64 value)
{
	native_wrmsrq(msr, value);
}

static u64 read_xcr0(u32 msr)
{
	return xgetbv(XCR_XFEATURE_ENABLED_MASK);
}

static void write_xcr0(u32 msr, u64 value)
{
	xsetbv(XCR_XFEATURE_ENABLED_MASK, value);
}

static u64 read_pkru_now(u32 msr)
{
	return rdpkru();
}

static void write_pkru_now(u32 msr, u64 value)
{
	wrpkru(value);
}

static u64 read_xmm0(u32 msr)
{
	u64 value;

	asm volatile("movq %%xmm0, %0" : "=r" (value));
	return value;
}

static void write_xmm0(u32 msr, u64 value)
{
	asm volatile("movq %0, %%xmm0" : : "r" (value));
}

static u64 read_cr2_now(u32 msr)
{
	return native_read_cr2();
}

static void write_cr2_now(u32 msr, u64 value)
{
	native_write_cr2(value);
}

static u64 read_tpr(u32 msr)
{
	return apic_read(APIC_TASKPRI);
}

static void write_tpr(u32 msr, u64 value)
{
	apic_write(APIC_TASKPRI, value);
}

#define DR_FUNCTIONS(_nr)						\
static u64 read_dr##_nr(u32 msr)					\
{									\
	u64 value;							\
									\
	get_debugreg(value, _nr);					\
	return value;							\
}									\
									\
static void write_dr##_nr(u32 msr, u64 value)				\
{									\
	set_debugreg(value, _nr);					\
}

DR_FUNCTIONS(0)
DR_FUNCTIONS(1)
DR_FUNCTIONS(2)
DR_FUNCTIONS(3)
DR_FUNCTIONS(6)
DR_FUNCTIONS(7)

/* Machine code of the TD: read the register into EDX:EAX or EAX, write it from there. */
#define MAX_INSN		4
#define DR_ACCESS(_nr)							\
	{ read_dr##_nr, write_dr##_nr,					\
	  { 0x0f, 0x21, 0xc0 | (_nr) << 3 }, 3, { 0x0f, 0x23, 0xc0 | (_nr) << 3 }, 3 }

static const struct {
	u64 (*read)(u32 msr);
	void (*write)(u32 msr, u64 value);
	u8 read_insn[MAX_INSN];
	u8 read_length;
	u8 write_insn[MAX_INSN];
	u8 write_length;
} accesses[] = {
	[MSR]	= { read_msr, write_msr, { 0x0f, 0x32 }, 2, { 0x0f, 0x30 }, 2 },
	[XCR0]	= { read_xcr0, write_xcr0, { 0x0f, 0x01, 0xd0 }, 3, { 0x0f, 0x01, 0xd1 }, 3 },
	[PKRU]	= { read_pkru_now, write_pkru_now,
		    { 0x0f, 0x01, 0xee }, 3, { 0x0f, 0x01, 0xef }, 3 },
	[XMM0]	= { read_xmm0, write_xmm0,
		    { 0x66, 0x0f, 0x7e, 0xc0 }, 4, { 0x66, 0x0f, 0x6e, 0xc0 }, 4 },
	[TPR]	= { read_tpr, write_tpr, { 0x0f, 0x32 }, 2, { 0x0f, 0x30 }, 2 },
	[CR2]	= { read_cr2_now, write_cr2_now, { 0x0f, 0x20, 0xd0 }, 3, { 0x0f, 0x22, 0xd0 }, 3 },
	[DR0]	= DR_ACCESS(0),
	[DR1]	= DR_ACCESS(1),
	[DR2]	= DR_ACCESS(2),
	[DR3]	= DR_ACCESS(3),
	[DR6]	= DR_ACCESS(6),
	[DR7]	= DR_ACCESS(7),
};

static u64 reg_read(const struct reg_case *c)
{
	return accesses[c->reg].read(c->msr);
}

static void reg_write(const struct reg_case *c, u64 value)
{
	accesses[c->reg].write(c->msr, value);
}

/* Around a TDH.VP.ENTER: the register of the host. */
struct host_reg {
	const struct reg_case *c;
	bool ordinary;		/* leave the host its value */
	u64 mine;		/* the value with which the call begins */
	u64 left;		/* what the call left */
	u64 saved;
};

static void host_before(void *data)
{
	struct host_reg *host = data;

	host->saved = reg_read(host->c);
	host->mine = host->saved;
	if (host->c->host && !host->ordinary) {
		reg_write(host->c, host->c->host);
		host->mine = reg_read(host->c);
	}
}

static void host_after(void *data)
{
	struct host_reg *host = data;

	host->left = reg_read(host->c);
	reg_write(host->c, host->saved);
}

static void put_read(struct sim_test_code *code, const struct reg_case *c)
{
	sim_test_code_mov(code, SIM_RDX, 0);
	sim_test_code_mov(code, SIM_RCX, c->msr);
	sim_test_code_put(code, accesses[c->reg].read_insn, accesses[c->reg].read_length);
}

static void put_write(struct sim_test_code *code, const struct reg_case *c)
{
	sim_test_code_mov(code, SIM_RAX, c->td);
	sim_test_code_mov(code, SIM_RDX, c->td >> 32);
	sim_test_code_mov(code, SIM_RCX, c->msr);
	sim_test_code_put(code, accesses[c->reg].write_insn, accesses[c->reg].write_length);
}

/* What the TD found first goes to EDI:ESI.  It spins until the host has set EBP. */
static void make_code(const struct reg_case *c, struct sim_test_code *code)
{
	static const u8 mov_eax_esi_edx_edi[] = { 0x89, 0xc6, 0x89, 0xd7 };
	static const u8 spin_while_ebp_is_0[] = { 0x85, 0xed, 0x74, 0xfc };

	if (c->cr4)
		sim_test_code_set_cr4(code, X86_CR4_MCE | c->cr4);
	put_read(code, c);
	sim_test_code_put(code, mov_eax_esi_edx_edi, sizeof(mov_eax_esi_edx_edi));
	put_write(code, c);
	sim_test_code_put(code, spin_while_ebp_is_0, sizeof(spin_while_ebp_is_0));
	put_read(code, c);
	sim_test_code_end(code);
}

static void expect_host(struct kunit *test, const struct reg_case *c, const struct host_reg *host)
{
	u64 want = c->after == SET ? c->left :
		   c->after == MASKED ? host->mine & c->left : host->mine;

	sim_test_expect(test, "for the host", want, host->left);
}

static void switch_reg(struct kunit *test)
{
	const struct reg_case *c = test->param_value;
	struct host_reg host = { .c = c };
	const struct sim_test_around around = { host_before, host_after, &host };
	struct pt_regs regs = {};
	struct sim_test_code code = {};
	struct sim_test_td *td;
	struct sim_vcpu *vcpu;

	if (c->xfam & ~sim_sys.xfam_fixed0)
		kunit_skip(test, "the CPU has no such state");

	make_code(c, &code);
	td = sim_test_td_with_code(test, SIM_XFAM_FIXED1 | c->xfam, code.bytes, code.size);
	vcpu = __va(td->tdvpr);

	sim_test_assert(test, "the TD spins", SPINS,
			sim_test_enter_around(test, td, &regs, &around));
	if (c->host && host.mine != c->host)
		kunit_skip(test, "the CPU does not keep the value");
	sim_test_expect(test, "for a TD that starts", c->start,
			vcpu->gpr[SIM_RDI] << 32 | vcpu->gpr[SIM_RSI]);
	expect_host(test, c, &host);

	/* The host may have changed since the last entry. */
	host.ordinary = true;
	regs = (struct pt_regs) {};
	sim_test_assert(test, "the TD spins", SPINS,
			sim_test_enter_around(test, td, &regs, &around));
	expect_host(test, c, &host);

	host.ordinary = false;
	vcpu->gpr[SIM_RBP] = 1;
	regs = (struct pt_regs) {};
	sim_test_assert(test, "the TD ends", ENDS,
			sim_test_enter_around(test, td, &regs, &around));
	sim_test_expect(test, "for the TD again", c->td,
			vcpu->gpr[SIM_RDX] << 32 | vcpu->gpr[SIM_RAX]);
	expect_host(test, c, &host);
}

static struct kunit_case sim_switch_cases[] = {
	KUNIT_CASE_PARAM(switch_reg, reg_gen_params),
	{}
};

static struct kunit_suite sim_switch_suite = {
	.name = "tdx_sim_switch",
	.init = sim_test_init,
	.test_cases = sim_switch_cases,
};

kunit_test_suite(sim_switch_suite);
