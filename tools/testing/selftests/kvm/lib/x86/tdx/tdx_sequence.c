// SPDX-License-Identifier: GPL-2.0-only
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_random.h"
#include "tdx/tdx_sequence.h"
#include "tdx/tdx_thread.h"

#define MIN_STEPS	10

/*
 * Most steps of a sequence are about one VM and about neighbours in the tables, which
 * change the same state.  Steps that are spread over all of KVM hardly ever meet.
 */
#define IN_FOCUS	80	/* of 100 */
#define NR_IN_FOCUS	10

/* The steps to a TD that has run to its end, in this order.  The last one is repeated. */
static const enum tdx_op_id setup[] = {
	TDX_OP_INIT_VM, TDX_OP_CREATE_VCPU, TDX_OP_SET_CPUID2, TDX_OP_INIT_VCPU,
	TDX_OP_INIT_MEM_REGION, TDX_OP_FINALIZE_VM, TDX_OP_RUN,
};

static const enum tdx_op_id plain_setup[] = { TDX_OP_CREATE_VCPU, TDX_OP_RUN };

/* Shares of the kinds of steps, of 100. */
struct shares {
	unsigned int setup;
	unsigned int op;
	unsigned int cap;
	unsigned int beside;	/* of the steps above and of the ioctls, which are the rest */
};

static const struct shares shares[] = {
	[TDX_THEME_LIFE]	= { .setup = 60, .op = 40 },
	[TDX_THEME_ANY]		= { .setup = 35, .op = 8, .cap = 10 },
	[TDX_THEME_RACE]	= { .setup = 35, .op = 12, .cap = 6, .beside = 40 },
	[TDX_THEME_WITNESS]	= { .setup = 25, .op = 5, .cap = 15 },
};

struct maker {
	struct tdx_random random;
	enum tdx_theme theme;
	unsigned int progress[NR_TDX_WORLD_VMS];	/* of the setup of each VM */
	enum tdx_world_vm_id vm;
	unsigned int first_ioctl;
	unsigned int first_cap;
};

static u64 below(struct maker *maker, u64 limit)
{
	return tdx_random_below(&maker->random, limit);
}

static enum tdx_op_id next_setup(struct maker *maker, enum tdx_world_vm_id vm)
{
	unsigned int *progress = &maker->progress[vm];

	if (vm == TDX_WORLD_PLAIN_VM)
		return plain_setup[*progress ? 1 : (*progress)++];

	return setup[*progress < ARRAY_SIZE(setup) - 1 ? (*progress)++ : *progress];
}

static enum tdx_world_vm_id choose_vm(struct maker *maker)
{
	/* TDs more often than the ordinary VM. */
	static const enum tdx_world_vm_id vms[] = {
		TDX_WORLD_TD, TDX_WORLD_TD, TDX_WORLD_OTHER_TD, TDX_WORLD_PLAIN_VM,
	};

	if (maker->theme == TDX_THEME_LIFE)
		return below(maker, 2);
	if (maker->theme == TDX_THEME_WITNESS && below(maker, 2))
		return TDX_WORLD_WITNESS;
	return vms[below(maker, ARRAY_SIZE(vms))];
}

static unsigned int choose_row(struct maker *maker, unsigned int first, unsigned int nr)
{
	if (below(maker, 100) < IN_FOCUS)
		return (first + below(maker, NR_IN_FOCUS)) % nr;

	return below(maker, nr);
}

static unsigned int choose_operand(struct maker *maker, enum tdx_world_vm_id vm)
{
	if (below(maker, 2))
		return TDX_OPERAND_GOOD;

	return below(maker, vm == TDX_WORLD_WITNESS ? NR_TDX_OPERANDS : NR_TDX_STEP_OPERANDS);
}

static void make_step(struct maker *maker, struct tdx_seq_step *step)
{
	const struct shares *share = &shares[maker->theme];
	unsigned int percent = below(maker, 100);

	step->vm = below(maker, 100) < IN_FOCUS ? maker->vm : choose_vm(maker);
	step->vcpu = maker->theme == TDX_THEME_LIFE ? 0 : below(maker, 8) == 0;
	step->random = tdx_random_next(&maker->random);
	step->operand = choose_operand(maker, step->vm);
	step->beside = below(maker, 100) < share->beside;

	if (percent < share->setup) {
		step->kind = TDX_STEP_OP;
		step->row = next_setup(maker, step->vm);
		step->vcpu = 0;
	} else if (percent < share->setup + share->op) {
		step->kind = TDX_STEP_OP;
		step->row = below(maker, TDX_NR_OPS);
	} else if (percent < share->setup + share->op + share->cap) {
		step->kind = TDX_STEP_CAP;
		step->row = choose_row(maker, maker->first_cap, tdx_nr_caps);
		step->operand %= NR_TDX_OPERANDS;
	} else {
		step->kind = TDX_STEP_IOCTL;
		step->row = choose_row(maker, maker->first_ioctl, tdx_nr_ioctls);
	}
}

void tdx_sequence_make(struct tdx_sequence *sequence, enum tdx_theme theme, u64 seed,
		       u64 number)
{
	struct maker maker = { .theme = theme };
	unsigned int i;

	tdx_random_start(&maker.random, seed, number * NR_TDX_THEMES + theme);
	maker.vm = choose_vm(&maker);
	maker.first_ioctl = below(&maker, tdx_nr_ioctls);
	maker.first_cap = below(&maker, tdx_nr_caps);

	sequence->theme = theme;
	sequence->nr_steps = MIN_STEPS + below(&maker, TDX_MAX_STEPS - MIN_STEPS + 1);
	sequence->close_order = tdx_random_next(&maker.random);
	for (i = 0; i < sequence->nr_steps; i++)
		make_step(&maker, &sequence->steps[i]);
}

/* A step in a second thread. */
struct beside {
	struct tdx_thread thread;
	struct tdx_world *world;
	const struct tdx_seq_step *step;	/* NULL if there is none */
	bool exact;
	char *text;
	size_t size;
};

static int take_beside(void *arg)
{
	struct beside *beside = arg;

	return tdx_step_take(beside->world, beside->step, beside->exact, beside->text,
			     beside->size);
}

static int join(struct beside *beside)
{
	if (!beside->step)
		return 0;
	beside->step = NULL;
	return tdx_thread_join(&beside->thread);
}

const char *tdx_sequence_run(const struct tdx_sequence *sequence, u64 mask, unsigned int *failed)
{
	static char text[512], text_beside[512];
	static struct tdx_world world;
	struct beside beside = {
		.world = &world, .text = text_beside, .size = sizeof(text_beside),
	};
	const bool exact = sequence->theme == TDX_THEME_LIFE;
	unsigned int i;

	tdx_world_create(&world, sequence->theme == TDX_THEME_WITNESS);
	for (i = 0; i < sequence->nr_steps; i++) {
		const struct tdx_seq_step *step = &sequence->steps[i];

		*failed = i;
		if (!(mask & BIT_ULL(i)))
			continue;
		if ((step->beside || tdx_step_ends_file(step)) && join(&beside))
			return text_beside;
		if (step->beside && !tdx_step_ends_file(step)) {
			beside.step = step;
			tdx_thread_start(&beside.thread, take_beside, &beside);
		} else if (tdx_step_take(&world, step, exact, text, sizeof(text))) {
			return text;
		}
	}

	if (join(&beside))
		return text_beside;
	if (world.witness.vm)
		tdx_td_finish(&world.witness);
	tdx_world_destroy(&world, sequence->close_order);
	return NULL;
}
