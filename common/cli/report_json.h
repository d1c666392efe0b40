/* report --format json: everything that programs and scripts need to know about a step, so that
 * none parses its source. */
#ifndef CLI_REPORT_JSON_H
#define CLI_REPORT_JSON_H

#include "cli/commands.h"

/* Prints an object. Each of its members begins a line, indented by one space, so that sed and awk
 * find it; layers, parts and rows take a line each, indented by three.
 *
 * step, title; from: the parent step, or null; published; input; stem, widths, depths, drop_path,
 * layer_scale: the configuration; row and rows, for a step with rows. layers: name, op, the names
 * of its inputs, output, the shapes of weight and bias; kernel, stride, pad, groups, eps, init
 * (layer scale's), p and per_sample (drop path's), unless they are 0; parameters, macs, flops (2 x
 * macs); at (file:line), function, call and arguments: the step's call of the layer as written. All
 * layers of a conv_norm_act have one call. parts: stem, stage1 to stage4, head, or the names of the
 * step's other scopes: output, parameters, macs, flops. Layers between two stages belong to the
 * later one. output, parameters, macs, flops; inference_bytes, training_bytes: the memory needed to
 * run it. */
void report_json(const Run *run, const Shape *shape, const Net *net);

#endif
