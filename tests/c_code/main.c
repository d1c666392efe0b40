/* net WEIGHTS < IMAGES > LOGITS: runs a file of `export --c`, of IMAGE and CLASSES floats,
 * as whoever takes it does. WEIGHTS: the file beside it, where BESIDE says that there is one. */
#include <stdio.h>
#include <stdlib.h>

#ifdef BESIDE
void NETWORK(const float *weights, const float *image, float *logits);
#else
void NETWORK(const float *image, float *logits);
#endif

int main(int argc, char **argv)
{
    static float image[IMAGE], logits[CLASSES];
    (void)argc;
    (void)argv;
#ifdef BESIDE
    static float weights[BESIDE];
    FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
    if (!file || fread(weights, sizeof *weights, BESIDE, file) != BESIDE || fgetc(file) != EOF)
        return EXIT_FAILURE;
    fclose(file);
#endif
    while (fread(image, sizeof *image, IMAGE, stdin) == IMAGE) {
#ifdef BESIDE
        NETWORK(weights, image, logits);
#else
        NETWORK(image, logits);
#endif
        fwrite(logits, sizeof *logits, CLASSES, stdout);
    }
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
