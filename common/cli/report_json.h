/* report --format json: all that programs and scripts want to know of a step, so that nobody has to
 * read its source. */
#ifndef CLI_REPORT_JSON_H
#define CLI_REPORT_JSON_H

#include "cli/commands.h"

/* Prints an object. Each of its members begins a line, one space in, so that sed and awk find it;
 * layers, parts and rows are a line each, three spaces in.
 *
 * step, title; from: the step it is compared with, or null; published; input; stem, widths, depths,
 * drop_path, layer_scale: the configuration; row and rows, of a step that has rows.
 * layers: name, op, the names of its inputs, output, the shapes of weight and bias; kernel, stride,
 * pad, groups, eps, init (layer scale's), p and per_sample (drop path's), where they are not 0;
 * parameters, macs, flops (2 x macs); at (file:line), function, call and arguments: where the step
 * calls the layer, and how that is written there. conv_norm_act makes layers of one call.
 * parts: stem, stage1 to stage4, head, or what else the step's scopes are called: output,
 * parameters, macs, flops. What stands between two stages belongs to the later one.
 * output, parameters, macs, flops; inference_bytes, training_bytes: what running it takes. */
void report_json(const Run *run, const Shape *shape, const Net *net);

#endif
