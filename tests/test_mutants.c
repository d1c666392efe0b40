/* The faults that `make mutants` plants: it plants them by the text that they replace. */
#include "run.h"

#include <criterion/criterion.h>

Test(mutants, can_all_be_planted)
{
    run_well("tests/mutants/run.sh --check");
}
