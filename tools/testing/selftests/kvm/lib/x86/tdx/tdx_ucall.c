// SPDX-License-Identifier: GPL-2.0-only
/*
 * ucall of a TD.  The host can read neither its registers nor its memory.  So the TD
 * writes the words of a struct ucall by TDG.VP.VMCALL<MMIO> to the page at TD_UCALL_GPA,
 * which has the layout of that struct: first the words that the ucall has, then the
 * doorbell in place of the command.  The host sees KVM_EXIT_MMIO and fills in a struct
 * of its own.  A TD needs no pool of them, each page of which would cost time.
 */
#include "kvm_util.h"
#include "ucall_common.h"
#include "tdx/td_boot.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_libkvm.h"
#include "tdx/tdx_util.h"

/* What the TD writes last: the command, and the number of words before it. */
#define UCALL_DOORBELL		offsetof(struct ucall, cmd)
#define DOORBELL(cmd, words)	((u64)(words) << 32 | (cmd))
#define DOORBELL_CMD(data)	((u32)(data))
#define DOORBELL_WORDS(data)	((data) >> 32)

kvm_static_assert(offsetof(struct ucall, args) % sizeof(u64) == 0);
kvm_static_assert(offsetof(struct ucall, buffer) % sizeof(u64) == 0);
kvm_static_assert(sizeof(struct ucall) <= PAGE_SIZE);
kvm_static_assert(UCALL_MAX_ARGS == 7);

bool is_tdx_guest;

static void ucall_write(size_t offset, u64 data)
{
	tdvmcall_mmio_write(TDX_SHARED_BIT | (TD_UCALL_GPA + offset), data);
}

static int send_words(size_t offset, const void *data, size_t size)
{
	const u64 *words = data;
	int i;

	for (i = 0; i * sizeof(u64) < size; i++)
		ucall_write(offset + i * sizeof(u64), READ_ONCE(words[i]));

	return i;
}

/* @buffer has UCALL_BUFFER_LEN bytes, or is NULL. */
static void send_ucall(u64 cmd, const u64 *args, int nargs, const char *buffer)
{
	int words = send_words(offsetof(struct ucall, args), args, nargs * sizeof(*args));

	if (buffer)
		words += send_words(offsetof(struct ucall, buffer), buffer,
				    strnlen(buffer, UCALL_BUFFER_LEN - 1) + 1);

	ucall_write(UCALL_DOORBELL, DOORBELL(cmd, words));
}

void __wrap_ucall(u64 cmd, int nargs, ...)
{
	u64 args[UCALL_MAX_ARGS] = {};
	va_list va;
	int i;

	nargs = min(nargs, UCALL_MAX_ARGS);

	va_start(va, nargs);
	for (i = 0; i < nargs; i++)
		args[i] = va_arg(va, u64);
	va_end(va);

	if (is_tdx_guest)
		send_ucall(cmd, args, nargs, NULL);
	else
		__real_ucall(cmd, nargs, args[0], args[1], args[2], args[3], args[4],
			     args[5], args[6]);
}

/*
 * Write the text of a ucall to @buffer, of UCALL_BUFFER_LEN bytes, and send both.  Returns
 * false if this is no TD: another VM has a pool of ucalls.
 */
static bool send_text(u64 cmd, const u64 *args, int nargs, char *buffer, const char *fmt,
		      va_list va)
{
	guest_vsnprintf(buffer, UCALL_BUFFER_LEN, fmt, va);
	if (is_tdx_guest)
		send_ucall(cmd, args, nargs, buffer);
	return is_tdx_guest;
}

void __wrap_ucall_fmt(u64 cmd, const char *fmt, ...)
{
	char buffer[UCALL_BUFFER_LEN] __aligned(sizeof(u64));
	va_list va;

	va_start(va, fmt);
	if (!send_text(cmd, NULL, 0, buffer, fmt, va))
		__real_ucall_fmt(cmd, "%s", buffer);
	va_end(va);
}

void __wrap_ucall_assert(u64 cmd, const char *exp, const char *file, unsigned int line,
			 const char *fmt, ...)
{
	const u64 args[GUEST_ASSERT_BUILTIN_NARGS] = {
		[GUEST_ERROR_STRING] = (u64)exp,
		[GUEST_FILE] = (u64)file,
		[GUEST_LINE] = line,
	};
	char buffer[UCALL_BUFFER_LEN] __aligned(sizeof(u64));
	va_list va;

	va_start(va, fmt);
	if (!send_text(cmd, args, ARRAY_SIZE(args), buffer, fmt, va))
		__real_ucall_assert(cmd, exp, file, line, "%s", buffer);
	va_end(va);
}

/* What calls this in a TD is GUEST_UCALL_NONE(), with 0. */
void __wrap_ucall_arch_do_ucall(gva_t uc)
{
	if (is_tdx_guest)
		ucall_write(UCALL_DOORBELL, DOORBELL(UCALL_NONE, 0));
	else
		__real_ucall_arch_do_ucall(uc);
}

void __wrap_ucall_init(struct kvm_vm *vm, gpa_t mmio_gpa)
{
	if (!is_tdx_vm(vm))
		__real_ucall_init(vm, mmio_gpa);
}

/*
 * Returns the offset of the write to a struct ucall that @run shows, -1 if there is
 * none.
 */
static long ucall_offset(struct kvm_run *run)
{
	u64 offset = run->mmio.phys_addr - TD_UCALL_GPA;

	if (run->exit_reason != KVM_EXIT_MMIO || !run->mmio.is_write ||
	    run->mmio.len != sizeof(u64) || offset > sizeof(struct ucall) - sizeof(u64))
		return -1;

	return offset;
}

/* Run @vcpu, which is in the middle of a ucall, to its next word. */
static long next_ucall_offset(struct kvm_vcpu *vcpu)
{
	long offset;
	int r;

	do {
		r = __vcpu_run(vcpu);
	} while (r == -1 && errno == EINTR);
	TEST_ASSERT(!r, KVM_IOCTL_ERROR(KVM_RUN, r));

	offset = ucall_offset(vcpu->run);
	TEST_ASSERT(offset >= 0, "vCPU %u left a ucall unfinished: %s", vcpu->id,
		    exit_reason_str(vcpu->run->exit_reason));
	return offset;
}

void *__wrap_ucall_arch_get_ucall(struct kvm_vcpu *vcpu)
{
	/* The last ucall that this thread has received, and from whom. */
	static __thread struct ucall *uc;
	static __thread struct kvm_vcpu *sender;
	u64 doorbell, words = 0;
	long offset;

	if (!is_tdx_vm(vcpu->vm))
		return __real_ucall_arch_get_ucall(vcpu);

	offset = ucall_offset(vcpu->run);
	if (offset < 0)
		return NULL;

	if (!uc)
		uc = malloc(sizeof(*uc));
	TEST_ASSERT(uc, "No memory for a ucall");

	for (; offset != UCALL_DOORBELL; offset = next_ucall_offset(vcpu), words++) {
		if (!words)
			memset(uc, 0, sizeof(*uc));
		memcpy((void *)uc + offset, vcpu->run->mmio.data, sizeof(u64));
		sender = vcpu;
	}

	/* The caller may look again at a doorbell, whose words came the first time. */
	memcpy(&doorbell, vcpu->run->mmio.data, sizeof(doorbell));
	if (!DOORBELL_WORDS(doorbell))
		memset(uc, 0, sizeof(*uc));
	else
		TEST_ASSERT((!words || words == DOORBELL_WORDS(doorbell)) && sender == vcpu,
			    "vCPU %u sent a ucall of %lu words, got %lu", vcpu->id,
			    DOORBELL_WORDS(doorbell), words);

	uc->cmd = DOORBELL_CMD(doorbell);
	return uc->cmd == UCALL_NONE ? NULL : uc;
}

void tdx_vcpu_run_to_ucall(struct kvm_vcpu *vcpu, u64 cmd, struct ucall *uc)
{
	vcpu_run(vcpu);

	TEST_ASSERT(get_ucall(vcpu, uc) == cmd, "wanted ucall %lu, got %lu, %s", cmd,
		    uc->cmd, exit_reason_str(vcpu->run->exit_reason));
}
