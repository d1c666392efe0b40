/* export: a network's weights for other programs. */
#include "cli/commands.h"

int export(const Run *run)
{
    return export_weights(run);
}
