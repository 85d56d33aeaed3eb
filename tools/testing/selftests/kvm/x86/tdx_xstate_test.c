// SPDX-License-Identifier: GPL-2.0-only
/*
 * Extended state of a TD: the components that XFAM of KVM_TDX_INIT_VM gives it, and no
 * others.  The TD keeps it across exits, and so does the VMM, whose XCR0 and IA32_XSS are
 * others.
 */
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define XFAM_SSE		TDX_XFAM_MINIMUM
#define XFAM_AVX		(XFAM_SSE | XFEATURE_MASK_YMM)
#define XFAM_AVX512		(XFAM_AVX | XFEATURE_MASK_AVX512)

/* Some consumers make the reason of a skip a part of the result's name: keep it. */
#define NO_COMPONENT_REASON	"KVM does not offer the component of XFAM"

#define XSTATE_LEAF		0xd
#define XSAVE_LEGACY_SIZE	(512 + 64)
#define XSAVE_XCOMP_BV		(512 + 8)
#define XSAVE_ALIGN		64
#define XCOMP_BV_COMPACTED	BIT_ULL(63)

#define NR_ROUNDS		3

/* What AVX and AVX-512 add to SSE. */
struct vectors {
	u64 ymm[16][4];		/* the lower two words are SSE's */
	u64 zmm[16][8];		/* ZMM16 to ZMM31 */
	u64 k[8];
};

#define EACH_YMM(X)							\
	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)				\
	X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define EACH_ZMM(X)							\
	X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23)			\
	X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31)
#define EACH_K(X)	X(1) X(2) X(3) X(4) X(5) X(6) X(7)

#define LOAD_YMM(i)	"vmovdqu " #i " * 32(%0), %%ymm" #i "\n\t"
#define STORE_YMM(i)	"vmovdqu %%ymm" #i ", " #i " * 32(%0)\n\t"
#define LOAD_ZMM(i)	"vmovdqu64 (" #i " - 16) * 64(%0), %%zmm" #i "\n\t"
#define STORE_ZMM(i)	"vmovdqu64 %%zmm" #i ", (" #i " - 16) * 64(%0)\n\t"
#define LOAD_K(i)	"kmovw " #i " * 8(%0), %%k" #i "\n\t"
#define STORE_K(i)	"kmovw %%k" #i ", " #i " * 8(%0)\n\t"

#define XMM_CLOBBERS							\
	"xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",	\
	"xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

/* The code around these is compiled without AVX: it leaves the rest of the registers alone. */
static __always_inline void load_vectors(const struct vectors *v, u64 components)
{
	if (components & XFEATURE_MASK_YMM)
		asm volatile(EACH_YMM(LOAD_YMM) : : "r"(v->ymm) : "memory", XMM_CLOBBERS);
	if (components & XFEATURE_MASK_OPMASK) {
		asm volatile(EACH_ZMM(LOAD_ZMM) : : "r"(v->zmm) : "memory");
		asm volatile(EACH_K(LOAD_K) : : "r"(v->k) : "memory");
	}
}

static __always_inline void store_vectors(struct vectors *v, u64 components)
{
	if (components & XFEATURE_MASK_YMM)
		asm volatile(EACH_YMM(STORE_YMM) : : "r"(v->ymm) : "memory");
	if (components & XFEATURE_MASK_OPMASK) {
		asm volatile(EACH_ZMM(STORE_ZMM) : : "r"(v->zmm) : "memory");
		asm volatile(EACH_K(STORE_K) : : "r"(v->k) : "memory");
	}
}

/* All values of all @seed differ. */
static void fill_vectors(struct vectors *v, u64 seed)
{
	u64 *word = (u64 *)v;
	size_t i;

	for (i = 0; i < sizeof(*v) / sizeof(*word); i++)
		word[i] = seed << 48 | 0x5eed << 16 | i;
	/* KMOVW moves 16 bits, and clears the others. */
	for (i = 0; i < ARRAY_SIZE(v->k); i++)
		v->k[i] = seed << 8 | i;
}

/* Returns a number of the first register that differs: YMM, ZMM, then K; -1 if none does. */
static int compare_vectors(const struct vectors *want, const struct vectors *got,
			   u64 components)
{
	int i, j;

	for (i = 0; components & XFEATURE_MASK_YMM && i < 16; i++) {
		if (want->ymm[i][2] != got->ymm[i][2] || want->ymm[i][3] != got->ymm[i][3])
			return i;
	}
	for (i = 0; components & XFEATURE_MASK_OPMASK && i < 16; i++) {
		for (j = 0; j < 8; j++) {
			if (want->zmm[i][j] != got->zmm[i][j])
				return 16 + i;
		}
	}
	for (i = 1; components & XFEATURE_MASK_OPMASK && i < 8; i++) {
		if ((u16)want->k[i] != (u16)got->k[i])
			return 32 + i;
	}
	return -1;
}

/* Sizes of the area for @components, from the subleafs of leaf 0xd. */
static void xsave_sizes(u64 components, u32 *standard, u32 *compacted)
{
	u32 size, offset, ecx, edx;
	int i;

	*standard = XSAVE_LEGACY_SIZE;
	*compacted = XSAVE_LEGACY_SIZE;
	for (i = 2; i < 63; i++) {
		if (!(components & BIT_ULL(i)))
			continue;
		__cpuid(XSTATE_LEAF, i, &size, &offset, &ecx, &edx);
		if (offset + size > *standard)
			*standard = offset + size;
		if (ecx & BIT(1))
			*compacted = (*compacted + XSAVE_ALIGN - 1) & -XSAVE_ALIGN;
		*compacted += size;
	}
}

/* Leaf 0xd with @enabled in XCR0, and @xfam in all. */
static void guest_check_sizes(u64 enabled, u64 xfam)
{
	u32 standard, compacted, maximum, unused, eax, ebx, ecx, edx;

	xsave_sizes(xfam, &maximum, &unused);
	xsave_sizes(enabled, &standard, &compacted);

	__cpuid(XSTATE_LEAF, 0, &eax, &ebx, &ecx, &edx);
	GUEST_ASSERT_EQ((u64)edx << 32 | eax, xfam);
	GUEST_ASSERT_EQ(ebx, standard);
	GUEST_ASSERT_EQ(ecx, maximum);

	__cpuid(XSTATE_LEAF, 1, &eax, &ebx, &ecx, &edx);
	GUEST_ASSERT_EQ(ebx, compacted);
	GUEST_ASSERT_EQ((u64)edx << 32 | ecx, 0ul);
}

/* XSAVES saves the components that are enabled, whatever it is asked for. */
static void guest_check_xsaves(u64 xfam)
{
	static u8 area[PAGE_SIZE] __aligned(XSAVE_ALIGN);
	u64 *xcomp_bv = (u64 *)(area + XSAVE_XCOMP_BV);

	asm volatile("xsaves64 %0" : "+m"(area) : "a"(~0u), "d"(~0u) : "memory");
	GUEST_ASSERT_EQ(*xcomp_bv, XCOMP_BV_COMPACTED | xfam);

	/* The first component of IA32_XSS, of which this TD has none. */
	*xcomp_bv |= XFEATURE_MASK_PT;
	GUEST_ASSERT_EQ(kvm_asm_safe("xrstors64 (%[area])", [area] "r"(area), "a"(~0u),
				     "d"(~0u)), GP_VECTOR);
}

static void guest_enables(u64 xfam)
{
	int i;

	set_cr4(get_cr4() | X86_CR4_OSXSAVE);
	GUEST_ASSERT_EQ(xgetbv(0), XFEATURE_MASK_FP);
	guest_check_sizes(XFEATURE_MASK_FP, xfam);

	xsetbv(0, xfam);
	GUEST_ASSERT_EQ(xgetbv(0), xfam);
	guest_check_sizes(xfam, xfam);
	guest_check_xsaves(xfam);

	for (i = 0; i < 64; i++) {
		if (!(xfam & BIT_ULL(i)))
			GUEST_ASSERT_EQ(xsetbv_safe(0, xfam | BIT_ULL(i)), GP_VECTOR);
	}
	GUEST_DONE();
}

static void guest_keeps(u64 xfam)
{
	struct vectors want, got;
	int round, differs;

	set_cr4(get_cr4() | X86_CR4_OSXSAVE);
	xsetbv(0, xfam);

	for (round = 0; round < NR_ROUNDS; round++) {
		fill_vectors(&want, round);
		load_vectors(&want, xfam);
		GUEST_SYNC(round);
		store_vectors(&got, xfam);
		differs = compare_vectors(&want, &got, xfam);
		__GUEST_ASSERT(differs < 0, "round %d: register %d was changed", round, differs);
		GUEST_ASSERT_EQ(xgetbv(0), xfam);
	}
	GUEST_DONE();
}

FIXTURE(xstate)
{
	struct kvm_vm *vm;
	u64 supported;
};

FIXTURE_VARIANT(xstate)
{
	u64 xfam;
};

FIXTURE_VARIANT_ADD(xstate, sse) { .xfam = XFAM_SSE };
FIXTURE_VARIANT_ADD(xstate, avx) { .xfam = XFAM_AVX };
FIXTURE_VARIANT_ADD(xstate, avx512) { .xfam = XFAM_AVX512 };

FIXTURE_SETUP(xstate)
{
	struct kvm_tdx_init_vm *params;

	self->supported = tdx_supported_xfam();
	self->vm = __tdx_vm_create(1);
	params = tdx_vm_get_init_params(self->vm);
	params->xfam = variant->xfam & self->supported;
	tdx_vm_init(self->vm, params);
	free(params);
}

TDX_FIXTURE_TEARDOWN(xstate);

static struct kvm_vcpu *launch(struct kvm_vm *vm, void *guest_code, u64 xfam)
{
	struct kvm_vcpu *vcpu = tdx_vcpu_add(vm, 0, guest_code);

	tdx_vcpu_args_set(vcpu, 1, xfam);
	tdx_vm_finalize(vm);
	return vcpu;
}

/* XCR0, IA32_XSS and leaf 0xd have the components of XFAM, and no others. */
TDX_TEST_F(xstate, enabled_by_xfam)
{
	struct kvm_vcpu *vcpu;
	struct ucall uc;

	if (variant->xfam & ~self->supported)
		SKIP(return, NO_COMPONENT_REASON);

	vcpu = launch(self->vm, guest_enables, variant->xfam);
	tdx_vcpu_run_to_ucall(vcpu, UCALL_DONE, &uc);
}

/* Components that the VMM can use: those of its operating system. */
static u64 host_components(void)
{
	return this_cpu_has(X86_FEATURE_OSXSAVE) ? xgetbv(0) & XFAM_AVX512 : 0;
}

/* Run @vcpu while the VMM has known values in its own registers. */
static void run_with_vectors(struct kvm_vcpu *vcpu, u64 seed)
{
	const u64 components = host_components();
	struct vectors want, got;
	int differs;
	long ret;

	fill_vectors(&want, seed);
	load_vectors(&want, components);
	asm volatile("syscall" : "=a"(ret)
		     : "a"(SYS_ioctl), "D"((long)vcpu->fd), "S"(KVM_RUN), "d"(0)
		     : "rcx", "r11", "memory");
	store_vectors(&got, components);

	TEST_ASSERT(!ret, "KVM_RUN: wanted success, got %s", strerror(-ret));
	differs = compare_vectors(&want, &got, components);
	TEST_ASSERT(differs < 0, "KVM_RUN has changed register %d of the host", differs);
	if (components)
		tdx_assert_value("host", "KVM_RUN", seed, "XCR0", components,
				 xgetbv(0) & XFAM_AVX512);
}

/* The TD finds its registers after an exit, and the VMM its own after KVM_RUN. */
TDX_TEST_F(xstate, kept_across_exits)
{
	struct kvm_vcpu *vcpu;
	struct ucall uc;
	int i;

	if (variant->xfam & ~self->supported)
		SKIP(return, NO_COMPONENT_REASON);

	vcpu = launch(self->vm, guest_keeps, variant->xfam);
	for (i = 0; i < NR_ROUNDS; i++) {
		run_with_vectors(vcpu, NR_ROUNDS + i);
		tdx_vcpu_get_sync(vcpu, "kept", &uc);
		tdx_assert_value("kept", "round", i, "told by the TD", i, uc.args[1]);
	}
	tdx_vcpu_run_to_ucall(vcpu, UCALL_DONE, &uc);
}

TDX_TEST_MAIN()
