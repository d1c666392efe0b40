#include "export/pytorch.h"

#include "export/pytorch_module.h"
#include "export/pytorch_ops.h"

#include "base/memory.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* --- a function ------------------------------------------------------------------------------ */

static void put_layer(FILE *out, const PytorchLine *line, const char *x, const char *y)
{
    pytorch_op(line->out, NULL)->call(out, line->out, x, y);
}

static void put_function(FILE *out, const Net *net)
{
    int layers = net_tensors(net) - 1;
    PytorchLine *lines = mem_alloc((size_t)layers, sizeof *lines);
    for (int i = 0; i < layers; i++) {
        const Tensor *t = net_tensor(net, i + 1);
        lines[i] = (PytorchLine){ .out = t, .in = { t->in[0], t->in[1] } };
    }
    fputs("\n\ndef network(x, p, training=False, drop=True):\n", out);
    pytorch_put_lines(out, lines, layers, net_tensor(net, 0),
                      &(PytorchStyle){ .indent = "    ", .shapes = true, .call = put_layer });
    free(lines);
}

/* --- the file -------------------------------------------------------------------------------- */

/* Writes text for a docstring. */
static void put_words(FILE *out, const char *text)
{
    for (; *text; text++)
        putc(*text == '"' || *text == '\\' || (unsigned char)*text < ' ' ? '\'' : *text, out);
}

static void put_head(FILE *out, const Net *net, const PytorchForm *form)
{
    const Tensor *x = net_tensor(net, 0);
    fputs("\"\"\"", out);
    put_words(out, form->title);
    fprintf(out, ". Written by %s export --pytorch%s, of the network\n\n    ", form->name,
            form->module ? " --module" : "");
    put_words(out, form->options);
    fprintf(out,
            "\n\n"
            "The logits of images x, [N,%d,%d,%d], this file being net.py:\n\n"
            "    from safetensors.torch import load_file\n"
            "    import net\n",
            x->c, x->h, x->w);
    if (form->module)
        fputs("    model = net.network()\n"
              "    model.load_state_dict(load_file(\"weights.safetensors\"))\n"
              "    logits = model.eval()(x)\n\n",
              out);
    else
        fputs("    logits = net.network(x, load_file(\"weights.safetensors\"))\n\n"
              "With training=True batch norm takes the batch's statistics, which move the running "
              "ones in\nthe state_dict, and paths are dropped, unless drop=False.\n\n",
              out);
    fputs(
        "    python3 net.py weights.safetensors batch.safetensors [output of forward or "
        "gradient]\n\n"
        "prints, in float64 and without dropped paths, logits, loss and the norms of gradients and "
        "of\nrunning statistics; beside them those of the output, and how far apart they are: the "
        "norm of the\ndifference over the norm or, where that is less, as for gradients that are 0 "
        "except for rounding,\nthe largest difference over the largest value of its kind. The exit "
        "status is 1 above 1e-4.\n\"\"\"\n",
        out);
    if (form->module)
        fputs("from collections import OrderedDict\n", out);
    fputs("import sys\n\nimport torch\n", out);
    fputs(form->module ? "from torch import nn\n" : "", out);
    fputs("import torch.nn.functional as F\nfrom safetensors.torch import load_file\n", out);
}

static const char function_results[] =
    "\n\n"
    "def results(weights, batch):\n"
    "    x, out = batch[\"x\"].double(), {}\n"
    "    p = {k: v.to(torch.float64, copy=True) for k, v in weights.items()}\n"
    "    with torch.no_grad():\n"
    "        out[\"eval/logits\"] = network(x, p)\n"
    "    if \"labels\" in batch:\n"
    "        not_trained = \"running_mean\", \"running_var\", \"num_batches_tracked\"\n"
    "        trained = {k: v.requires_grad_() for k, v in p.items() if not "
    "k.endswith(not_trained)}\n"
    "        out[\"train/logits\"] = network(x, p, training=True, drop=False)\n"
    "        out[\"train/loss\"] = F.cross_entropy(out[\"train/logits\"], batch[\"labels\"])\n"
    "        out[\"train/loss\"].backward()\n"
    "        out.update((\"grad/\" + k, v.grad) for k, v in trained.items())\n"
    "        out.update((\"running/\" + k, v) for k, v in p.items() if \"running_\" in k)\n"
    "    return {k: v.detach() for k, v in out.items()}\n";

static const char module_results[] =
    "\n\n"
    "def results(weights, batch):\n"
    "    x, out = batch[\"x\"].double(), {}\n"
    "    model = network().double()\n"
    "    model.load_state_dict(weights)\n"
    "    for module in model.modules():\n"
    "        if type(module).__name__ == \"DropPath\":\n"
    "            module.p = 0\n"
    "    with torch.no_grad():\n"
    "        out[\"eval/logits\"] = model.eval()(x)\n"
    "    if \"labels\" in batch:\n"
    "        out[\"train/logits\"] = model.train()(x)\n"
    "        out[\"train/loss\"] = F.cross_entropy(out[\"train/logits\"], batch[\"labels\"])\n"
    "        out[\"train/loss\"].backward()\n"
    "        out.update((\"grad/\" + k, v.grad) for k, v in model.named_parameters())\n"
    "        state = model.state_dict()\n"
    "        out.update((\"running/\" + k, v) for k, v in state.items() if \"running_\" in k)\n"
    "    return {k: v.detach() for k, v in out.items()}\n";

static const char tail[] =
    "\n\n"
    "def error(key, here, there, tops):\n"
    "    off = here - there.reshape(here.shape)\n"
    "    largest = max(top for k, top in tops.items() if k[:4] == key[:4])\n"
    "    apart = min(off.norm() / here.norm(), off.abs().max() / largest)\n"
    "    return float(apart) if off.any() else 0.0\n"
    "\n\n"
    "def main(weights, batch, output=None):\n"
    "    here = results(load_file(weights), load_file(batch))\n"
    "    there = load_file(output) if output else {}\n"
    "    mode = \"train/\" if \"loss\" in there else \"eval/\"\n"
    "    there = {mode + k if k in (\"logits\", \"loss\") else k: v.double() for k, v in "
    "there.items()}\n"
    "    if output and not here.keys() & there.keys():\n"
    "        sys.exit(f\"{output}: holds nothing that is computed here\")\n"
    "    tops = {k: v.abs().max() for k, v in here.items()}\n"
    "    width = max(map(len, here))\n"
    "    print(f\"{'norm of':{width}} {'PyTorch':>12}\" + f\" {'C':>12} {'error':>8}\" * "
    "bool(output))\n"
    "    worst = 0\n"
    "    for key, a in here.items():\n"
    "        b = there.get(key)\n"
    "        if output and b is None:\n"
    "            continue\n"
    "        line = f\"{key:{width}} {a.norm():12.6g}\"\n"
    "        if output:\n"
    "            apart = error(key, a, b, tops)\n"
    "            worst = worst if apart <= worst else apart\n"
    "            line += f\" {b.norm():12.6g} {apart:8.1e}\"\n"
    "        print(line)\n"
    "        for i in range(min(5, a.shape[1]) if key.endswith(\"logits\") else 0):\n"
    "            line = f\"{f'  of image 0, class {i}':{width}} {a[0, i]:12.6f}\"\n"
    "            print(line + (f\" {b[0, i]:12.6f}\" if output else \"\"))\n"
    "    if output:\n"
    "        print(f\"largest error {worst:.1e}\")\n"
    "    sys.exit(not worst <= 1e-4)\n"
    "\n\n"
    "if __name__ == \"__main__\":\n"
    "    if len(sys.argv) not in (3, 4):\n"
    "        sys.exit(\"usage: python3 net.py weights.safetensors batch.safetensors [output of "
    "forward or gradient]\")\n"
    "    main(*sys.argv[1:])\n";

char *pytorch_code(const Net *net, const PytorchForm *form, Error *error)
{
    for (int i = 1; i < net_tensors(net); i++)
        if (!pytorch_op(net_tensor(net, i), error))
            return NULL;
    Text code, all;
    text_open(&code);
    if (form->module)
        pytorch_put_modules(code.out, net);
    else
        put_function(code.out, net);
    text_close(&code);
    text_open(&all);
    put_head(all.out, net, form);
    pytorch_put_helpers(all.out, code.bytes);
    fputs(code.bytes, all.out);
    fputs(form->module ? module_results : function_results, all.out);
    fputs(tail, all.out);
    free(code.bytes);
    text_close(&all);
    return all.bytes;
}
