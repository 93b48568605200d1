/* A plugin for QEMU's translator that counts executed instructions by address, section by section. A section ends where
 * the guest executes the address `mark`. On exit it writes `section address count` lines.
 *
 * -plugin file=count.so,out=FILE,mark=ADDRESS,code=ADDRESS,size=BYTES
 *
 * Debian ships no header for plugins: what follows is declared after the manual, docs/devel/tcg-plugins.rst, version 1. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info;

enum { NO_REGISTERS = 0, ADD_U64 = 0 };

int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc, char **argv);
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, void (*translated)(plugin_id, struct qemu_plugin_tb *));
void qemu_plugin_register_atexit_cb(plugin_id id, void (*ended)(plugin_id, void *), void *user);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, void (*executed)(unsigned int, void *),
                                            int registers, void *user);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int operation, void *value,
                                                uint64_t operand);

int qemu_plugin_version = 1;

static struct {
    uint64_t mark, code, size;
    FILE *out;
    unsigned int section;
    uint64_t *count; /* of each half word of the code, in this section */
} counter;

static void end_section(void)
{
    for (uint64_t i = 0; i < counter.size / 2; i++)
        if (counter.count[i] > 0)
            fprintf(counter.out, "%u %" PRIu64 " %" PRIu64 "\n", counter.section, counter.code + 2 * i,
                    counter.count[i]);
    memset(counter.count, 0, counter.size / 2 * sizeof(counter.count[0]));
    counter.section++;
}

static void on_mark(unsigned int cpu, void *user)
{
    (void)cpu;
    (void)user;
    end_section();
}

static void on_translated(plugin_id id, struct qemu_plugin_tb *block)
{
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(block, i);
        const uint64_t address = qemu_plugin_insn_vaddr(insn);

        if (address == counter.mark)
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark, NO_REGISTERS, NULL);
        if (address - counter.code < counter.size)
            qemu_plugin_register_vcpu_insn_exec_inline(insn, ADD_U64, &counter.count[(address - counter.code) / 2], 1);
    }
}

static void on_end(plugin_id id, void *user)
{
    (void)id;
    (void)user;
    end_section();
    fclose(counter.out);
}

static bool read_argument(const char *argument)
{
    const struct {
        const char *name;
        uint64_t *value;
    } numbers[] = { { "mark=", &counter.mark }, { "code=", &counter.code }, { "size=", &counter.size } };

    if (strncmp(argument, "out=", 4) == 0)
        return (counter.out = fopen(argument + 4, "w")) != NULL;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (strncmp(argument, numbers[i].name, 5) == 0) {
            *numbers[i].value = strtoull(argument + 5, NULL, 0);
            return true;
        }
    return false;
}

int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++)
        if (!read_argument(argv[i]))
            return -1;
    counter.count = calloc(counter.size / 2, sizeof(counter.count[0]));
    if (!counter.out || !counter.count)
        return -1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translated);
    qemu_plugin_register_atexit_cb(id, on_end, NULL);
    return 0;
}
