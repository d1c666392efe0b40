#include "words.h"

#include <stddef.h>
#include <string.h>

static const char *const phrases[][2] = {
    /* titles of steps */
    { "ResNet bottleneck", "ResNet 的瓶颈结构" },
    { "Stage ratio 3:3:9:3", "阶段块数比 3:3:9:3" },
    { "Patchify stem", "patchify stem" },
    { "Depthwise convolution", "逐通道卷积" },
    { "Inverted bottleneck", "倒置瓶颈" },
    { "7x7 depthwise convolution, moved up", "7x7 逐通道卷积，移到块首" },
    { "GELU instead of ReLU", "用 GELU 代替 ReLU" },
    { "One activation per block", "每块一个激活函数" },
    { "One norm per block", "每块一个归一化层" },
    { "Layer norm instead of batch norm", "用层归一化代替批归一化" },
    { "Separate downsampling layers", "独立的下采样层" },
    { "Drop path and layer scale", "DropPath 与层缩放" },
    { "ConvNeXt as published", "官方发布的 ConvNeXt" },
    { "The paper's roadmap, row by row", "论文的路线图，逐行实现" },
    /* rows of the paper's table */
    { "ResNet-50, new recipe", "ResNet-50，新训练方案" },
    { "stage ratio", "阶段块数比" },
    { "patchify stem", "patchify stem" },
    { "depthwise conv", "逐通道卷积" },
    { "increase width", "加宽" },
    { "inverting dimensions", "倒置瓶颈" },
    { "move up depthwise conv", "逐通道卷积上移" },
    { "kernel size 5", "卷积核大小 5" },
    { "kernel size 7", "卷积核大小 7" },
    { "kernel size 9", "卷积核大小 9" },
    { "kernel size 11", "卷积核大小 11" },
    { "ReLU to GELU", "ReLU 换成 GELU" },
    { "fewer activations", "更少的激活函数" },
    { "fewer norms", "更少的归一化层" },
    { "BN to LN", "BN 换成 LN" },
    { "separate downsampling (ConvNeXt-T)", "独立下采样（ConvNeXt-T）" },
    /* parts of a network */
    { "stage1", "阶段 1" },
    { "stage2", "阶段 2" },
    { "stage3", "阶段 3" },
    { "stage4", "阶段 4" },
    { "head", "分类头" },
    /* versions of a kernel */
    { "three loops: i, j, k", "三重循环：i、j、k" },
    { "i, k, j: the inner loop along rows", "i、k、j：内层循环沿行走" },
    { "many columns at a time", "一次算多列" },
    { "a tile of sums in registers", "一片和留在寄存器里" },
    { "a and b packed in reading order", "a 和 b 按读取顺序打包" },
    { "blocks that stay in the caches", "分块，留在缓存里" },
    { "bias and ReLU in registers", "偏置和 ReLU 在寄存器里完成" },
    { "blocks of rows on all threads", "行的分块交给所有线程" },
    { "gemm_run(): b packed before, fetched early", "gemm_run()：b 事先打包并预取" },
    { "the definition, with tests of bounds", "定义本身，带越界判断" },
    { "zeros around the image", "图像四周补零" },
    { "many channels at a time", "一次算多个通道" },
    { "a strip of sums in registers", "一条和留在寄存器里" },
    { "a row of weights held, each pixel loaded once", "保留一行权重，每个像素只读一次" },
    { "a vector's channels gathered first", "先收集一个向量的通道" },
    { "planes on all threads", "各平面交给所有线程" },
    { "grouped_forward(): bands that fit the cache", "grouped_forward()：放得进缓存的条带" },
    /* works of speed.md */
    { "ConvNeXt-T, inference", "ConvNeXt-T，推理" },
    { "ResNet-50, inference", "ResNet-50，推理" },
    { "step 00, paper, training", "第 00 步，paper，训练" },
    { "step 09, paper, training", "第 09 步，paper，训练" },
    { "step 00, small, training", "第 00 步，small，训练" },
    { "step 05, small, training", "第 05 步，small，训练" },
    { "step 09, small, training", "第 09 步，small，训练" },
};

const char *words_chinese(const char *english)
{
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
        if (strcmp(phrases[i][0], english) == 0)
            return phrases[i][1];
    return english;
}

/* What drawings say; a phrase that is part of another comes after it. */
static const char *const drawn[][2] = {
    { "A box per layer: its width grows with the logarithm of the output's channels, its height",
      "每层一个方框：宽度随输出通道数的对数增长，高度随输出像素数的对数增长，" },
    { "with that of the output's pixels; its colour darkens with the logarithm of the layer's "
      "MACs.",
      "颜色随该层 MACs 的对数加深。" },
    { "Shapes are NCHW; weights are output x input per group x height x width.",
      "形状为 NCHW；权重为输出通道 x 每组输入通道 x 高 x 宽。" },
    { "unchanged, or at another size", "不变，或只有尺寸不同" },
    { " (unchanged, at another size)", "（不变，尺寸不同）" },
    { " (unchanged)", "（不变）" },
    { " (as in ", "（同 " },
    { ", at other sizes)", "，尺寸不同）" },
    { " alike", " 个相同" },
    { "in each: ", "每个：" },
    { "− removed", "− 去掉" },
    { "+ added", "+ 新增" },
    { "~ changed", "~ 改变" },
    { ">moved<", ">移动<" },
    { ", the same", "，不变" },
    { ", parameters ", "，参数 " },
    { ", MACs ", "，MACs " },
    { "parameters ", "参数 " },
    { " parameters", " 个参数" },
};

void words_put_drawing(FILE *out, const char *drawing)
{
    while (*drawing) {
        size_t count = sizeof drawn / sizeof *drawn, i = 0, length = 0;
        for (; i < count; i++)
            if (length = strlen(drawn[i][0]), strncmp(drawing, drawn[i][0], length) == 0)
                break;
        if (i < count) {
            fputs(drawn[i][1], out);
            drawing += length;
        } else
            fputc(*drawing++, out);
    }
}
