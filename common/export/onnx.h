/* A network as an ONNX model, which Netron draws and ONNX Runtime runs. The input is called "x",
 * images [batch,C,H,W], the output "logits", [batch,classes]; the batch is of any size. The
 * initialisers are called as in the state_dict, in PyTorch's order of numbers; the rest is named
 * after the layers. Dropped paths are not dropped, batch norm takes its running statistics. */
#ifndef EXPORT_ONNX_H
#define EXPORT_ONNX_H

#include "base/error.h"
#include "graph/net.h"
#include "graph/weights.h"

typedef struct Onnx Onnx;

/* Makes the model but for its weights, of a network that ends with a vector per sample. name,
 * title, metadata (of the weights: mean, std, classes, …): kept in the file. NULL, with *error set,
 * where a layer has no counterpart in ONNX or the file would be longer than ONNX's 2 GiB. */
Onnx *onnx_new(const Net *net, const char *name, const char *title, const Metadata *metadata,
               size_t metadata_count, Error *error);
void onnx_free(Onnx *onnx);

/* Writes it with the weights, which were made for the same network: the whole file or nothing. The
 * same weights give the same bytes. */
bool onnx_write(const Onnx *onnx, const Weights *weights, const char *path, Error *error);

#endif
