#include "io/kind.h"

#include <string.h>
#include <strings.h>

/* Files that torch.load reads. The authors of ConvNeXt keep a network's weights under "model". */
#define BY_PYTHON                                                                                  \
    "; in Python: state = torch.load(FILE, map_location='cpu', weights_only=True); "               \
    "safetensors.torch.save_file(state.get('model', state), 'weights.safetensors')"

typedef struct {
    const char *bytes;
    size_t size;
    const char *kind;
} Magic;

#define BEGINS(text) text, sizeof text - 1
static const Magic beginnings[] = {
    { BEGINS("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20"),
      "is a PyTorch file (.pth) of the old format" BY_PYTHON },
    { BEGINS("version https://git-lfs"),
      "is Git LFS's pointer to the file, not the file: 'git lfs pull' fetches it" },
    { BEGINS("\x1f\x8b"), "is packed by gzip: 'gunzip' unpacks it" },
    { BEGINS("BZh"), "is packed by bzip2: 'bunzip2' unpacks it" },
    { BEGINS("\xfd"
             "7zXZ"),
      "is packed by xz: 'unxz' unpacks it" },
    { BEGINS("(\xb5/\xfd"), "is packed by zstd: 'unzstd' unpacks it" },
    { BEGINS("\x89HDF\r\n"), "is an HDF5 file, as Keras writes it, not safetensors" },
    { BEGINS("\x93NUMPY"), "is a NumPy array, not safetensors; in Python: "
                           "safetensors.numpy.save_file({'x': numpy.load(FILE)}, "
                           "'batch.safetensors')" },
    { BEGINS("GGUF"), "is a GGUF file, not safetensors" },
    { BEGINS("\x89PNG"), "is an image (PNG), not safetensors: 'classify' takes images" },
    { BEGINS("\xff\xd8\xff"), "is an image (JPEG), not safetensors: 'classify' takes images" },
};
enum { BEGINNINGS = sizeof beginnings / sizeof *beginnings };

/* Searches the first bytes for that text. */
static bool contains(const char *bytes, size_t size, const char *text)
{
    enum { LOOKED_AT = 4096 };
    size_t length = strlen(text), end = size < LOOKED_AT ? size : LOOKED_AT;
    for (size_t i = 0; i + length <= end; i++)
        if (memcmp(bytes + i, text, length) == 0)
            return true;
    return false;
}

static const char *kind_of_zip(const char *bytes, size_t size)
{
    if (contains(bytes, size, "data.pkl"))
        return "is a PyTorch file (.pth)" BY_PYTHON;
    if (contains(bytes, size, ".npy"))
        return "is a NumPy archive (.npz), not safetensors; in Python: "
               "safetensors.numpy.save_file(dict(numpy.load(FILE)), 'batch.safetensors')";
    return "is a zip archive: 'unzip' unpacks it";
}

static const char *kind_of_json(const char *bytes, size_t size)
{
    if (contains(bytes, size, "\"weight_map\""))
        return "is the index of weights that lie in several files; in Python: state = {}; "
               "[state.update(safetensors.torch.load_file(f)) for f in FILES]; "
               "safetensors.torch.save_file(state, 'weights.safetensors')";
    return "is JSON, a description; the weights are another file";
}

bool file_is_text(const char *bytes, size_t size)
{
    enum { LOOKED_AT = 512 };
    size_t end = size < LOOKED_AT ? size : LOOKED_AT, i = 0;
    while (i < end && bytes[i] && ((unsigned char)bytes[i] >= ' ' || strchr("\t\n\r\f", bytes[i])))
        i++;
    return i == end;
}

/* The version of its format, a small number in field 1, then the program that wrote it. */
static bool is_onnx(const char *bytes, size_t size)
{
    return size > 3 && bytes[0] == 8 && bytes[1] > 0 && bytes[1] < 32 && bytes[2] == 0x12;
}

const char *file_kind(const char *bytes, size_t size)
{
    if (!size)
        return "is empty";
    for (int i = 0; i < BEGINNINGS; i++)
        if (size >= beginnings[i].size &&
            memcmp(bytes, beginnings[i].bytes, beginnings[i].size) == 0)
            return beginnings[i].kind;
    if (size > 1 && bytes[0] == '\x80' && bytes[1] >= 2 && bytes[1] <= 5)
        return "is a Python pickle" BY_PYTHON;
    if (size > 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '7' && bytes[2] == '\n')
        return "is an image (PNM), not safetensors: 'classify' takes images";
    if (is_onnx(bytes, size))
        return "is an ONNX model, not safetensors: it is made of weights, not read";
    size_t space = 0;
    while (space < size && bytes[space] && strchr(" \t\r\n", bytes[space]))
        space++;
    bytes += space, size -= space;
    if (size >= 4 && memcmp(bytes, "PK\3\4", 4) == 0)
        return kind_of_zip(bytes, size);
    if (size && *bytes == '{')
        return kind_of_json(bytes, size);
    if ((size >= 9 && strncasecmp(bytes, "<!doctype", 9) == 0) ||
        (size >= 5 && strncasecmp(bytes, "<html", 5) == 0))
        return "is a web page, not the file: the download wants the file's own address";
    if (size && (unsigned char)*bytes < 0x80 && file_is_text(bytes, size))
        return "is text";
    return NULL;
}
